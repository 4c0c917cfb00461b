"""DeMo's payloads: an orthonormal transform there, whole numbers back, a momentum that loses nothing."""

import math

import pytest
import torch

from subnetlab.errors import PayloadRejected
from subnetlab.train.payload import cosine
from subnetlab.train.payload.cosine import CosineCodec
from subnetlab.train.payload.sparse import SparseCodec
from subnetlab.train.theta import Layout

LAYOUT = Layout(
    (("bytes.weight", (128, 64)), ("blocks.0.mix.weight", (6, 10)), ("norm.weight", (96,)), ("bias", ()))
)
CODEC = CosineCodec(LAYOUT, 32, 4096, 0.999, "sign")
EVERYTHING = CosineCodec(LAYOUT, 4096, 4096, 0.999, "sign")


def drawn(seed: int) -> torch.Tensor:
    return torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(seed))


def by_definition(values: torch.Tensor) -> torch.Tensor:
    """DCT-II of a vector, one coefficient at a time."""
    length = len(values)
    place = torch.arange(length)
    sums = [(values * torch.cos(math.pi * (2 * place + 1) * k / (2 * length))).sum() for k in range(length)]
    scale = torch.tensor([math.sqrt((1 if k == 0 else 2) / length) for k in range(length)])
    return torch.stack(sums) * scale


def test_a_basis_is_the_transform_by_its_definition() -> None:
    values = drawn(0)[:48]
    found = values.double() @ cosine._basis(48)
    torch.testing.assert_close(found.float(), by_definition(values), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(cosine._basis(48).T @ cosine._basis(48), torch.eye(48).double())


def test_what_is_sent_lies_where_it_lay() -> None:
    """One wave in one block comes back as that wave, and nowhere else."""
    delta_P = torch.zeros(LAYOUT.size)
    block = LAYOUT.split(delta_P)["bytes.weight"][64:]
    wave = torch.outer(cosine._basis(64)[:, 3], cosine._basis(64)[:, 7]).float() * 5
    block.copy_(wave)
    found = LAYOUT.split(CODEC.decode(CODEC.encode(delta_P, {})).values_N)["bytes.weight"]
    torch.testing.assert_close(found[64:], wave, rtol=1e-3, atol=2e-3)
    assert float(found[:64].abs().max()) < 1e-4


def test_what_was_sent_and_what_is_kept_are_the_momentum() -> None:
    memory: dict[str, torch.Tensor] = {}
    momentum_P = torch.zeros(LAYOUT.size)
    for round_ in range(3):
        delta_P = drawn(round_)
        sent_P = CODEC.decode(CODEC.encode(delta_P, memory)).values_N
        momentum_P = 0.999 * momentum_P + delta_P
        kept = SparseCodec(LAYOUT, 32, 4096, 0.999, "sign").rest(memory)
        assert kept is not None
        kept_P = torch.empty_like(kept)
        for source, target in zip(CODEC._pieces(kept), CODEC._pieces(kept_P), strict=True):
            target.copy_(cosine._restored(source))
        torch.testing.assert_close(sent_P + kept_P, momentum_P, rtol=1e-2, atol=1e-2)
        momentum_P -= sent_P


def test_norms_are_those_of_the_coefficients() -> None:
    """So that the clip to the median norm means the same as it does for coefficients."""
    delta_P = drawn(1)
    data = EVERYTHING.encode(delta_P, {})
    values = EVERYTHING.decode(data).values_N
    coefficients = SparseCodec(LAYOUT, 4096, 4096, 0.999, "sign").decode(data).dense(LAYOUT.size)
    assert float(values.norm()) == pytest.approx(float(coefficients.norm()), rel=1e-2)


def test_a_receiver_reads_the_same_bits_whatever_the_order_of_its_sums() -> None:
    grid = torch.randn(3, 64, 2, 64, generator=torch.Generator().manual_seed(4))
    found = cosine._restored(grid)
    turned = cosine._restored(grid.permute(2, 3, 0, 1).contiguous()).permute(2, 3, 0, 1)
    assert torch.equal(found, turned)
    one_by_one = torch.cat([cosine._restored(grid[place : place + 1]) for place in range(3)])
    torch.testing.assert_close(found, one_by_one, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e9])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_gradient_that_exploded_is_refused_by_every_receiver(bad: float) -> None:
    delta_P = drawn(0)
    delta_P[25] = bad
    with pytest.raises(PayloadRejected) as caught:
        CODEC.decode(CODEC.encode(delta_P, {}))
    assert caught.value.reason in ("not_finite", "huge")


def test_a_payload_keeps_to_the_limit_and_another_is_refused() -> None:
    data = CODEC.encode(drawn(2), {})
    assert len(data) <= CODEC.limit
    with pytest.raises(PayloadRejected):
        CODEC.decode(data[:-1])
    with pytest.raises(PayloadRejected):
        CosineCodec(LAYOUT, 16, 4096, 0.999, "sign").decode(data)
