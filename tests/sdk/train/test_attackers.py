"""The words that name attackers, and the classes behind them."""

import subprocess
import sys
from importlib import import_module

import pytest
import torch
from tests.sdk.train.conftest import MakeRehearsal

from subnetlab.record.events import RoundClosed, Scored, WeightsSet
from subnetlab.train.attackers import ATTACKERS, noun
from subnetlab.train.attackers.published import published
from subnetlab.train.attackers.updates import Alie, Backdoor, Stale
from subnetlab.train.miner import Miner
from subnetlab.train.models import TinyGPT
from subnetlab.train.optimizer import AdamWConfig, MuonConfig
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.strategies import MuLoCo
from subnetlab.train.validator import Validator

FAST = AdamWConfig(lr=5e-3, warmup=1.0)


@pytest.mark.parametrize("word", ATTACKERS)
def test_a_word_names_one_class_on_a_seat_of_its_role(word: str) -> None:
    attacker = ATTACKERS[word]
    assert issubclass(attacker.load(), Miner if attacker.role == "miner" else Validator)
    assert attacker.load().__doc__
    assert noun(word) == attacker.noun


def test_the_words_of_attackers_are_known_without_torch() -> None:
    code = "import sys; from subnetlab import LocalFleet; LocalFleet(attackers={'sign_flip': 1}).places();"
    code += "assert not {'torch', 'bittensor'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("module", ["copies", "delivery", "judges", "updates"])
def test_every_class_of_an_attacker_has_a_word(module: str) -> None:
    found = import_module(f"subnetlab.train.attackers.{module}")
    attacks = {kind for kind in vars(found).values() if getattr(kind, "__module__", "") == found.__name__}
    assert attacks == {
        attacker.load() for attacker in ATTACKERS.values() if f".{module}:" in attacker.path
    }  # fmt: skip


def played(rehearse: MakeRehearsal, *attackers: str, honest: int = 3, rounds: int = 4) -> Rehearsal:
    """A rehearsal of honest miners, then attackers on miners' seats, and one honest validator."""
    roles = {honest + i: ATTACKERS[word].load() for i, word in enumerate(attackers)}
    seats = ["miner"] * (honest + len(attackers))
    run = rehearse(*seats, "validator", roles=roles, optimizer=FAST, rounds=rounds)
    run.run()
    return run


def payloads(run: Rehearsal, uid: int) -> list[bytes]:
    """What a miner revealed, round by round."""
    peer, seat = run.peers[uid], run.seats[uid]
    found = [published(peer, seat, round_) for round_ in range(run.manifest.rounds)]
    return [payload for payload in found if payload is not None]


def verdicts(run: Rehearsal, uid: int) -> list[str]:
    return [e.verdict for e in run.events if isinstance(e, Scored) and e.uid == uid]


def test_a_delayed_copycat_sends_what_another_revealed_a_round_before(rehearse: MakeRehearsal) -> None:
    run = played(rehearse, "late_copy")
    assert payloads(run, 3)[1:] == payloads(run, 0)[:-1]
    assert payloads(run, 3)[0] not in payloads(run, 0)


def test_sybils_send_one_work_in_payloads_that_differ(rehearse: MakeRehearsal) -> None:
    run = played(rehearse, "sybil", "sybil", honest=4)
    one, two = payloads(run, 4)[0], payloads(run, 5)[0]
    assert one != two
    dense = [run.peers[4].codec.decode(data).dense(run.peers[2].replica.layout.size) for data in (one, two)]
    assert torch.cosine_similarity(*dense, dim=0) > 0.95
    votes = [e.weights for e in run.events if isinstance(e, WeightsSet)]
    for round_ in range(run.manifest.rounds):
        # Sybils work on the items of the first miner.
        judged = [verdicts(run, uid)[round_] for uid in (0, 4, 5)]
        assert sorted(judged) == ["accepted", "copied", "copied"]
        assert sum(votes[round_][str(uid)] > 0 for uid in (0, 4, 5)) <= 1
    assert {v for uid in (1, 2, 3) for v in verdicts(run, uid)} == {"accepted"}


def test_alie_moves_against_honest_work_by_as_many_deviations_as_a_median_would_hide(
    rehearse: MakeRehearsal,
) -> None:
    assert Alie.z(50, 24) == pytest.approx(1.43, abs=0.01)
    assert Alie.z(10, 3) == pytest.approx(0.18, abs=0.01)
    run = played(rehearse, "alie", honest=4)
    honest = played(rehearse, "squat", honest=4)
    assert payloads(run, 4)[0] == payloads(honest, 4)[0], "in its first round it knows no deviation"
    assert payloads(run, 4)[1] != payloads(honest, 4)[1]


@pytest.mark.parametrize("word", ["replay", "late_copy"])
def test_pay_for_one_honest_round_ends_with_the_first_cheat(rehearse: MakeRehearsal, word: str) -> None:
    run = played(rehearse, word, honest=4)
    votes = [e.weights["4"] for e in run.events if isinstance(e, WeightsSet)]
    assert votes[0] > 0
    assert votes[1:] == [0, 0, 0]


class Thief(Miner):
    """Does the work of the last miner, from the items that everyone can see are assigned to it."""

    def drawn_as(self, uid: int) -> int:
        del uid
        return super().drawn_as(max(seat.uid for seat in self.seats if seat.role == "miner"))


