"""Where a run is according to its record: what the next supervisor of an unfinished run goes on from.

A projection of `record.view.RunView`: the rules of when a round is over or a run is interrupted are there.
"""

from pathlib import Path

from subnetlab.record.events import (
    BaselineEvaluated,
    BlockSealed,
    Event,
    RoundClosed,
    RoundLost,
    RunInterrupted,
    RunStarted,
)
from subnetlab.record.reader import Tail
from subnetlab.record.verdicts import last_missed
from subnetlab.record.view import RunView


class ResumeState:
    """The part of a run that is recorded; empty for a new one."""

    def __init__(self) -> None:
        self._view = RunView(recent=1)
        self._over_below = 0
        """Every round below this one is over."""

    @property
    def started(self) -> RunStarted | None:
        """How the run was started."""
        return self._view.started

    @property
    def trains(self) -> bool:
        """Whether the run trains a model, which is written at its end."""
        return self._view.trains

    @property
    def ended(self) -> bool:
        """Whether the run has ended for good."""
        return self._view.ended is not None

    @property
    def interrupted(self) -> RunInterrupted | None:
        """Why the last supervisor left the run; None once the next one has gone on."""
        return self._view.interrupted

    @property
    def last_closed(self) -> RoundClosed | None:
        """The newest round that closed."""
        return self._view.last_closed

    @property
    def lost(self) -> dict[int, str]:
        """Rounds that left nothing on chain, and why."""
        return self._view.lost

    @property
    def undelivered(self) -> str:
        """Why no miner's update was there in any round that closed; empty where one was, or none closed."""
        return last_missed(self._view.miners) if self._view.undelivered else ""

    @property
    def last_epoch(self) -> int | None:
        """Block of the last epoch whose pay is recorded."""
        last = self._view.pay.last
        return last.block if last else None

    @property
    def last_block(self) -> BlockSealed | None:
        """The highest block on record: the chain that goes on must hold it."""
        return self._view.last_sealed

    def has(self, event: Event) -> bool:
        """Whether the record already holds what became of this event's round, or this evaluation.

        A reference miner that is started again trains again from its beginning, and two validators may both
        take themselves for a round's lead: the record keeps what came first.
        """
        if isinstance(event, BaselineEvaluated):
            return self._view.evaluated(event)
        return isinstance(event, RoundClosed | RoundLost) and event.round in self._view.over

    def measured(self, baseline: str) -> bool:
        """Whether the record holds a baseline to its last step."""
        curve = self._view.baselines.get(baseline)
        return curve is not None and curve.final is not None

    def note(self, event: Event) -> None:
        """Take in an event that the record holds now."""
        self._view.add(event)

    def unreported(self, before: int) -> list[int]:
        """The rounds below `before` of which the record does not yet say what became of them."""
        over = self._view.over
        while self._over_below in over:
            self._over_below += 1
        return [number for number in range(self._over_below, before) if number not in over]


def read_resume_state(record: Path) -> ResumeState:
    """Read a record, which may not exist yet.

    Raises:
        RecordCorrupt: it is there and was changed.
    """
    state = ResumeState()
    for entry in Tail(record).entries():
        if entry.event is not None and not state.has(entry.event):
            state.note(entry.event)
    return state
