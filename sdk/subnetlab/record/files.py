"""Files and folders that only their owner may read, and files that are replaced whole or not at all.

What lies below SubnetLab's home tells what a person trains, pays and holds: folders there have mode 0700 and
files 0600, whatever the umask says. A home that existed before keeps its own mode.
"""

import errno
import os
import secrets
import stat
from pathlib import Path
from typing import BinaryIO, Final

from subnetlab.settings import home

PRIVATE_UMASK: Final = 0o077
"""For processes that are started to work below the home."""
_OTHERS: Final = 0o077
MOST_JSON_BYTES: Final = 16 << 20
"""Of a manifest, a fleet's file, or a description of data."""


def make_private(folder: Path) -> Path:
    """Make a folder and those above it, each for its owner alone; those of our home are closed to others.

    Raises:
        OSError: as `Path.mkdir`.
    """
    missing = [folder]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
    root = home()
    if folder.is_relative_to(root):
        for path in (folder, *folder.parents):
            if path == root:
                break
            _close_to_others(path)
    return folder


def _close_to_others(path: Path) -> None:
    """Take what an earlier version allowed to others away; a folder of another owner stays as it is."""
    found = path.stat()
    if found.st_mode & _OTHERS and found.st_uid == os.geteuid():
        path.chmod(found.st_mode & 0o700)


def write_private(path: Path, data: str | bytes, *, sync: bool = False) -> None:
    """Write a file beside its place and put it there whole; only its owner can read it.

    Args:
        path: replaced if it exists; its folder exists.
        data: text is written as UTF-8.
        sync: whether it is on the disk before it takes its place.

    Raises:
        OSError: the old file stays as it was.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def open_plain(path: Path) -> BinaryIO:
    """Open a file of a folder that another person may have made; a pipe or a device is refused at once.

    Raises:
        OSError: it cannot be read, or is no plain file.
    """
    return open(path, "rb", opener=_plain_opener)


def _plain_opener(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "It is no plain file", path)
    return descriptor


def read_plain(path: Path, most: int = MOST_JSON_BYTES) -> str:
    """The text of a file of a folder that another person may have made.

    Args:
        path: of the file.
        most: bytes; a longer file is refused before it is read.

    Raises:
        OSError: it cannot be read, is no plain file, or is longer.
        UnicodeDecodeError: it is not UTF-8.
    """
    with open_plain(path) as file:
        if os.fstat(file.fileno()).st_size > most:
            raise OSError(errno.EFBIG, f"It is longer than {most} bytes", str(path))
        return file.read(most).decode()


def open_log(path: Path) -> int:
    """The descriptor of a log that is appended to, readable by its owner alone; the caller closes it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor
