"""Where a run is according to its record: what the next supervisor of an unfinished run goes on from."""

from dataclasses import dataclass, field
from pathlib import Path

from subnetlab.record.events import (
    AloneEvaluated,
    BlockSealed,
    EpochPaid,
    Event,
    RoundClosed,
    RoundLost,
    RunEnded,
    RunInterrupted,
    RunStarted,
)
from subnetlab.record.reader import Tail


@dataclass(slots=True, kw_only=True)
class ResumeState:
    """The part of a run that is recorded; empty for a new one."""

    started: RunStarted | None = None
    ended: bool = False
    interrupted: RunInterrupted | None = None
    """Why the last supervisor left the run; None once the next one has gone on."""
    last_closed: RoundClosed | None = None
    """The newest round that closed."""
    lost: dict[int, str] = field(default_factory=dict[int, str])
    """Rounds that left nothing on chain, and why."""
    last_epoch: int | None = None
    """Block of the last epoch whose pay is recorded."""
    last_block: BlockSealed | None = None
    """The highest block on record: the chain that goes on must hold it."""
    _over: set[int] = field(default_factory=set[int])
    _alone: set[int] = field(default_factory=set[int])

    def has(self, event: Event) -> bool:
        """Whether the record already holds what became of this event's round, or this evaluation.

        A reference miner that is started again trains again from its beginning, and two validators may both
        take themselves for a round's lead: the record keeps what came first.
        """
        if isinstance(event, AloneEvaluated):
            return event.round in self._alone
        return isinstance(event, RoundClosed | RoundLost) and event.round in self._over

    def note(self, event: Event) -> None:
        """Take in an event that the record holds now."""
        match event:
            case RunStarted():
                self.started = event
            case RunEnded():
                self.ended = True
            case RunInterrupted():
                self.interrupted = event
            case EpochPaid():
                self.last_epoch = event.block
            case BlockSealed():
                self.last_block, self.interrupted = event, None
            case AloneEvaluated():
                self._alone.add(event.round)
            case RoundLost():
                self._over.add(event.round)
                self.lost[event.round] = event.reason
            case RoundClosed():
                self._over.add(event.round)
                if self.last_closed is None or self.last_closed.round < event.round:
                    self.last_closed = event
            case _:
                pass

    def unreported(self, before: int) -> list[int]:
        """The rounds below `before` of which the record does not yet say what became of them."""
        return [number for number in range(before) if number not in self._over]


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
