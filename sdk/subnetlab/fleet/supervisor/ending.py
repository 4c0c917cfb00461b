"""How a run ends, derived from what exists: no run is finished without a model."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from subnetlab.errors import FleetError, NodeUnreachable
from subnetlab.fleet.launcher import Launcher
from subnetlab.fleet.supervisor.resume_state import ResumeState
from subnetlab.record.events import Event, RunEnded, RunInterrupted, RunStatus

log = logging.getLogger(__name__)

WRITE_RESULT: Final = "subnetlab.fleet.worker.result:write_result"
_Final: TypeAlias = Literal["finished", "stopped", "failed", "diverged"]
_FINAL: Final[dict[RunStatus, _Final]] = {
    RunStatus.FINISHED: "finished",
    RunStatus.STOPPED: "stopped",
    RunStatus.FAILED: "failed",
    RunStatus.DIVERGED: "diverged",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ends, or why its supervisor leaves it: after `interrupted` the next supervisor goes on."""

    status: RunStatus
    reason: str
    pending: "Ending | None" = None
    """Of an interrupted run whose training is over: how it ends once its model is written."""

    def event(self, block: int, wall_s: float, energy_j: float | None = None) -> Event:
        """What the record's last line says."""
        if self.status in _FINAL:
            return RunEnded(
                status=_FINAL[self.status],
                reason=self.reason,
                block=block,
                wall_s=wall_s,
                energy_j=energy_j,
            )
        pending = self.pending
        return RunInterrupted(
            reason=self.reason,
            block=block,
            pending=_FINAL[pending.status] if pending else "",
            pending_reason=pending.reason if pending else "",
        )


def nothing_delivered(why: str) -> Ending:
    """How a run ends in which no miner delivered an update; `why` is a sentence."""
    what = "No miner delivered an update in any round, so nothing was learned and there is no model."
    return Ending(status=RunStatus.FAILED, reason=f"{what} {why}")


def chain_gone(error: NodeUnreachable, pending: Ending | None = None) -> Ending:
    """A run that its chain left: nothing that is sealed is lost."""
    reason = f"The chain is gone: {error.args[0]}"
    return Ending(status=RunStatus.INTERRUPTED, reason=reason, pending=pending)


def pending_ending(resume: ResumeState) -> Ending | None:
    """How the run ends once its model is written, where an earlier supervisor left only that."""
    left = resume.interrupted
    if left is None or not left.pending:
        return None
    return Ending(status=RunStatus(left.pending), reason=left.pending_reason)


def with_model(ending: Ending, resume: ResumeState, launcher: Launcher, run_folder: Path) -> Ending:
    """Have the model of the last closed round written, and say how the run ends with or without it.

    Where the model cannot be written, the run is interrupted: attaching writes it again.
    """
    # The weights that a run began with are no result of it.
    nothing = ending.status is RunStatus.FAILED and resume.undelivered
    if ending.status is RunStatus.INTERRUPTED or nothing:
        return ending
    closed = resume.last_closed
    if closed is None or not resume.trains:
        return ending if closed is not None else _without_a_round(ending, resume)
    try:
        made = launcher.call(WRITE_RESULT, str(run_folder), closed.round, closed.val_loss)
    except NodeUnreachable as error:
        return chain_gone(error, pending=ending)
    except FleetError as error:
        log.exception("The model could not be written.")
        reason = f"The model could not be written, and attaching writes it again: {error}"
        return Ending(status=RunStatus.INTERRUPTED, reason=reason, pending=ending)
    if made["theta_hash"] != closed.theta_hash:
        reason = "The replayed model is not the one the lead reported."
        return Ending(status=RunStatus.FAILED, reason=reason)
    return ending


def _without_a_round(ending: Ending, resume: ResumeState) -> Ending:
    if ending.status is not RunStatus.FINISHED:
        return ending
    lost = resume.lost
    reason = f"All {len(lost)} rounds were lost, so there is no model."
    if lost:
        reason += f" Round {max(lost) + 1}: {lost[max(lost)]}"
    hint = "If peers were too slow, LocalFleet(phase_limit_s=…) gives them more time."
    return Ending(status=RunStatus.FAILED, reason=f"{reason} {hint}")
