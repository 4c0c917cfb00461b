"""How a run ends, from what exists when its training is over."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.sdk.fleet.stage import missed_round

from subnetlab.errors import FleetError, NodeUnreachable
from subnetlab.fleet.supervisor.ending import (
    WRITE_RESULT,
    Ending,
    nothing_delivered,
    pending_ending,
    with_model,
)
from subnetlab.fleet.supervisor.resume_state import ResumeState
from subnetlab.fleet.thread_launcher import ThreadLauncher
from subnetlab.record.events import RoundClosed, RoundLost, RunEnded, RunInterrupted, RunStatus, Scored
from subnetlab.record.reasons import IN_WORDS

FINISHED = Ending(status=RunStatus.FINISHED, reason="")
STOPPED = Ending(status=RunStatus.STOPPED, reason="Somebody asked it to stop.")
CLOSED = RoundClosed(
    round=0,
    lead=7,
    heights=[1, 2, 3, 4],
    accepted=[],
    aggregate_hash="",
    theta_hash="aa",
    val_loss=5.0,
    aggregate_s=0.1,
)


def writes(*_args: object) -> dict[str, Any]:
    return {"theta_hash": "aa", "folder": "result"}


def is_killed(*_args: object) -> dict[str, Any]:
    raise FleetError("write_result failed: Its process was killed by SIGKILL.", hint="")


def finds_no_chain(*_args: object) -> dict[str, Any]:
    raise NodeUnreachable("Nobody answers.")


def ended(ending: Ending, write: Callable[..., dict[str, Any]], *rounds: RoundClosed | RoundLost) -> Ending:
    resume = ResumeState()
    for event in rounds:
        resume.note(event)
    return with_model(ending, resume, ThreadLauncher({}, {WRITE_RESULT: write}), Path("run"))


@pytest.mark.parametrize("ending", [FINISHED, STOPPED])
def test_a_run_with_a_model_ends_as_it_came_to_its_end(ending: Ending) -> None:
    assert ended(ending, writes, CLOSED) == ending


@pytest.mark.parametrize("ending", [FINISHED, STOPPED])
@pytest.mark.parametrize("write", [is_killed, finds_no_chain])
def test_a_model_that_could_not_be_written_is_pending_for_the_next_supervisor(
    ending: Ending, write: Callable[..., dict[str, Any]]
) -> None:
    left = ended(ending, write, CLOSED)
    assert left.status == "interrupted"
    event = left.event(9, 1.0)
    assert isinstance(event, RunInterrupted)
    assert "SIGKILL" in event.reason or "Nobody answers" in event.reason
    resume = ResumeState()
    resume.note(event)
    assert pending_ending(resume) == ending


def test_a_run_that_was_left_in_the_middle_is_not_pending() -> None:
    resume = ResumeState()
    assert pending_ending(resume) is None
    resume.note(RunInterrupted(reason="The chain is gone.", block=9))
    assert pending_ending(resume) is None


def test_a_run_in_which_no_round_closed_is_not_finished() -> None:
    lost = [RoundLost(round=number, reason="Nothing was on chain.") for number in range(3)]
    ending = ended(FINISHED, writes, *lost)
    assert ending.status == "failed"
    assert ending.reason.startswith(
        "All 3 rounds were lost, so there is no model. Round 3: Nothing was on chain."
    )
    assert isinstance(ending.event(9, 1.0), RunEnded)


@pytest.mark.parametrize("cut", [False, True])
def test_the_weights_that_a_run_began_with_are_no_model_of_it(cut: bool) -> None:
    resume = ResumeState()
    for event in missed_round(1, 2):
        resume.note(event)
    if cut:  # in the last round nobody was judged
        resume.note(RoundLost(round=1, reason="Nothing was on chain."))
    assert resume.undelivered == (
        "None was there in time." if cut else f"Of uid 1 the validators say: {IN_WORDS['missing']}"
    )
    failed = nothing_delivered(resume.undelivered)
    launcher = ThreadLauncher({}, {WRITE_RESULT: is_killed})
    assert with_model(failed, resume, launcher, Path("run")) == failed


def test_one_update_that_was_there_makes_a_model_even_where_it_was_refused() -> None:
    resume = ResumeState()
    missed, close = missed_round(1)
    assert isinstance(missed, Scored)
    for event in (missed, replace(missed, uid=2, verdict="gated"), close):
        resume.note(event)
    assert resume.undelivered == ""


def test_a_replay_that_leads_elsewhere_fails_the_run() -> None:
    ending = ended(FINISHED, lambda *_: {"theta_hash": "bb"}, CLOSED)
    assert ending.status == "failed"
