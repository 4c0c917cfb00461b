"""Remove a run from this machine: its folder, and the kept chain of a dead node that no other run needs."""

import contextlib
import os
import shutil
from collections.abc import Generator
from pathlib import Path

from subnetlab.errors import FleetError, RunError, RunNotFinished
from subnetlab.fleet.launch import LOCK_FILE
from subnetlab.fleet.spec import read_spec
from subnetlab.lab import embedded
from subnetlab.lab.job import unsettled
from subnetlab.lab.resume import needed_nodes
from subnetlab.record.lock import take_lock


def delete(folder: Path) -> None:
    """Remove the folder of a run that has no supervisor.

    Raises:
        RunNotFinished: it goes on; nothing was removed.
        RunError: there is no such folder, it cannot be removed, or its escrow still holds money.
    """
    if unsettled(folder) and _chain_lives(folder):
        raise RunError(
            f"The escrow of run {folder.name} still holds money; nothing was removed.",
            hint="run.settle() pays its miners and gives you the rest.",
        )
    with _unsupervised(folder):
        gone = folder.with_name(f".{folder.name}.deleted")
        try:
            folder.rename(gone)  # from here on no list shows it
            shutil.rmtree(gone)
        except OSError as error:
            raise RunError(
                f"Run {folder.name} cannot be removed: {error}.", hint=f"Remove {gone} yourself."
            ) from error
    embedded.sweep(needed_nodes())


def _chain_lives(folder: Path) -> bool:
    """Whether the node of a run's chain runs; without a word on it, no."""
    try:
        spec = read_spec(folder)
    except FleetError:
        return False
    return not spec.node or embedded.node_at(spec.endpoint) == spec.node


@contextlib.contextmanager
def _unsupervised(folder: Path) -> Generator[None]:
    """Hold the lock of the run's supervisor, so that none starts meanwhile."""
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise RunError(
            f"There is no run {folder.name} to remove.", hint="sl.runs() lists the runs."
        ) from error
    try:
        if not take_lock(descriptor):
            raise RunNotFinished(f"Run {folder.name} goes on.", hint="run.stop() first; nothing was removed.")
        yield
    finally:
        os.close(descriptor)
