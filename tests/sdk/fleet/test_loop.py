"""The supervisor's loop with real record and socket, over a chain in memory and peers in threads."""

import threading
import time
from pathlib import Path

import pytest
from tests.sdk.fleet.stage import (
    ALL,
    LAST,
    MINER,
    VALIDATOR,
    MemoryClock,
    PaidAt,
    Stage,
    hangs,
    is_up,
    missed_round,
    raises,
    sleeps,
    trains_twice,
    works_hard,
)

from subnetlab.errors import FleetStartFailed, NodeUnreachable
from subnetlab.fleet.chain_clock import WatchedClock
from subnetlab.fleet.control import request
from subnetlab.fleet.supervisor.ending import Ending
from subnetlab.fleet.supervisor.loop import Supervisor
from subnetlab.fleet.thread_launcher import Work
from subnetlab.fleet.worker.life import Reporter
from subnetlab.record.events import (
    BASELINE_UID,
    BaselineEvaluated,
    BlockSealed,
    EpochPaid,
    PeerGone,
    PeerReady,
    RoundLost,
    RunStatus,
)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_a_run_is_sealed_to_its_last_block_and_an_epoch_beyond(stage: Stage) -> None:
    stage.pay = PaidAt((5, 10, 15))
    ending = stage.play({1: MINER, 7: VALIDATOR})
    assert ending == Ending(status=RunStatus.FINISHED, reason="")
    assert [event.number for event in stage.events(BlockSealed)] == list(range(1, 11))
    assert [event.round for event in stage.events(BlockSealed)][:4] == [-1, -1, 0, 0]
    assert [event.block for event in stage.events(EpochPaid)] == [5, 10]
    assert not stage.events(PeerGone)


def test_a_chain_that_never_pays_is_not_waited_for_forever(stage: Stage) -> None:
    ending = stage.play({1: MINER, 7: VALIDATOR})
    assert ending.status == "finished"
    assert LAST < max(stage.pay.asked) < 100


@pytest.mark.parametrize(("work", "limit_s"), [(sleeps, 0.5), (works_hard, 99.0)])
def test_a_peer_that_never_comes_up_is_given_up_and_the_others_go_on(
    stage: Stage, work: Work, limit_s: float
) -> None:
    ending = stage.play({1: MINER, 2: ("miner", work), 7: VALIDATOR}, start_limit_s=limit_s)
    assert ending.status == "finished"
    (gone,) = stage.events(PeerGone)
    assert gone.uid == 2
    assert gone.reason.startswith(f"It was not up within {limit_s:g} s of work. LocalFleet(start_limit_s=")
    assert {event.uid for event in stage.events(PeerReady)} == {1, 7}


def test_a_hung_peer_costs_its_limit_and_is_ended_with_the_run(stage: Stage) -> None:
    ending = stage.play({1: MINER, 2: ("miner", hangs(2, 4)), 7: VALIDATOR}, phase_limit_s=0.2)
    assert ending.status == "finished"
    (gone,) = stage.events(PeerGone)
    assert (gone.uid, gone.reason) == (2, "It did not come to its end.")
    assert max(event.number for event in stage.events(BlockSealed)) >= LAST


def test_a_run_whose_miners_all_hang_has_failed_by_the_limit_that_they_missed(stage: Stage) -> None:
    stage.recorded = missed_round(1)
    ending = stage.play({1: ("miner", hangs(1)), 7: VALIDATOR}, phase_limit_s=0.2)
    assert ending.status == "failed"
    assert ending.reason == (
        "No miner delivered an update in any round, so nothing was learned and there is no model. "
        "The miner 1 reported nothing within 0.2 s; LocalFleet(phase_limit_s=…) sets this limit."
    )


@pytest.mark.parametrize(
    ("work", "says"),
    [
        (hangs(2, 4), "The miner 2 reported nothing within 0.2 s; LocalFleet(phase_limit_s="),
        (raises(ValueError("No data.")), "The miner 2 is gone. ValueError: No data."),
    ],
)
def test_a_deterministic_run_does_not_go_on_without_a_peer(stage: Stage, work: Work, says: str) -> None:
    peers = {1: MINER, 2: ("miner", work), 7: VALIDATOR}
    ending = stage.play(peers, deterministic=True, phase_limit_s=0.2)
    assert ending.status == "failed"
    assert ending.reason.startswith(says)
    assert ending.reason.endswith("which takes every peer in every round.")
    assert max((event.number for event in stage.events(BlockSealed)), default=0) < LAST


def test_peers_that_were_started_are_ended_where_another_cannot_be(stage: Stage) -> None:
    stopped = threading.Event()

    def waits(_report: Reporter, stop: threading.Event) -> None:
        stop.wait()
        stopped.set()

    with pytest.raises(FleetStartFailed, match="no work for the validator 7"):
        stage.play({1: ("miner", waits), 7: ("validator", None)})
    assert stopped.is_set()


def test_a_run_whose_miners_all_fail_is_over(stage: Stage) -> None:
    broken = raises(ValueError("The model is no model."))
    ending = stage.play({1: ("miner", broken), 7: ("validator", hangs(7, *ALL))})
    assert ending.status == "failed"
    assert ending.reason == "Every miner is gone. ValueError: The model is no model."


