"""The runs of this machine, found by their names; taking hold of one starts again what was killed of it."""

import contextlib
from pathlib import Path

from subnetlab.errors import SubnetLabError, UnknownRun
from subnetlab.fleet.launch import is_running
from subnetlab.lab import arguments, job
from subnetlab.lab.run import Run
from subnetlab.record.line import FILE_NAME
from subnetlab.settings import run_folders
from subnetlab.signatures import known_arguments


class Runs(list[Run]):
    """Runs of this machine, newest first."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "No runs yet. Start one with subnet.train(…) or %%train."


def runs(*, all: bool = False) -> Runs:  # noqa: A002  (what the word means here)
    """The runs of this machine that have begun, newest first; ten of them unless `all`."""
    everything = arguments.flag("all", all)
    begun = filter(_has_begun, run_folders())
    folders = sorted(begun, key=lambda folder: folder.stat().st_mtime, reverse=True)
    return Runs(Run(folder) for folder in (folders if everything else folders[:10]))


@known_arguments("sl.attach")
def attach(name: str) -> Run:
    """Take hold of a run by its name, or by the beginning of it, and let it go on if something was killed.

    `run.note` says what had to be started again, or why the run cannot go on; it stays readable either way.
    `run.net` is its chain, where that still is.

    Raises:
        UnknownRun: none, or more than one, begins like that.
        ArgumentInvalid: `name` is no text.
    """
    from subnetlab.lab.resume import resume  # noqa: PLC0415  (only when a run is taken hold of)
    from subnetlab.lab.session import rejoin  # noqa: PLC0415

    run = find(name)
    run.note = resume(run.folder)
    run.net = rejoin(run)
    if run.net is not None and (run.folder / job.FILE).exists():
        with contextlib.suppress(SubnetLabError):  # `run.settle()` says why
            run.follow_payments()
    return run


def find(name: str) -> Run:
    """Look up a run by its name, or by the beginning of it, and start nothing; errors as `attach`."""
    name = arguments.a_word("name", name, "the name of a run that sl.runs() lists")
    found = [folder for folder in run_folders() if folder.name.startswith(name)] if name else []
    exact = [folder for folder in found if folder.name == name]
    if len(exact or found) != 1:
        known = ", ".join(folder.name for folder in run_folders()) or "none"
        raise UnknownRun(f"{len(found) or 'No'} runs are called {name!r}.", hint=f"Known runs: {known}.")
    return Run((exact or found)[0])


def _has_begun(folder: Path) -> bool:
    """Whether there is a record, or somebody is about to begin one."""
    record = folder / FILE_NAME
    return (record.exists() and record.stat().st_size > 0) or is_running(folder)
