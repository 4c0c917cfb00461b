"""What the record already says when a supervisor takes up a run that an earlier one left unfinished."""

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
    RunStarted,
)
from subnetlab.record.reader import Tail


@dataclass(slots=True, kw_only=True)
class Past:
    """The part of a run that is recorded; empty for a new one."""

    started: RunStarted | None = None
    ended: bool = False
    last_closed: RoundClosed | None = None
    """The newest round that closed."""
    last_epoch: int | None = None
    """Block of the last epoch whose pay is recorded."""
    last_block: BlockSealed | None = None
    """The highest block on record: the chain that goes on must hold it."""
    _over: set[int] = field(default_factory=set[int])
    _alone: set[int] = field(default_factory=set[int])

    def is_news(self, event: Event) -> bool:
        """Note an event; False for a round or an evaluation that the record holds already.

        A reference miner that is started again trains again from its beginning, and two validators may both
        take themselves for a round's lead: the record keeps what came first.
        """
        if isinstance(event, AloneEvaluated):
            return _new(event.round, self._alone)
        if isinstance(event, RoundClosed | RoundLost):
            news = _new(event.round, self._over)
            newest = self.last_closed is None or self.last_closed.round < event.round
            if news and newest and isinstance(event, RoundClosed):
                self.last_closed = event
            return news
        self._note(event)
        return True

    def open(self, before: int) -> list[int]:
        """The rounds below `before` of which the record does not yet say what became of them."""
        return [number for number in range(before) if number not in self._over]

    def _note(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.started = event
        elif isinstance(event, RunEnded):
            self.ended = True
        elif isinstance(event, EpochPaid):
            self.last_epoch = event.block
        elif isinstance(event, BlockSealed):
            self.last_block = event


def _new(number: int, known: set[int]) -> bool:
    news = number not in known
    known.add(number)
    return news


def read_past(record: Path) -> Past:
    """Read a record, which may not exist yet.

    Raises:
        RecordCorrupt: it is there and was changed.
    """
    past = Past()
    for entry in Tail(record).entries():
        if entry.event is not None:
            past.is_news(entry.event)
    return past
