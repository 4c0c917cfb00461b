"""Whole runs in memory: the model learns, peers agree on every bit, cheats earn nothing."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
import torch

from subnetlab.errors import TrainError
from subnetlab.network.memory import MemoryChain, MemoryNet
from subnetlab.record.events import (
    BaselineEvaluated,
    Mined,
    Phase,
    RoundClosed,
    Sampled,
    Scored,
    Stepped,
    WeightsSet,
    from_json,
    to_json,
)
from subnetlab.train.attackers import ATTACKERS, copies, delivery
from subnetlab.train.baseline import Baseline
from subnetlab.train.data import Corpus
from subnetlab.train.delivery import RoundWork
from subnetlab.train.free_rider import FreeRider
from subnetlab.train.manifest import Manifest, RoundHeights, ScoringConfig
from subnetlab.train.miner import Miner
from subnetlab.train.models import TinyGPT
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.phases import due
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.replica import Replica
from subnetlab.train.roster import FixedRoster
from subnetlab.train.strategies import DDP, DiLoCo, SparseLoCo, Strategy
from subnetlab.train.strategies.base import LocalUpdate
from subnetlab.train.tasks import of_model
from subnetlab.train.validator import Validator

from .conftest import keypair, riders, seats_for

FAST = AdamWConfig(lr=5e-3)
MODEL = TinyGPT("binder", n_layer=1, seq_len=32)
CROWD = ("miner", "miner", "miner", "free_rider", "validator", "validator")

MakeRehearsal = Callable[..., Rehearsal]


@pytest.fixture(scope="module")
def finished(corpus: Corpus) -> Rehearsal:
    """One run that several tests look at.

    Its name decides which items are drawn: of eight names tried, noise helped by chance in one round of one.
    """
    manifest = Manifest(
        run_id="a", netuid=1, model=MODEL, task=of_model(MODEL, "def "), data=corpus.manifest,
        strategy=SparseLoCo(inner_steps=8),
        rounds=6, batch_size=8, first_block=3, optimizer=FAST, scoring=ScoringConfig(validation_batches=2),
    )  # fmt: skip
    run = Rehearsal(
        manifest,
        seats_for(*CROWD),
        corpus,
        lambda seat: lambda message: bytes(keypair(seat.uid).sign(message)),
        roles=riders(*CROWD),
    )
    run.run()
    return run


def closed(run: Rehearsal) -> list[RoundClosed]:
    return sorted(cast("list[RoundClosed]", run.of(RoundClosed)), key=lambda e: e.round)


def scored(run: Rehearsal, uid: int) -> list[Scored]:
    return [e for e in cast("list[Scored]", run.of(Scored)) if e.uid == uid]


def test_the_loss_falls(finished: Rehearsal) -> None:
    losses = [event.val_loss for event in closed(finished)]
    assert len(losses) == 6
    assert losses[-1] < losses[0] - 0.5
    assert losses == sorted(losses, reverse=True)


def test_every_peer_holds_the_same_theta(finished: Rehearsal) -> None:
    hashes = {peer.replica.hash for peer in finished.peers.values()}
    assert hashes == {closed(finished)[-1].theta_hash}


def test_the_free_rider_is_shut_out_every_round_and_earns_nothing(finished: Rehearsal) -> None:
    verdicts = scored(finished, 3)
    assert len(verdicts) == 6 * 2
    assert {v.verdict for v in verdicts} == {"gated"}
    assert all("loss" in v.reason for v in verdicts)
    for weights in finished.net.weights().values():
        assert weights[3] == 0
        assert min(weights[uid] for uid in (0, 1, 2)) > 0.1
        assert sum(weights.values()) == pytest.approx(1)


def test_honest_miners_are_never_shut_out(finished: Rehearsal) -> None:
    assert {v.verdict for uid in (0, 1, 2) for v in scored(finished, uid)} == {"accepted"}
    assert [uid for uid, _ in closed(finished)[0].accepted] == [0, 1, 2]


def test_two_validators_judge_alike(finished: Rehearsal) -> None:
    for uid in range(4):
        by_validator: dict[int, list[Scored]] = {4: [], 5: []}
        for verdict in scored(finished, uid):
            by_validator[verdict.validator].append(replace(verdict, validator=0))
        assert by_validator[4] == by_validator[5]
    first, second = finished.net.weights().values()
    assert first == second


def test_a_validator_that_is_started_again_rates_as_its_own_verdicts_left_it(finished: Rehearsal) -> None:
    before = finished.peers[4]
    assert isinstance(before, Validator)
    again = Validator(
        finished.manifest, before.roster, finished.net.chain("again"), finished.store, lambda event: None,
        lambda message: message, hotkey=before.hotkey, corpus=before.corpus,
    )  # fmt: skip
    verdicts = cast("list[Scored]", finished.of(Scored))
    again.recall(verdict for verdict in verdicts if verdict.validator == 4)
    assert again.ratings == before.ratings
    assert again.evidence.standing == before.evidence.standing
    assert again.evidence.own_work == before.evidence.own_work
    assert set(before.evidence.own_work) == {0, 1, 2, 3}
    assert again.ratings.weights()[0] > 0


def test_evidence_that_came_to_nothing_is_recalled_as_nothing(finished: Rehearsal) -> None:
    before = finished.peers[4]
    assert isinstance(before, Validator)
    again = Validator(
        finished.manifest, before.roster, finished.net.chain("again"), finished.store, lambda event: None,
        lambda message: message, hotkey=before.hotkey, corpus=before.corpus,
    )  # fmt: skip
    verdict = next(v for v in scored(finished, 0) if v.validator == 4 and v.round == 0)
    again.recall([replace(verdict, own_work=2.0)])
    again.recall([replace(verdict, round=1, own_work=0.0), replace(verdict, uid=1, round=1, own_work=0.0)])
    assert again.evidence.own_work == {0: 0.0}


def test_every_event_is_whole(finished: Rehearsal) -> None:
    for event in finished.events:
        assert from_json(to_json(event)) == event
    mined = cast("list[Mined]", finished.of(Mined))
    assert len(mined) == 6 * 4
    assert all(0 < e.wire_bytes < e.dense_bytes / 10 for e in mined)
    steps = [e for e in cast("list[Stepped]", finished.of(Stepped)) if e.uid == 0]
    assert [e.first_step for e in steps[:3]] == [0, 5, 8]
    assert sum(len(e.losses) for e in steps) == 6 * 8
    assert {e.weights["3"] for e in cast("list[WeightsSet]", finished.of(WeightsSet))} == {0}
    assert max(cast("list[WeightsSet]", finished.of(WeightsSet))[0].weights.values()) == 65535
    assert len(cast("list[Sampled]", finished.of(Sampled))) == 6


def test_phases_are_those_the_pacer_expects(finished: Rehearsal) -> None:
    reported = {(e.uid, e.round, e.name, e.until) for e in cast("list[Phase]", finished.of(Phase))}
    expected = {
        (seat.uid, round_, name, height)
        for seat in finished.seats
        for round_ in range(6)
        for height, name in due(seat.role, finished.manifest.heights(round_))
    }
    assert reported == expected


def test_a_latecomer_rebuilds_the_same_bits_from_the_records(finished: Rehearsal) -> None:
    late = Replica(
        finished.manifest, FixedRoster(tuple(finished.seats)), finished.net.chain("late"), finished.store
    )
    adopted = late.adopt(5)
    assert adopted is not None
    assert late.hash == closed(finished)[-1].theta_hash
    assert torch.equal(late.theta_P, finished.peers[0].replica.theta_P)
    halfway = Replica(
        finished.manifest, FixedRoster(tuple(finished.seats)), finished.net.chain("late"), finished.store
    )
    halfway.adopt(2)
    assert halfway.hash == closed(finished)[2].theta_hash
    halfway.adopt(5)
    assert halfway.hash == late.hash


def test_a_miner_that_comes_after_the_end_rebuilds_the_model_and_stops(finished: Rehearsal) -> None:
    net = MemoryNet()
    net.seal(finished.manifest.first_block)
    for hotkey, commitment in finished.net.commitments().items():
        net.chain(hotkey).commit(commitment.data)
    net.seal()  # the anchors of the last round stand on a chain that is long past it
    net.seal(100)
    late = replace(finished, net=net, peers={}).peer(finished.seats[0])
    late.run()
    assert late.replica.hash == closed(finished)[-1].theta_hash


def test_the_same_run_again_gives_the_same_bits(finished: Rehearsal) -> None:
    again = replace(
        finished, net=MemoryNet(), events=[], peers={}, store=type(finished)(
            finished.manifest, finished.seats, finished.corpus, finished.sign
        ).store, _phases=set(), _failures=[],
    )  # fmt: skip
    again.run()
    assert [e.theta_hash for e in closed(again)] == [e.theta_hash for e in closed(finished)]


def test_a_miner_alone_is_judged_after_every_round(finished: Rehearsal) -> None:
    events: list[BaselineEvaluated] = []
    Baseline(finished.manifest, events.append, corpus=finished.corpus).run()
    assert [e.round for e in events] == list(range(6))
    assert events[-1].val_loss < events[0].val_loss - 0.3
    again: list[BaselineEvaluated] = []
    Baseline(finished.manifest, again.append, chain=finished_chain(), corpus=finished.corpus).run()
    assert [e.val_loss for e in again] == [e.val_loss for e in events]


def finished_chain() -> MemoryChain:
    """A chain whose rounds are all open, so that keeping pace with it costs nothing."""
    net = MemoryNet()
    net.seal(100)
    return net.chain("nobody")


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_eight_miners_beat_one_alone_by_a_tenth_of_a_nat(library: Corpus) -> None:
    manifest = Manifest(
        run_id="full", netuid=1, model=TinyGPT("small"), task=of_model(TinyGPT("small")),
        data=library.manifest,
        strategy=SparseLoCo(), rounds=28,
        first_block=3,
    )  # fmt: skip
    run = Rehearsal(
        manifest,
        seats_for(*["miner"] * 7, "free_rider", "validator", "validator"),
        library,
        lambda seat: lambda message: bytes(keypair(seat.uid).sign(message)),
        roles={7: FreeRider},
        patience_s=600,
    )
    run.run()
    alone: list[BaselineEvaluated] = []
    Baseline(manifest, alone.append, corpus=library).run()
    together = closed(run)[-1].val_loss
    assert together <= 2.6
    assert together <= alone[-1].val_loss - 0.1
    let_in = {v.round for v in scored(run, 7) if v.verdict != "gated"}
    assert len(let_in) <= 2, f"noise helped by chance in rounds {sorted(let_in)}"
    assert {row.get(7, 0.0) for row in run.net.weights().values()} == {0.0}
    honest = [v.verdict for uid in range(7) for v in scored(run, uid)]
    assert honest.count("accepted") >= 0.99 * len(honest)


CHEATS: dict[str, set[str]] = {
    "sign_flip": {"gated"},
    "poison": {"gated"},
    "garble": {"malformed"},
    "late": {"late"},
    "withheld": {"no_reveal"},
}


@pytest.mark.parametrize("name", CHEATS)
def test_each_cheat_is_rejected_and_the_round_goes_on(rehearse: MakeRehearsal, name: str) -> None:
    cheat, verdicts = ATTACKERS[name].load(), CHEATS[name]
    run = rehearse("miner", "miner", "miner", "validator", roles={2: cheat}, optimizer=FAST, rounds=2)
    run.run()
    assert {v.verdict for v in scored(run, 2)} == verdicts
    assert {v.verdict for uid in (0, 1) for v in scored(run, uid)} == {"accepted"}
    assert [[uid for uid, _ in e.accepted] for e in closed(run)] == [[0, 1], [0, 1]]
    assert next(iter(run.net.weights().values()))[2] == 0


class Broken(Miner):
    def work(self, heights: RoundHeights) -> RoundWork:
        raise ValueError(f"out of order in round {heights.round}")


def test_a_peer_that_fails_ends_the_rehearsal_with_its_reason(rehearse: MakeRehearsal) -> None:
    run = rehearse("miner", "miner", "validator", roles={1: Broken}, rounds=2)
    with pytest.raises(TrainError, match="uid 1 failed: out of order in round 0"):
        run.run()


def test_a_copycat_waits_for_work_to_copy_and_gets_nothing_for_it(rehearse: MakeRehearsal) -> None:
    run = rehearse(
        "miner", "miner", "miner", "validator", roles={0: copies.Copycat}, optimizer=FAST, rounds=2
    )
    run.run()
    copied = [e.commitment for e in run.events if isinstance(e, Mined) and e.uid == 0]
    others = {e.commitment for e in run.events if isinstance(e, Mined) and e.uid != 0}
    assert len(copied) == 2
    assert set(copied) <= others
    assert {v.verdict for v in scored(run, 0)} <= {"no_reveal", "wrong_key", "bad_signature"}
    assert {v.verdict for uid in (1, 2) for v in scored(run, uid)} == {"accepted"}


def test_a_squatter_takes_no_name_that_matters(rehearse: MakeRehearsal) -> None:
    run = rehearse("miner", "miner", "validator", roles={1: delivery.Squatter}, optimizer=FAST, rounds=1)
    run.run()
    assert {v.verdict for uid in (0, 1) for v in scored(run, uid)} == {"accepted"}


@pytest.mark.parametrize(
    "strategy", [DDP(), DiLoCo(inner_steps=4, outer_lr=0.5, momentum=0.5)], ids=["ddp", "diloco"]
)
def test_other_strategies_live_the_same_round(rehearse: MakeRehearsal, strategy: DDP | DiLoCo) -> None:
    run = rehearse("miner", "miner", "free_rider", "validator", strategy=strategy, rounds=3, optimizer=FAST)
    run.run()
    assert len({peer.replica.hash for peer in run.peers.values()}) == 1
    assert closed(run)[-1].val_loss < closed(run)[0].val_loss
    late = Replica(run.manifest, FixedRoster(tuple(run.seats)), run.net.chain("late"), run.store)
    late.adopt(2)
    assert late.hash == closed(run)[-1].theta_hash


class Diverging(Miner):
    """Its inner steps overflow in the first round, and only there."""

    def learn(self, heights: RoundHeights) -> LocalUpdate:
        learned = super().learn(heights)
        if heights.round > 0:
            return learned
        self.replica.model.optimizer.mean_P.fill_(float("nan"))
        return LocalUpdate(learned.delta_P * float("nan"), [float("nan")])


@pytest.mark.parametrize("strategy", [SparseLoCo(inner_steps=4), DiLoCo(inner_steps=4)])
def test_an_update_that_is_not_finite_costs_its_miner_that_round_alone(
    rehearse: MakeRehearsal, strategy: Strategy
) -> None:
    run = rehearse(
        "miner", "miner", "miner", "validator", "validator", roles={1: Diverging}, strategy=strategy
    )
    run.run()
    verdicts = {(event.round, event.verdict) for event in scored(run, 1)}
    assert (0, "not_finite") in verdicts
    assert "not_finite" not in {verdict for round_, verdict in verdicts if round_ > 0}
    assert [uid for uid, _ in closed(run)[0].accepted] == [0, 2]
    assert all(math.isfinite(event.val_loss) for event in closed(run))


def test_a_model_that_is_no_longer_finite_ends_the_run_and_says_in_which_round(
    rehearse: MakeRehearsal,
) -> None:
    run = rehearse("miner", "validator", strategy=DDP(optimizer=AdamWConfig(lr=3e38, warmup=0.0)))
    with pytest.raises(TrainError, match=r"uid 1 failed: .* after round 1, .* the updates of uid 0"):
        run.run()
    assert run.of(RoundClosed) == []
