"""One process at a time: an advisory lock on an open file, freed by the system when its holder ends.

The lock belongs to the open file and not to a process id written down somewhere, so a killed holder never
leaves it behind. POSIX only, as is the forkserver that the fleet stands on.
"""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


def try_lock(descriptor: int) -> bool:
    """Take the exclusive lock on an open file without waiting; False where somebody else holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the lock file at `path` for the length of a block, waiting for whoever holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
