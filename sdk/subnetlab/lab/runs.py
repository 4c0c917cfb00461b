"""The runs of this machine, found by their names; taking hold of one starts again what was killed of it."""

import contextlib
import time
from pathlib import Path
from typing import Final

from subnetlab.errors import RecordError, SubnetLabError, UnknownRun
from subnetlab.fleet.launch import is_running
from subnetlab.lab import arguments, job
from subnetlab.lab.run import Run
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import read
from subnetlab.report.format import age_text
from subnetlab.settings import run_folders
from subnetlab.signatures import known_arguments

_MOST_SAID: Final = 10
"""Runs of one name that a sentence lists."""


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

    Of several whose names begin like that it is the one that goes on, where one alone does. `run.note` says
    so, and what had to be started again, or why the run cannot go on; it stays readable either way. `run.net`
    is its chain, where that still is.

    Raises:
        UnknownRun: none begins like that, or more than one and not one alone of them goes on.
        ArgumentInvalid: `name` is no text.
    """
    from subnetlab.lab.resume import resume  # noqa: PLC0415  (only when a run is taken hold of)
    from subnetlab.lab.session import rejoin  # noqa: PLC0415

    found = _named(name)
    going = [folder for folder in found if is_running(folder)] if len(found) > 1 else []
    run = Run(going[0]) if len(going) == 1 else _only(name, found)
    chosen = f"Of {len(found)} runs called {name!r} it is the one that goes on." if going else ""
    run.note = " ".join(filter(None, (chosen, resume(run.folder))))
    run.net = rejoin(run)
    if run.net is not None and (run.folder / job.FILE).exists():
        with contextlib.suppress(SubnetLabError):  # `run.settle()` says why
            run.follow_payments()
    return run


def find(name: str) -> Run:
    """Look up a run by its name, or by the beginning of it, and start nothing.

    Raises:
        UnknownRun: none, or more than one, begins like that.
        ArgumentInvalid: `name` is no text.
    """
    return _only(name, _named(name))


def _named(name: str) -> list[Path]:
    """The folder of the run with this name, else of every run whose name begins like that, newest first."""
    name = arguments.a_word("name", name, "the name of a run that sl.runs() lists")
    found = [folder for folder in run_folders() if folder.name.startswith(name)] if name else []
    exact = [folder for folder in found if folder.name == name]
    return exact or sorted(found, key=_begun, reverse=True)


def _only(name: str, found: list[Path]) -> Run:
    if len(found) == 1:
        return Run(found[0])
    if found:
        some = ", ".join(map(_said, found[:_MOST_SAID]))
        more = f" and {len(found) - _MOST_SAID} older ones" if len(found) > _MOST_SAID else ""
        first = found[0].name
        raise UnknownRun(
            f"{len(found)} runs are called {name!r}.",
            hint=f"Newest first: {some}{more}. Give one name in full: %sl attach {first}, or "
            f"sl.attach({first!r}).",
        )
    known = ", ".join(folder.name for folder in run_folders()) or "none"
    raise UnknownRun(f"No runs are called {name!r}.", hint=f"Known runs: {known}.")


def _said(folder: Path) -> str:
    """A run with its state and its age."""
    try:
        state = str(Run(folder).status)
    except RecordError:
        state = "unreadable"
    return f"{folder.name} ({state}, begun {age_text(time.time() - _begun(folder))} ago)"


def _begun(folder: Path) -> float:
    """When a run began, Unix seconds: as its record says, else when its folder was changed last."""
    with contextlib.suppress(RecordError):
        for entry in read(folder / FILE_NAME):
            return entry.time
    return folder.stat().st_mtime


def _has_begun(folder: Path) -> bool:
    """Whether there is a record, or somebody is about to begin one."""
    record = folder / FILE_NAME
    return (record.exists() and record.stat().st_size > 0) or is_running(folder)
