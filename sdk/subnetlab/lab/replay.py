"""Open a recorded run from one file: nothing is trained, no node is asked, no code of its author runs.

The file may come from a stranger. `unpack` limits what it may hold before anything is written; then the
record is proved from its first line to its last, and every event must have the types that `record.events`
says. The chain of hashes shows changes, not authorship: whoever writes a whole record can make one up.
"""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from subnetlab.errors import RecordError, RunError, RunFileInvalid, RunNotFinished
from subnetlab.fleet.facts import MANIFEST_FILE
from subnetlab.lab.fitting import fits
from subnetlab.lab.run import Run
from subnetlab.lab.unpack import unpack
from subnetlab.record.events import EpochPaid, Event, RunStarted, RunStatus
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import read, verify
from subnetlab.record.view import RunView
from subnetlab.report.format import counted
from subnetlab.report.verdict import verdict

if TYPE_CHECKING:
    from torch import nn

_NAME: Final = re.compile(r"[\w.-]{1,100}")
_MALFORMED: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What folding a record can raise where its numbers contradict one another."""


class Recording(Run):
    """A run out of a file: all that can be asked of a run, nothing that could still happen to it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        started = self.view.started
        if started is None:
            raise RunFileInvalid("The record does not say how the run was started.")
        self.id = started.run_id
        self._netuid = started.netuid

    @property
    def netuid(self) -> int:
        """The subnet it took place on."""
        return self._netuid

    @property
    def endpoint(self) -> str:
        """A recording has none.

        Raises:
            RunError: always.
        """
        raise RunError("This is a recording; its chain is not here.", hint="sl.connect() starts one.")

    @property
    def headline(self) -> str:
        """How far the run came, as one sentence."""
        if self.status is RunStatus.INTERRUPTED:
            return f"The recording breaks off after {counted(self.round, 'round')}."
        return super().headline

    def wait(self, timeout: float | None = None) -> "Recording":  # noqa: ARG002  (a run's signature)
        """Nothing more will come, so this returns at once."""
        return self

    def stop(self, timeout: float = 0.0) -> None:
        """Nothing runs that could be stopped."""

    def result(self, timeout: float | None = None) -> "nn.Module":  # noqa: ARG002  (a run's signature)
        """The trained model, proved by its hash on record.

        Raises:
            RunNotFinished: no round closed, or the file holds no model.
            ModelNotBuildable: the model is its author's own code, which is not run.
            RunFileInvalid: the model is not the one on record.
        """
        from subnetlab.lab.result import load_recorded  # noqa: PLC0415  (torch is loaded when a model is wanted)

        closed = self.view.last_closed
        if closed is None:
            raise RunNotFinished(f"Run {self.id} left no model.", hint="It ended before a round closed.")
        return load_recorded(self.folder, closed.theta_hash)


def open(path: str | Path) -> Recording:  # noqa: A001  (`sl.open` is what people say)
    """Open a recorded run that `run.save("run.zip")` wrote: to look at, replay and question, not to go on.

    Raises:
        RunFileInvalid: there is no such file, it is no recorded run, or it was changed.
    """
    return Recording(unpack(Path(path), check=_check))


def _check(folder: Path) -> None:
    """Prove what was unpacked before it gets its name."""
    try:
        _prove(folder)
    except (RecordError, *_MALFORMED) as error:
        raise RunFileInvalid(
            f"The file holds no run that can be shown: {str(error).removesuffix('.')}."
        ) from error


def _prove(folder: Path) -> None:
    if type(json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))) is not dict:
        raise ValueError("its manifest is no JSON object.")
    record = folder / FILE_NAME
    torn = verify(record).torn_bytes
    if torn:
        raise ValueError(f"its record ends in {torn} bytes that are no line.")
    view, lines = RunView(), 0
    for entry in read(record):
        event = entry.event
        if (entry.seq == 0) != isinstance(event, RunStarted):
            raise ValueError("its record does not begin, once, with the start of a run.")
        lines += 1
        _check_event(event)
        view.add(event)
    if not lines:
        raise ValueError("its record is empty.")
    _ = str(verdict(view))


def _check_event(event: Event | None) -> None:
    if event is None:
        return  # of a newer version
    unfit = fits(event)
    if unfit:
        raise ValueError(f"{event.kind} says something impossible as its {unfit}.")
    if isinstance(event, RunStarted):
        if not _NAME.fullmatch(event.run_id):
            raise ValueError("its run has a name that no run has.")
        steps = (event.manifest.get("strategy") or {}).get("inner_steps") or 1
        if int(steps) < 1 or int(event.manifest.get("rounds") or 0) < 0:
            raise ValueError("it plans less than nothing.")
        for seat in event.seats:
            if type(seat["uid"]) is not int or not isinstance(seat["hotkey"], str):
                raise ValueError("a seat has no uid or no hotkey.")
            _ = seat["role"]
    if isinstance(event, EpochPaid):
        columns = [value for name in EpochPaid.__slots__ if isinstance(value := getattr(event, name), list)]
        if len({len(column) for column in columns}) != 1:
            raise ValueError("an epoch's columns differ in length.")
