"""What the record already says when a supervisor takes up a run that an earlier one left unfinished."""

from dataclasses import dataclass, field
from pathlib import Path

from subnetlab.record.events import AloneEvaluated, EpochPaid, Event, RoundClosed, RunEnded, RunStarted
from subnetlab.record.reader import Tail


@dataclass(slots=True, kw_only=True)
class Past:
    """The part of a run that is recorded; empty for a new one."""

    started: RunStarted | None = None
    ended: bool = False
    last_closed: RoundClosed | None = None
    last_epoch: int | None = None
    """Block of the last epoch whose pay is recorded."""
    _closed: set[int] = field(default_factory=set[int])
    _alone: set[int] = field(default_factory=set[int])

    def is_news(self, event: Event) -> bool:
        """Note an event; False for a round or an evaluation that the record holds already.

        A reference miner that is started again trains again from its beginning, and two validators may both
        take themselves for a round's lead: the record keeps what came first.
        """
        if isinstance(event, AloneEvaluated):
            known, value = self._alone, event.round
        elif isinstance(event, RoundClosed):
            known, value = self._closed, event.round
            self.last_closed = self.last_closed if value in known else event
        else:
            self._note(event)
            return True
        news = value not in known
        known.add(value)
        return news

    def _note(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.started = event
        elif isinstance(event, RunEnded):
            self.ended = True
        elif isinstance(event, EpochPaid):
            self.last_epoch = event.block


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
