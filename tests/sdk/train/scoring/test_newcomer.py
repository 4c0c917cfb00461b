"""Who joins late under error feedback sends short updates at first: taken if they help, and only then."""

from dataclasses import replace

import pytest
from tests.sdk.train.conftest import keypair

from subnetlab.record.events import Scored
from subnetlab.train import models, tasks
from subnetlab.train.attackers import ATTACKERS
from subnetlab.train.data import Corpus
from subnetlab.train.free_rider import FreeRider
from subnetlab.train.manifest import EARLIER, Manifest, RoundHeights, ScoringConfig
from subnetlab.train.miner import Miner
from subnetlab.train.peer import Peer
from subnetlab.train.phases import due
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.roster import Seat
from subnetlab.train.scoring.evidence import Evidence
from subnetlab.train.scoring.gate import gate_by
from subnetlab.train.scoring.losses import Removed
from subnetlab.train.strategies import SparseLoCo
from subnetlab.train.validator import Validator

FIRST, ROUNDS = 6, 10
LATE, RIDER, FLIPPER = 4, 5, 6
SEATS = [Seat.of(uid, keypair(uid).ss58_address, "miner" if uid < 7 else "validator") for uid in range(8)]


def late(kind: type[Peer]) -> type[Peer]:
    """A role that sits the first rounds out."""

    class Late(kind):
        def take_part(self, heights: RoundHeights) -> None:
            if heights.round >= FIRST:
                super().take_part(heights)
                return
            for _, name in due(self.role, heights):
                if name != "synced":
                    self.done(name, heights)

    return Late


@pytest.fixture(scope="module")
def joined(library: Corpus) -> Rehearsal:
    """Four miners from the start; an honest one, a free rider and a sign flipper come six rounds later."""
    model = models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32)
    manifest = Manifest(
        run_id="late", netuid=1, model=model, task=tasks.of_model(model, "def "), data=library.manifest,
        strategy=SparseLoCo(inner_steps=8), rounds=ROUNDS, first_block=3, batch_size=8, deterministic=True,
    )  # fmt: skip
    flipper = ATTACKERS["sign_flip"].load()
    assert issubclass(flipper, Miner)
    run = Rehearsal(
        manifest, SEATS, library, lambda seat: lambda message: bytes(keypair(seat.uid).sign(message)),
        roles={LATE: late(Miner), RIDER: late(FreeRider), FLIPPER: late(flipper)}, patience_s=300.0,
    )  # fmt: skip
    run.run()
    return run


def verdicts(run: Rehearsal) -> list[Scored]:
    return [event for event in run.events if isinstance(event, Scored) and event.round >= FIRST]


def test_an_honest_latecomer_is_taken_from_its_first_round_on(joined: Rehearsal) -> None:
    said = [event for event in verdicts(joined) if event.uid == LATE]
    others = [event.norm for event in verdicts(joined) if event.uid < LATE and event.round == FIRST]
    assert said[0].norm < 0.4 * min(others), "its first payload is the largest part of one round alone"
    assert [event.verdict for event in said] == ["accepted"] * (ROUNDS - FIRST)


def test_attackers_that_come_late_are_shut_out_all_the_same(joined: Rehearsal) -> None:
    said = [event for event in verdicts(joined) if event.uid in (RIDER, FLIPPER)]
    assert len(said) == 2 * (ROUNDS - FIRST)
    assert "accepted" not in {event.verdict for event in said}
    assert not any(event.weight for event in said)


def test_a_validator_that_is_started_again_knows_who_came_late(joined: Rehearsal) -> None:
    before = joined.peers[7]
    assert isinstance(before, Validator)
    again = joined.peer(SEATS[7])
    assert isinstance(again, Validator)
    again.recall(event for event in joined.events if isinstance(event, Scored))
    assert again.evidence.trials == before.evidence.trials
    assert again.evidence.standing == before.evidence.standing
    assert again.ratings.of == before.ratings.of


HONEST = dict.fromkeys(range(5), Removed(0.02, 0.02, 0.001, 1.0))


def known(newcomer: int = 6, rounds: int = 8) -> Evidence:
    """Evidence on five miners that were there for some rounds."""
    evidence = Evidence(0.0, 2.5, newcomer=newcomer)
    for _ in range(rounds):
        evidence.weigh_standing(HONEST)
    return evidence


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        (Removed(0.004, 0.004, 0.001, 0.25), True),  # short, and as good for its length
        (Removed(0.002, 0.002, 0.001, 0.25), True),  # and half as good, as with fresh moments
        (Removed(0.004, 0.004, 0.001, 1.0), False),  # as long as all others, and does as little
        (Removed(0.0006, 0.0006, 0.001, 0.25), False),  # by no more than noise
        (Removed(0.0006, 0.0006, 0.0001, 0.25), False),  # beyond noise, and too little for its length
        (Removed(-0.004, -0.004, 0.001, 0.25), False),  # short, and harmful
    ],
)
def test_a_short_update_is_taken_where_it_helps_for_its_length(sent: Removed, taken: bool) -> None:
    removed = {**HONEST, 9: sent}
    assert (9 not in gate_by(known(), removed, 0.4, 0.5)) is taken
    assert 9 in gate_by(known(newcomer=0), removed, 0.4, 0.5), "as runs were judged before"


def test_the_length_counts_for_some_trials_and_for_latecomers_alone() -> None:
    evidence, removed = known(newcomer=2), {**HONEST, 9: Removed(0.004, 0.004, 0.001, 0.25)}
    assert evidence.lengths(removed) == {9: 0.25}
    for _ in range(2):
        evidence.weigh_standing(removed)
    assert evidence.lengths(removed) == {}
    assert known(rounds=0).lengths(removed) == {}, "in a run's first round all are new"
    assert known().lengths(HONEST) == {}


def test_a_run_of_before_is_judged_as_before() -> None:
    assert ScoringConfig().newcomer > 0
    assert replace(ScoringConfig(), **EARLIER).newcomer == 0
