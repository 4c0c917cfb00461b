"""A store in a folder that several peers write to, none of whom is trusted with more than its own objects.

Every part of a name is opened from the folder above it, never through a link, and only a plain file is an
object; what else lies below the store costs its own name alone. Where something else occupies the name of a
folder or of an object, folder or object lies beside it under a name that no object may have, so that no
squatter keeps another peer from writing, and nothing is ever removed or moved.
Does not defend against a process that deletes another peer's files.
"""

import errno
import os
import secrets
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from subnetlab.errors import ObjectExists, ObjectMissing, ObjectTooLarge, StoreUnreachable
from subnetlab.store.base import MOST_NAMES
from subnetlab.store.object_names import LONGEST, checked, is_part

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MACHINE: Final = frozenset({errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""What says that the machine, not one name, has a fault."""
_CHUNK: Final = 1 << 20


class FolderStore:
    """`store.base.Store` over a folder of this machine, safe from several threads and processes."""

    def __init__(self, root: Path) -> None:
        """Keep the folder, which exists; a link to it is the owner's own and has been followed."""
        self.root = root
        self.where = str(root)

    def put(self, name: str, data: bytes) -> None:
        """Create an object, complete or not at all.

        Raises:
            ObjectExists: the name is taken; the old object stays as it was.
            InvalidObjectName: the name is not a plain relative one.
            StoreUnreachable: nothing was written.
        """
        *folders, last = checked(name).split("/")
        try:
            with self._folder(folders, create=True) as folder:
                _write(folder, last, data)
        except FileExistsError:
            raise ObjectExists(f"{name!r} is already in {self.where}.") from None
        except OSError as error:
            raise self._unreachable(name, error) from error

    def get(self, name: str, limit: int) -> bytes:
        """Read a whole object of at most `limit` bytes.

        Raises:
            ObjectMissing: no such name, or what has it is no plain file that can be read.
            ObjectTooLarge: larger than `limit`; nothing was read into memory.
            InvalidObjectName: the name is not a plain relative one.
            StoreUnreachable: the folder is gone or the machine has a fault.
        """
        *folders, last = checked(name).split("/")
        try:
            with self._folder(folders) as folder, _opened(folder, last) as file:
                size = os.fstat(file).st_size
                if size > limit:
                    raise ObjectTooLarge(f"{name!r} has {size} bytes; at most {limit} are read.")
                data = _read(file, limit + 1)
        except OSError as error:
            if error.errno in _MACHINE or not self.root.is_dir():
                raise self._unreachable(name, error) from error
            raise ObjectMissing(f"{name!r} is not in {self.where}.") from None
        if len(data) > limit:
            raise ObjectTooLarge(f"{name!r} has more than {limit} bytes; at most {limit} are read.")
        return data

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        """The names below a prefix (a whole path part), sorted; foreign ones are passed over.

        Args:
            prefix: empty means all.
            limit: the most entries that are looked at, foreign ones included; the rest is left out.

        Raises:
            InvalidObjectName: the prefix is not a plain relative name.
            StoreUnreachable: the folder is gone or the machine has a fault.
        """
        parts = checked(prefix).split("/") if prefix else []
        found: list[str] = []
        try:
            with self._folder(parts) as folder:
                start = f"{prefix}/" if prefix else ""
                found.extend(start + name for name in _walk(folder, [limit], LONGEST - len(start)))
        except OSError as error:
            if error.errno in _MACHINE or not self.root.is_dir():
                raise self._unreachable(prefix, error) from error
        return sorted(found)

    @contextmanager
    def _folder(self, parts: list[str], *, create: bool = False) -> Generator[int]:
        """The descriptor of a folder below the store, opened part by part and never through a link."""
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts:
                inner = _enter(folder, part, create=create)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)

    def _unreachable(self, name: str, error: OSError) -> StoreUnreachable:
        return StoreUnreachable(
            f"{self.where} did not serve {name!r}: {error.strerror or error}.",
            hint="Check the folder and the disk, then run again.",
        )


def _beside(part: str, kind: str) -> str:
    """Where a folder or an object lies whose own name something else occupies; no object is called so."""
    return f".{part}.{kind}"


def _enter(folder: int, part: str, *, create: bool) -> int:
    for name in (part, _beside(part, "folder")):
        if create:
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=folder)
        try:
            return os.open(name, _FOLDER, dir_fd=folder)
        except OSError as error:
            if error.errno in _MACHINE:
                raise
    raise FileNotFoundError(errno.ENOENT, "There is no such folder", part)


@contextmanager
def _opened(folder: int, part: str) -> Generator[int]:
    """A plain file below a folder; a pipe, a device, a link or a folder is none."""
    for name in (part, _beside(part, "object")):
        try:
            file = os.open(name, _READ, dir_fd=folder)
        except OSError as error:
            if error.errno in _MACHINE:
                raise
            continue
        try:
            if stat.S_ISREG(os.fstat(file).st_mode):
                yield file
                return
        finally:
            os.close(file)
    raise FileNotFoundError(errno.ENOENT, "There is no such object", part)


def _read(file: int, most: int) -> bytes:
    data = bytearray()
    while len(data) < most and (chunk := os.read(file, min(_CHUNK, most - len(data)))):
        data += chunk
    return bytes(data)


def _write(folder: int, part: str, data: bytes) -> None:
    """Write a draft and give it its name, which fails if an object has that name already."""
    draft = f".draft-{secrets.token_hex(8)}"
    file = os.open(draft, _CREATE, 0o600, dir_fd=folder)
    try:
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(file, left) :]
        finally:
            os.close(file)
        try:
            _name(folder, draft, part)
        except FileExistsError:
            if stat.S_ISREG(os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode):
                raise
            _name(folder, draft, _beside(part, "object"))
    finally:
        os.unlink(draft, dir_fd=folder)


def _name(folder: int, draft: str, name: str) -> None:
    os.link(draft, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)


def _walk(folder: int, left: list[int], room: int) -> Iterator[str]:
    """The names of the objects below a folder, as they come.

    Args:
        folder: a descriptor.
        left: how many entries may still be looked at, counted down.
        room: how long a name may still be, which also bounds the depth.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if not left[0]:
                return
            left[0] -= 1
            name = entry.name
            for kind in ("folder", "object"):
                if name.startswith(".") and name.endswith(f".{kind}"):
                    name = name[1:].removesuffix(f".{kind}")
            if len(name) > room or not is_part(name):
                continue
            if entry.is_file(follow_symlinks=False):
                yield name
            elif entry.is_dir(follow_symlinks=False):
                with suppress(PermissionError, NotADirectoryError, FileNotFoundError):
                    inner = os.open(entry.name, _FOLDER, dir_fd=folder)
                    try:
                        for below in _walk(inner, left, room - len(name) - 1):
                            yield f"{name}/{below}"
                    finally:
                        os.close(inner)
