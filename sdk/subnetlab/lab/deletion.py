"""Remove a run from this machine: its folder, and the kept chain of a dead node that no other run needs."""

import contextlib
import os
import shutil
from collections.abc import Generator
from pathlib import Path

from subnetlab.errors import RunError, RunNotFinished
from subnetlab.fleet.launch import LOCK_FILE
from subnetlab.lab import embedded
from subnetlab.lab.resume import needed_nodes
from subnetlab.record.lock import take_lock


def delete(folder: Path) -> None:
    """Remove the folder of a run that has no supervisor.

    Raises:
        RunNotFinished: it goes on; nothing was removed.
        RunError: there is no such folder, or it cannot be removed.
    """
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