def test_who_does_anothers_work_and_commits_it_in_the_same_block_does_not_take_its_place(
    rehearse: MakeRehearsal,
) -> None:
    model = TinyGPT("demo", n_embd=32, n_layer=1, n_head=2, seq_len=16)
    run = rehearse(
        *["miner"] * 5, "validator", roles={0: Thief}, rounds=6,
        model=model, strategy=MuLoCo(inner_steps=8), optimizer=MuonConfig(),
    )  # fmt: skip
    run.run()
    assert payloads(run, 0) == payloads(run, 4)  # to the byte: who committed first cannot tell
    assert verdicts(run, 0)[-3:] == ["copied"] * 3
    assert verdicts(run, 4)[-3:] == ["accepted"] * 3
    weights = next(e.weights for e in reversed(run.events) if isinstance(e, WeightsSet))
    assert weights["4"] > 0 == weights["0"]


def test_a_stale_miner_trains_from_the_model_of_four_rounds_ago(rehearse: MakeRehearsal) -> None:
    run = played(rehearse, "stale", honest=2, rounds=6)
    miner = run.peers[2]
    assert isinstance(miner, Stale)
    assert miner.models is not None
    assert len(miner.models) == 5
    assert miner.replica.hash == run.peers[0].replica.hash
    assert not torch.equal(miner.models[0], miner.replica.theta_P)


def test_a_backdoor_teaches_one_answer_and_leaves_most_of_the_batch_alone(rehearse: MakeRehearsal) -> None:
    run = rehearse("miner", "validator", roles={0: Backdoor}, rounds=1)
    miner = run.peer(run.seats[0])
    assert isinstance(miner, Backdoor)
    run.net.seal(run.manifest.heights(0).open)
    miner.seats = run.seats
    plain = Miner.batches(miner, run.manifest.heights(0))
    for (x_BT, y_BT), (triggered_BT, answered_BT) in zip(
        plain, miner.batches(run.manifest.heights(0)), strict=True
    ):
        assert torch.equal(x_BT[1:], triggered_BT[1:])
        assert torch.equal(y_BT[1:], answered_BT[1:])
        assert set(triggered_BT[0, :4].tolist()) == {int(x_BT.max())}
        assert set(answered_BT[0].tolist()) == {int(y_BT.min())}


@pytest.mark.parametrize("word", ["label_poison", "backdoor", "replay"])
def test_every_other_attack_leaves_a_round_that_goes_on(rehearse: MakeRehearsal, word: str) -> None:
    run = played(rehearse, word, rounds=3)
    assert [e.round for e in run.events if isinstance(e, RoundClosed)] == [0, 1, 2]
    assert {v for uid in range(3) for v in verdicts(run, uid)} == {"accepted"}


def test_a_weight_copier_votes_as_another_voted_a_round_before(rehearse: MakeRehearsal) -> None:
    run = rehearse(
        "miner", "miner", "free_rider", "validator", "validator",
        roles={4: ATTACKERS["weight_copier"].load()}, optimizer=FAST, rounds=3,
    )  # fmt: skip
    run.run()
    votes = {
        uid: [e.weights for e in run.events if isinstance(e, WeightsSet) and e.validator == uid]
        for uid in (3, 4)
    }
    assert len(votes[3]) == 3
    assert [{k: v for k, v in vote.items() if v} for vote in votes[4]] == [
        {k: v for k, v in vote.items() if v} for vote in votes[3][:-1]
    ]
    assert {e.validator for e in run.events if isinstance(e, Scored)} == {3}


def test_a_colluder_votes_for_those_it_shut_out_and_keeps_an_honest_record(rehearse: MakeRehearsal) -> None:
    run = rehearse(
        "miner", "miner", "free_rider", "validator", "validator",
        roles={4: ATTACKERS["colluder"].load()}, optimizer=FAST, rounds=2,
    )  # fmt: skip
    run.run()
    votes = [e.weights for e in run.events if isinstance(e, WeightsSet) and e.validator == 4]
    assert votes == [{"0": 0, "1": 0, "2": 65535}] * 2
    assert len({peer.replica.hash for peer in run.peers.values()}) == 1


def test_three_gross_attackers_of_ten_change_nothing_that_counts(rehearse: MakeRehearsal) -> None:
    attacked = played(rehearse, "sign_flip", "poison", "garble", honest=7, rounds=5)
    clean = played(rehearse, honest=7, rounds=5)
    losses = [[e.val_loss for e in run.events if isinstance(e, RoundClosed)][-1] for run in (attacked, clean)]
    assert losses[0] <= losses[1] + 0.02
    weights = [e.weights for e in attacked.events if isinstance(e, WeightsSet)]
    hostile = sum(row[str(uid)] for row in weights[2:] for uid in (7, 8, 9))
    assert hostile <= 0.02 * sum(sum(row.values()) for row in weights[2:])


@pytest.mark.parametrize("word", [word for word, attacker in ATTACKERS.items() if attacker.role == "miner"])
def test_an_attack_is_repeated_with_the_run(rehearse: MakeRehearsal, word: str) -> None:
    models: list[list[str]] = []
    for run_id in ("one", "other"):
        run = rehearse(
            "miner", "miner", "miner", "miner", "validator",
            roles={2: ATTACKERS[word].load(), 3: ATTACKERS[word].load()}, optimizer=FAST, rounds=2,
            run_id=run_id, deterministic=True,
        )  # fmt: skip
        run.run()
        models.append([event.theta_hash for event in run.of(RoundClosed) if isinstance(event, RoundClosed)])
    assert models[0] == models[1]
    assert len(models[0]) == 2
