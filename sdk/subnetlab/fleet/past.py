"""What the record already says when a supervisor takes up a run that an earlier one left unfinished."""

from pathlib import Path

from subnetlab.record.events import AloneEvaluated, BlockSealed, Event, RoundClosed, RoundLost, RunStarted
from subnetlab.record.reader import Tail
from subnetlab.record.view import RunView


class Past:
    """The part of a run that is recorded, as a projection of its view; empty for a new one."""

    def __init__(self) -> None:
        self._view = RunView(recent=1)

    @property
    def started(self) -> RunStarted | None:
        """How the run was started."""
        return self._view.started

    @property
    def ended(self) -> bool:
        """Whether the run has ended for good."""
        return self._view.ended is not None

    @property
    def last_closed(self) -> RoundClosed | None:
        """The newest round that closed."""
        return self._view.last_closed

    @property
    def last_epoch(self) -> int | None:
        """Block of the last epoch whose pay is recorded."""
        last = self._view.pay.last
        return last.block if last else None

    @property
    def last_block(self) -> BlockSealed | None:
        """The highest block on record: the chain that goes on must hold it."""
        return self._view.last_sealed

    def is_news(self, event: Event) -> bool:
        """Note an event; False for a round or an evaluation that the record holds already.

        A reference miner that is started again trains again from its beginning, and two validators may both
        take themselves for a round's lead: the record keeps what came first.
        """
        if isinstance(event, AloneEvaluated) and event.round in self._view.baseline_loss:
            return False
        if isinstance(event, RoundClosed | RoundLost) and event.round in self._view.over:
            return False
        self._view.add(event)
        return True

    def open(self, before: int) -> list[int]:
        """The rounds below `before` of which the record does not yet say what became of them."""
        over = self._view.over
        return [number for number in range(before) if number not in over]


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
