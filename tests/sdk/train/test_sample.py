"""A round's sample: every miner's turn comes, none can know it, and what is not tried harms little."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import cast

import pytest

from subnetlab.network.memory import MemoryNet
from subnetlab.record.events import RoundClosed, Scored, WeightsSet
from subnetlab.record.reasons import UNTRIED, measured
from subnetlab.record.verdicts import MinerView, Standing
from subnetlab.train import assignment
from subnetlab.train.attackers import ATTACKERS
from subnetlab.train.data import Corpus
from subnetlab.train.manifest import Manifest, ScoringConfig
from subnetlab.train.models import TinyGPT
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.scoring.sample import Trust
from subnetlab.train.strategies import SparseLoCo
from subnetlab.train.tasks import of_model
from subnetlab.train.validator import Validator

from .conftest import keypair, seats_for

HONEST, ATTACK, TRIED, ROUNDS = 12, ("sign_flip", "free_rider", "poison", "sign_flip"), 4, 14
FIRST, SECOND = HONEST + len(ATTACK), HONEST + len(ATTACK) + 1


def places(round_: int, uids: range) -> dict[int, int]:
    return {uid: assignment.trial_place(run="r", round_=round_, uid=uid, beacon=f"{round_}") for uid in uids}


def test_few_payloads_are_all_tried_and_of_many_a_sample_that_covers_everyone_in_turn() -> None:
    assert Trust(0).drawn(places(0, range(100))) == list(range(100))
    assert Trust(16).drawn(places(0, range(16))) == list(range(16))
    trust, tried = Trust(16), Counter[int]()
    for round_ in range(100):
        sample = trust.drawn(places(round_, range(64)))
        assert len(sample) == 16
        assert sample == sorted(set(sample))
        trust.passed.update(dict.fromkeys(sample, True))
        tried.update(sample)
        if round_ == 4:
            assert set(tried) == set(range(64)), "newcomers first: five rounds for everyone"
    assert 10 <= min(tried.values()) < max(tried.values()) <= 45, "a quarter of the rounds for each"


def test_newcomers_leave_a_quarter_of_the_sample_to_the_others() -> None:
    trust = Trust(16, dict.fromkeys(range(64), True))
    sample = trust.drawn(places(0, range(164)))
    assert len([uid for uid in sample if uid < 64]) == 4
    assert len(sample) == 16


def test_the_draw_has_no_memory_so_that_no_miner_knows_whether_it_is_in() -> None:
    trust = Trust(16, dict.fromkeys(range(64), True))
    draws = [set(trust.drawn(places(round_, range(64)))) for round_ in range(400)]
    again = sum(len(one & other) for one, other in pairwise(draws)) / len(draws)
    assert again == pytest.approx(16 * 16 / 64, rel=0.15)


def test_trust_is_what_the_last_trial_said() -> None:
    trust = Trust(4, {1: True, 2: False})
    assert trust.left_out(1, 1.0, 0.4) == ""
    assert "did not pass" in trust.left_out(2, 1.0, 0.4)
    assert "newcomer" in trust.left_out(3, 1.0, 0.4)
    assert "30%" in trust.left_out(1, 0.3, 0.4)


@pytest.fixture(scope="module")
def sampled(corpus: Corpus) -> Rehearsal:
    model = TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32)
    manifest = Manifest(
        run_id="sampled", netuid=1, model=model, task=of_model(model), data=corpus.manifest,
        strategy=SparseLoCo(inner_steps=5), rounds=ROUNDS, batch_size=4, first_block=3,
        optimizer=AdamWConfig(lr=5e-3), deterministic=True,
        scoring=ScoringConfig(validation_batches=2, validation_sequences=16, tried=TRIED),
    )  # fmt: skip
    seats = seats_for(*["miner"] * (HONEST + len(ATTACK)), "validator", "validator")
    roles = {HONEST + i: ATTACKERS[word].load() for i, word in enumerate(ATTACK)}
    run = Rehearsal(
        manifest, seats, corpus, lambda seat: lambda message: bytes(keypair(seat.uid).sign(message)),
        roles=roles, patience_s=600,
    )  # fmt: skip
    run.run()
    return run


def verdicts(run: Rehearsal, validator: int = FIRST) -> list[Scored]:
    return [one for one in cast("list[Scored]", run.of(Scored)) if one.validator == validator]


def test_both_validators_try_the_same_sample_and_write_the_same_record(sampled: Rehearsal) -> None:
    first, second = verdicts(sampled), verdicts(sampled, SECOND)
    assert [replace(one, validator=0) for one in first] == [replace(one, validator=0) for one in second]
    tried = Counter(one.round for one in first if measured(one))
    assert set(tried.values()) == {TRIED}
    assert {one.uid for one in first if measured(one)} == set(range(HONEST + len(ATTACK)))


def test_attackers_are_shut_out_and_paid_nothing_though_few_rounds_try_them(sampled: Rehearsal) -> None:
    hostile = [one for one in verdicts(sampled) if one.uid >= HONEST]
    assert {one.verdict for one in hostile} == {"gated", UNTRIED}
    for event in cast("list[WeightsSet]", sampled.of(WeightsSet)):
        assert not any(weight for uid, weight in event.weights.items() if int(uid) >= HONEST)
    losses = [one.val_loss for one in cast("list[RoundClosed]", sampled.of(RoundClosed))]
    assert losses[-1] < losses[0] - 0.5


def test_honest_miners_that_are_not_tried_are_taken_once_they_were(sampled: Rehearsal) -> None:
    taken = [one for one in verdicts(sampled) if one.uid < HONEST and one.verdict == "accepted"]
    untried = [one for one in taken if not one.tried]
    assert len(untried) > len(taken) / 2, "most payloads are taken on trust"
    assert {(one.score, one.loss_removed_held_out, one.noise) for one in untried} == {(0.0, 0.0, 0.0)}
    last = {one.uid: one for one in verdicts(sampled) if one.round == ROUNDS - 1 and one.uid < HONEST}
    assert all(one.verdict == "accepted" and one.rating > 0.3 for one in last.values())


def test_to_wait_for_a_first_trial_is_no_offence(sampled: Rehearsal) -> None:
    view = MinerView(uid := 0)
    first = [one for one in verdicts(sampled) if one.uid == uid and one.verdict == UNTRIED]
    for one in first:
        view.score_with(one)
    assert view.standing() is Standing.NOT_JUDGED
    assert view.score is None
    for one in [one for one in verdicts(sampled) if one.uid == uid]:
        view.score_with(one)
    assert view.standing() is Standing.WORKS
    assert (view.score or 0.0) > 0.001, "untried rounds are no zeros in the mean"


def test_a_validator_that_is_started_again_trusts_as_its_verdicts_left_it(sampled: Rehearsal) -> None:
    before = cast("Validator", sampled.peers[FIRST])
    again = Validator(
        sampled.manifest, before.roster, MemoryNet().chain("again"), sampled.store, lambda event: None,
        lambda message: message, hotkey=before.hotkey, corpus=before.corpus,
    )  # fmt: skip
    again.recall(verdicts(sampled))
    assert again.evidence.trust == before.evidence.trust
    assert again.ratings == before.ratings
    assert again.evidence.known == before.evidence.known