def test_a_run_ends_by_the_first_failure_and_not_by_those_that_followed(stage: Stage) -> None:
    first_left = threading.Event()

    def fails(report: Reporter, _stop: threading.Event) -> None:
        is_up(9, report)
        raise ValueError("The loss is no number after round 0.")

    def follows(report: Reporter, _stop: threading.Event) -> None:
        is_up(7, report)
        first_left.wait()
        raise ValueError("The loss is no number before round 1.")

    def watches(supervisor: Supervisor) -> None:
        while "gone" not in {peer["state"] for peer in supervisor.status()["peers"]}:
            time.sleep(0.01)
        first_left.set()

    peers = {1: ("miner", hangs(1, *ALL)), 9: ("validator", fails), 7: ("validator", follows)}
    ending = stage.play(peers, during=watches)
    assert ending.status == "failed"
    assert ending.reason == "Every validator is gone. ValueError: The loss is no number after round 0."


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (sleeps, "It was not up within 0.5 s of work. LocalFleet(start_limit_s=…) sets this limit."),
        (raises(NodeUnreachable("Nobody answers.")), "Nobody answers."),
    ],
)
def test_a_run_whose_miners_were_taken_away_can_go_on(stage: Stage, work: Work, why: str) -> None:
    ending = stage.play({1: ("miner", work), 7: ("validator", hangs(7, *ALL))}, start_limit_s=0.5)
    assert ending.status == "interrupted"
    assert ending.reason == f"Every miner is gone. {why}"


def test_a_peer_whose_seat_was_sold_is_ended_and_the_others_go_on(stage: Stage) -> None:
    stage.pay = PaidAt((2, 10), reassigned={"2": "5New"})
    ending = stage.play({1: MINER, 2: ("miner", hangs(2, *ALL)), 7: VALIDATOR})
    assert ending.status == "finished"
    (gone,) = stage.events(PeerGone)
    assert gone.uid == 2
    assert gone.reason == "It lost its seat: by block 2 uid 2 was sold to 5New."


def test_a_run_whose_only_miner_lost_its_seat_has_failed(stage: Stage) -> None:
    stage.pay = PaidAt((2,), reassigned={"1": "5New"})
    ending = stage.play({1: ("miner", hangs(1, *ALL)), 7: ("validator", hangs(7, *ALL))})
    assert ending.status == "failed"
    assert "sold to 5New" in ending.reason


def test_a_round_that_nobody_reports_is_accounted_for_once(stage: Stage) -> None:
    ending = stage.play({1: MINER, 7: VALIDATOR})
    assert ending.status == "finished"
    assert stage.reconciled == [[0]]
    assert [event.round for event in stage.events(RoundLost)] == [0]


def test_a_round_that_cannot_be_accounted_for_interrupts_the_run(stage: Stage) -> None:
    stage.refusal = "reconcile_rounds failed: Its process was killed by SIGKILL."
    ending = stage.play({1: MINER, 7: VALIDATOR})
    assert ending.status == "interrupted"
    assert "SIGKILL" in ending.reason
    assert not stage.events(RoundLost)


def test_a_node_that_stays_silent_interrupts_the_run(stage: Stage) -> None:
    ending = stage.play(
        {1: ("miner", hangs(1, *ALL)), 7: ("validator", hangs(7, *ALL))},
        clock=MemoryClock(stage.net, breaks_after=4),
        node_limit_s=0.3,
    )
    assert ending == Ending(status=RunStatus.INTERRUPTED, reason="The chain is gone: Nothing answers.")
    assert [event.number for event in stage.events(BlockSealed)] == [1, 2, 3, 4]


def test_a_run_can_be_stopped_while_it_waits(stage: Stage) -> None:
    def stop(_supervisor: Supervisor) -> None:
        assert request(stage.folder, "token", "status", timeout_s=20)["run_id"] == "staged"
        assert request(stage.folder, "token", "stop", timeout_s=20)["ok"] is True

    ending = stage.play({1: ("miner", hangs(1)), 7: ("validator", hangs(7))}, during=stop)
    assert ending == Ending(status=RunStatus.STOPPED, reason="Somebody asked it to stop.")


def test_the_reference_miner_is_recorded_once_per_round_and_waited_for_at_the_end(stage: Stage) -> None:
    ending = stage.play({1: MINER, 7: VALIDATOR, BASELINE_UID: ("alone", trains_twice)})
    assert ending.status == "finished"
    assert len(stage.events(BaselineEvaluated)) == 1


def test_on_a_chain_of_others_blocks_are_only_watched(stage: Stage) -> None:
    def mine(_supervisor: Supervisor) -> None:
        for _ in range(LAST):
            stage.net.seal()
            head = stage.net.chain("5Any").wait_for(0, 1.0).number
            deadline = time.monotonic() + 20
            while head not in stage.pay.asked and time.monotonic() < deadline:
                time.sleep(0.005)

    ending = stage.play(
        {1: MINER, 7: VALIDATOR},
        clock=WatchedClock(stage.net.chain("5Any")),
        during=mine,
    )
    stage.net.close()
    assert ending.status == "finished"
    sealed = stage.events(BlockSealed)
    assert [event.number for event in sealed] == list(range(1, LAST + 1))
    assert {event.chain_s for event in sealed} == {0.0}
