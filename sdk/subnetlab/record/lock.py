"""One process at a time: an advisory lock on an open file, freed by the system when its holder ends.

The lock belongs to the open file and not to a process id written down somewhere, so a killed holder never
leaves it behind. POSIX only, as is the fork server of the fleet.
"""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from subnetlab.record.files import make_private, open_log

_LOOK_S = 0.01


def try_lock(descriptor: int) -> bool:
    """Take the exclusive lock on an open file without waiting; False where somebody else holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def take_lock(descriptor: int, patience_s: float = 0.5) -> bool:
    """Take the lock to keep it, after any process that only tests for a moment whether it is held."""
    deadline = time.monotonic() + patience_s
    while not try_lock(descriptor):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_S)
    return True


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the lock file at `path` for the length of a block, waiting for its holder."""
    make_private(path.parent)
    with os.fdopen(open_log(path), "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def locked_folder(folder: Path) -> Generator[None]:
    """Hold the lock of a folder itself for the length of a block, waiting for its holder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock file at `path`; a file that is not there is held by none."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)
