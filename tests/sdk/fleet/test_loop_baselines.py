"""The supervisor's loop beside baselines, which no round waits for."""

import threading
import time
from pathlib import Path

import pytest
from tests.sdk.fleet.stage import (
    LAST,
    MINER,
    VALIDATOR,
    PaidAt,
    Stage,
    is_up,
    raises,
)

from subnetlab.fleet.control import request
from subnetlab.fleet.supervisor.ending import Ending
from subnetlab.fleet.supervisor.loop import Supervisor
from subnetlab.fleet.thread_launcher import Work
from subnetlab.fleet.worker.life import Reporter
from subnetlab.network.chain import Block
from subnetlab.record.events import (
    BASELINE_UID,
    BaselineEvaluated,
    EpochPaid,
    PeerGone,
    Role,
    RoundLost,
    RunStatus,
)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def judged(name: str, *steps: int, of: int) -> Work:
    """A baseline that tells its loss after so many steps `of` all, then finishes."""

    def work(report: Reporter, _stop: threading.Event) -> None:
        is_up(SECOND_BASELINE, report)
        for step in steps:
            report(evaluated(name, step, of))

    return work


def evaluated(name: str, step: int, of: int) -> BaselineEvaluated:
    return BaselineEvaluated(round=0, val_loss=5.0, compute_s=0.1, baseline=name, step=step, steps=of)


SECOND_BASELINE = BASELINE_UID - 1


def test_nothing_waits_for_a_baseline_that_is_not_up(stage: Stage) -> None:
    """It comes up once the run is sealed to its end, is waited for then, and what it tells is recorded."""
    through = threading.Event()

    def work(report: Reporter, _stop: threading.Event) -> None:
        assert through.wait(300)
        judged("ddp", 1, 2, of=2)(report, _stop)

    stage.pay = PaidAt((LAST + 1,))
    paid = stage.pay.paid_by

    def paid_by(block: Block) -> list[EpochPaid]:
        found = paid(block)
        if found:
            through.set()
        return found

    stage.pay.paid_by = paid_by  # pyright: ignore[reportAttributeAccessIssue]
    ending = stage.play({1: MINER, 7: VALIDATOR, SECOND_BASELINE: ("alone", work)}, baseline="ddp")
    assert ending.status == "finished"
    assert [event.step for event in stage.events(BaselineEvaluated)] == [1, 2]


def test_a_run_that_is_stopped_while_only_baselines_train_has_finished(stage: Stage) -> None:
    def work(report: Reporter, stop: threading.Event) -> None:
        judged("ddp", 1, of=2)(report, stop)
        stop.wait()

    def stop(_supervisor: Supervisor) -> None:
        while not stage.events(RoundLost):
            time.sleep(0.005)
        request(stage.folder, "token", "stop", timeout_s=20)

    stage.pay = PaidAt((LAST + 1,))
    ending = stage.play(
        {1: MINER, 7: VALIDATOR, SECOND_BASELINE: ("alone", work)}, baseline="ddp", during=stop
    )
    assert ending == Ending(status=RunStatus.FINISHED, reason="")
    assert [event.step for event in stage.events(BaselineEvaluated)] == [1]
    assert max(stage.pay.asked) == LAST + 1, "the last round was paid before"


def test_a_baseline_that_hangs_is_ended_and_the_run_has_finished(stage: Stage) -> None:
    def work(report: Reporter, stop: threading.Event) -> None:
        judged("ddp", 1, of=2)(report, stop)
        stop.wait()

    peers: dict[int, tuple[Role, Work | None]] = {1: MINER, 7: VALIDATOR, SECOND_BASELINE: ("alone", work)}
    ending = stage.play(peers, baseline="ddp", phase_limit_s=0.2)
    assert ending.status == "finished"
    (gone,) = stage.events(PeerGone)
    assert (gone.uid, gone.reason) == (SECOND_BASELINE, "It did not come to its end.")


@pytest.mark.parametrize("cores", [1, 64])
def test_a_baseline_that_is_on_record_to_its_end_is_not_trained_again(stage: Stage, cores: float) -> None:
    stage.recorded = [evaluated("ddp", 2, 2)]
    peers: dict[int, tuple[Role, Work | None]] = {
        1: MINER,
        7: VALIDATOR,
        SECOND_BASELINE: ("alone", raises(OSError("no"))),
    }
    ending = stage.play(peers, baseline="ddp", cores=cores)
    assert ending.status == "finished"
    assert not stage.events(PeerGone)


@pytest.mark.parametrize(
    ("name", "cores", "later"),
    [("ddp", 2, True), ("ddp", 3, False), ("alone_3x", 2, True), ("alone", 2, False)],
)
def test_a_baseline_of_its_own_pace_comes_later_where_cores_are_fewer_than_processes(
    stage: Stage, name: str, cores: float, *, later: bool
) -> None:
    begun = threading.Event()

    def work(report: Reporter, stop: threading.Event) -> None:
        begun.set()
        judged(name, 1, 2, of=2)(report, stop)

    def mines(report: Reporter, stop: threading.Event) -> None:
        assert later or begun.wait(300)
        MINER[1](report, stop)
        assert begun.is_set() is not later

    peers: dict[int, tuple[Role, Work | None]] = {
        1: ("miner", mines),
        7: VALIDATOR,
        SECOND_BASELINE: ("alone", work),
    }
    assert stage.play(peers, baseline=name, cores=cores).status == "finished"
    assert not stage.events(PeerGone)
    assert [event.step for event in stage.events(BaselineEvaluated)] == [1, 2]


def test_a_later_baseline_that_cannot_be_started_fails_nothing(stage: Stage) -> None:
    ending = stage.play({1: MINER, 7: VALIDATOR, SECOND_BASELINE: ("alone", None)}, baseline="ddp", cores=1)
    assert ending.status == "finished"
    (gone,) = stage.events(PeerGone)
    assert gone.uid == SECOND_BASELINE
