"""Near copies: found by how close honest payloads come in the same round, whatever the model."""

import pytest
import torch
from torch import Tensor

from subnetlab.train.payload.update import Update
from subnetlab.train.scoring import similar
from subnetlab.train.scoring.similar import NearCopies

SIZE = 2_000


def work(seed: int, *, common: float = 0.7) -> Tensor:
    """What an honest miner finds: something that all find, and something of its own."""
    shared = torch.randn(SIZE, generator=torch.Generator().manual_seed(1_000))
    own = torch.randn(SIZE, generator=torch.Generator().manual_seed(seed))
    return common * shared + (1 - common) * own


def found(copies: NearCopies, *values: Tensor, beacon: str = "0x1") -> dict[int, str]:
    updates = {uid: Update(None, value) for uid, value in enumerate(values)}
    refused = copies.found(updates, list(updates), SIZE, beacon)
    return {uid: f"{error.reason}: {error}" for uid, error in refused.items()}


def test_of_payloads_that_nearly_agree_the_first_stays() -> None:
    honest = [work(seed) for seed in range(4)]
    nearly = honest[1] + 0.05 * torch.randn(SIZE, generator=torch.Generator().manual_seed(9))
    said = found(NearCopies(0.25), *honest, nearly)
    assert set(said) == {4}
    assert said[4].startswith("copied: The payload nearly equals that of uid 1")


@pytest.mark.parametrize("common", [0.0, 0.5, 0.99])
def test_honest_payloads_may_be_as_alike_as_their_data(common: float) -> None:
    copies = NearCopies(0.25)
    for round_ in range(3):
        assert found(copies, *(work(10 * round_ + uid, common=common) for uid in range(5))) == {}


def test_what_was_sent_a_round_before_is_not_sent_again() -> None:
    copies = NearCopies(0.25)
    before = [work(seed) for seed in range(5)]
    assert found(copies, *before) == {}
    now = [work(100 + seed) for seed in range(5)]
    assert set(found(copies, *now[:4], 3 * before[2])) == {4}  # another size of it is the same work
    assert set(found(copies, *(work(200 + seed) for seed in range(4)), before[2])) == {4}  # nor again


def test_two_miners_are_too_few_to_say_what_is_typical() -> None:
    nearly = work(1) + 0.01 * work(2)
    assert found(NearCopies(0.25), work(1), nearly) == {}
    assert set(found(NearCopies(0.25), work(1), nearly, work(1))) == {2}
    assert found(NearCopies(0.25)) == {}


def test_of_a_large_model_the_beacon_says_where_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar, "SAMPLE", 500)
    honest = [work(seed) for seed in range(4)]
    assert set(found(NearCopies(0.25), *honest, honest[0] * 1.1)) == {4}


def test_sparse_payloads_are_compared_where_any_of_them_moves() -> None:
    def sparse(seed: int) -> Update:
        value_P = work(seed, common=0.2)
        positions_N = value_P.abs().topk(60).indices.sort().values
        return Update(positions_N, value_P[positions_N])

    updates = {uid: sparse(uid) for uid in range(5)} | {5: sparse(3)}
    assert set(NearCopies(0.25).found(updates, list(updates), SIZE, "0x1")) == {5}
