"""What a supervisor appends to its run's record, and what the record holds so far.

Every round is on record once, closed or lost. What no peer reported is found out from chain and store.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from subnetlab.errors import FleetError
from subnetlab.fleet.launcher import Launcher
from subnetlab.fleet.supervisor.resume_state import ResumeState
from subnetlab.record.events import Event, from_json
from subnetlab.record.writer import RecordWriter

log = logging.getLogger(__name__)

RECONCILE_ROUNDS: Final = "subnetlab.fleet.worker.reconcile:reconcile_rounds"


class Recorder:
    """A record that grows.

    Args:
        run_folder: of the run.
        record: where events go; opened and closed by the caller.
        resume: what the record holds so far; kept up to date here.
        launcher: calls what finds out about a round.
    """

    def __init__(
        self, run_folder: Path, record: RecordWriter, resume: ResumeState, launcher: Launcher
    ) -> None:
        self.run_folder, self._record, self._launcher = run_folder, record, launcher
        self.resume = resume
        self._asked: set[int] = set()

    def append(self, events: Sequence[Event], *, durable: bool = False) -> None:
        """Append events; `durable` as in `RecordWriter.append`."""
        for event in events:
            self._record.append(event, durable=durable)
            self.resume.note(event)

    def append_if_new(self, event: Event) -> None:
        """Append an event, unless the record holds already what it says of its round."""
        if not self.resume.has(event):
            self.append([event])

    def reconcile(self, before: int, *, again: bool = False) -> str:
        """Have it found out what became of the rounds below `before` that no peer reported: closed, or lost.

        Args:
            before: the first round that may still be reported.
            again: ask also for rounds that could not be found out earlier.

        Returns:
            Why that cannot be said yet; empty where the record holds every round, or nothing new was asked.

        Raises:
            NodeUnreachable: the node does not answer.
        """
        if again:
            self._asked.clear()
        unreported = [number for number in self.resume.unreported(before) if number not in self._asked]
        if not unreported:
            return ""
        self._asked.update(unreported)
        try:
            found = self._launcher.call(RECONCILE_ROUNDS, str(self.run_folder), unreported)
        except FleetError as error:
            log.warning("What became of round %d cannot be said yet: %s", unreported[0], error)
            return str(error)
        for data in found["events"]:
            if (event := from_json(data)) is not None:
                self.append_if_new(event)
        return ""
