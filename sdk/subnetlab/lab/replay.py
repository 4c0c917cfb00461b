"""Open a recorded run from one file: nothing is trained, no node is asked, no code of its author runs.

The file may come from a stranger. `archive.load` limits what it may hold before anything is written; then the
record is proved from its first line to its last, and every event must have the types that `record.events`
says. The chain of hashes shows changes, not authorship: a writer of the whole record can make one up.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from polars.exceptions import PolarsError

from subnetlab.archive.load import load
from subnetlab.archive.save import NO_MODEL
from subnetlab.archive.validate import validate_event
from subnetlab.errors import RecordError, RunError, RunFileInvalid, RunNotFinished
from subnetlab.fleet.run_folder import MANIFEST_FILE
from subnetlab.frames.read import frames
from subnetlab.lab import arguments
from subnetlab.lab.run import Run
from subnetlab.lab.running import STOP_LIMIT_S
from subnetlab.record.events import RunStarted, RunStatus
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import read, verify
from subnetlab.record.view import RunView
from subnetlab.report.format import counted
from subnetlab.report.verdict import verdict
from subnetlab.signatures import known_arguments
from subnetlab.waiting import waiting

if TYPE_CHECKING:
    from torch import Tensor, nn

_MALFORMED: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What folding a record can raise where its numbers contradict one another."""


class Recording(Run):
    """A run out of a file: all that can be asked of a run, nothing that could still happen to it."""

    own = False

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

    def wait(self, timeout: float | None = None, *, progress: bool | None = None) -> "Recording":  # noqa: ARG002  (a run's)
        """Nothing more will come, so this returns at once."""
        return self

    def stop(self, timeout: float = STOP_LIMIT_S) -> None:
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
        if closed is None or not closed.theta_hash:
            raise RunNotFinished(f"Run {self.id} left no model.", hint=NO_MODEL)
        return load_recorded(self.folder, closed.theta_hash)

    def state_dict(self, round: int | None = None) -> "dict[str, Tensor]":  # noqa: A002  (a run's signature)
        """The model's parameters and buffers at the end of the run; a recording holds no earlier ones.

        Raises:
            RunNotFinished: no round closed, an earlier round was asked for, or the file holds no model.
        """
        last = max(self.view.closed, default=0)
        if round not in (None, last + 1):
            raise RunNotFinished(
                f"The recording of run {self.id} holds the model after round {last + 1} alone.", hint=""
            )
        return dict(self.result().state_dict())


@known_arguments("sl.open")
def open(path: str | Path) -> Recording:  # noqa: A001  (`sl.open` is what people say)
    """Open a recorded run that `run.save("run.zip")` wrote: to look at, replay and question, not to go on.

    Raises:
        RunFileInvalid: there is no such file, it is no recorded run, or it was changed.
        ArgumentInvalid: `path` is no path.
    """
    with waiting("the recording to be read and checked"):
        return Recording(load(arguments.a_path("path", path), check=_check))


def _check(folder: Path) -> None:
    """Prove what was unpacked before it gets its name."""
    try:
        _prove(folder)
    except (RecordError, PolarsError, *_MALFORMED) as error:
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
        if event is not None:  # else of a newer version
            validate_event(event)
        view.add(event)
    if not lines:
        raise ValueError("its record is empty.")
    _ = str(verdict(view))
    frames(folder)  # sums of sound numbers may still be too large for a column
