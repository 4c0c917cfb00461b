"""Load a run's file that may come from anyone into a folder named by what is in it.

Before anything is written: a plain zip without extensions, a handful of members, each with a name and a size
that `save` allows. Names of the archive are only compared, never joined to a path that they could leave. Says
nothing about what the record claims.
"""

import os
import shutil
import stat
import struct
import tempfile
import zlib
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from subnetlab.archive.save import MEMBERS, MIB, REQUIRED
from subnetlab.errors import RunFileInvalid
from subnetlab.record.files import make_private
from subnetlab.record.line import FILE_NAME
from subnetlab.settings import opened_folder

MOST_BYTES: Final = sum(MEMBERS.values()) + MIB
"""Of the file itself, and of all it unpacks to."""
_MOST_INDEX_BYTES: Final = 4096
_MOST_LINE_BYTES: Final = 4 * MIB
"""Of a record; the longest is an epoch's, which holds every weight of a subnet."""
_END: Final = struct.Struct("<4s4H2LH")
"""The record that ends a zip: signature, disks, members (twice), size and place of the index, comment."""
_END_64: Final = b"PK\x06\x07"
_END_64_BYTES: Final = 20


def load(path: Path, *, check: Callable[[Path], None]) -> Path:
    """The folder that holds what is in the file; opening it again finds the same folder.

    Args:
        path: of the file.
        check: looks at the new folder before it gets its name, and raises if it should not have one.

    Raises:
        RunFileInvalid: it is no file that a run was saved as.
    """
    if not path.is_file():
        raise RunFileInvalid(f"There is no file at {path}.")
    root = opened_folder()
    try:
        make_private(root)
        made = Path(tempfile.mkdtemp(dir=root, prefix=".new-"))
    except OSError as error:
        raise RunFileInvalid(
            f"{root} cannot be written: {error}.", hint="Set SUBNETLAB_HOME to a folder with room."
        ) from error
    try:
        with path.open("rb") as stream:
            _look_at_the_end(stream)
            with ZipFile(stream) as file:
                for member in _members(file):
                    _extract(file, member, made)
        check(made)
        return _settle(made, root)
    except (OSError, BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error) as error:
        raise RunFileInvalid(f"{path.name} cannot be unpacked: {error}.") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _look_at_the_end(stream: IO[bytes]) -> None:
    """Refuse a long index before the library reads it into memory."""
    size = stream.seek(0, os.SEEK_END)
    if not _END.size <= size <= MOST_BYTES:
        raise RunFileInvalid(f"The file has {size:,} bytes; no run is saved as that.")
    before = min(size - _END.size, _END_64_BYTES)
    stream.seek(size - _END.size - before)
    tail = stream.read()
    signature, _, _, _, members, index_bytes, _, comment = _END.unpack(tail[before:])
    if signature != b"PK\x05\x06" or comment or tail.startswith(_END_64):
        raise RunFileInvalid("The file is not a plain zip.")
    if members > len(MEMBERS) or index_bytes > _MOST_INDEX_BYTES:
        raise RunFileInvalid(f"The file has {members} members; a run has at most {len(MEMBERS)}.")


def _members(file: ZipFile) -> list[ZipInfo]:
    members = file.infolist()
    names = [member.filename for member in members]
    for member in members:
        if member.filename not in MEMBERS:
            raise RunFileInvalid(f"A run's file holds nothing called {member.filename[:80]!r}.")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or member.is_dir():
            raise RunFileInvalid(f"{member.filename} is not a plain file.")
        if member.flag_bits & 1 or member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise RunFileInvalid(f"{member.filename} is packed in a way that runs are not.")
        if member.file_size > MEMBERS[member.filename]:
            raise RunFileInvalid(f"{member.filename} would unpack to {member.file_size:,} bytes.")
    if len(set(names)) != len(names):
        raise RunFileInvalid("The file holds one name twice.")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise RunFileInvalid(f"The file holds no {missing[0]}.")
    return members


def _extract(file: ZipFile, member: ZipInfo, folder: Path) -> None:
    target = folder / next(name for name in MEMBERS if name == member.filename)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    left, line = member.file_size, 0
    with file.open(member) as packed, os.fdopen(_new(target), "wb") as plain:
        while chunk := packed.read(MIB):
            left -= len(chunk)
            if left < 0:
                raise RunFileInvalid(f"{member.filename} is longer than it says.")
            if target.name == FILE_NAME:
                line = _longest_open(chunk, line)
            plain.write(chunk)
    if left:
        raise RunFileInvalid(f"{member.filename} is shorter than it says.")


def _new(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _longest_open(chunk: bytes, line: int) -> int:
    """The length of the line that a part of a record ends in; refuses lines before they are parsed."""
    for part in chunk.splitlines(keepends=True):
        line += len(part)
        if line > _MOST_LINE_BYTES:
            raise RunFileInvalid(f"{FILE_NAME} has a line of more than {_MOST_LINE_BYTES:,} bytes.")
        line = 0 if part.endswith(b"\n") else line
    return line


def _settle(made: Path, root: Path) -> Path:
    """Move the new folder to its place, unless the same is there already."""
    name = _fingerprint(made)
    target = root / name
    if target.is_dir() and _fingerprint(target) == name:
        return target
    shutil.rmtree(target, ignore_errors=True)  # it was changed since
    made.replace(target)
    return target


def _fingerprint(folder: Path) -> str:
    """One hash over what a run's file may hold."""
    total = blake2b(digest_size=16, person=b"subnetlab-opened")
    for name in MEMBERS:
        path = folder / name
        if path.is_file():
            content = blake2b(digest_size=32)
            with path.open("rb") as stream:
                while chunk := stream.read(MIB):
                    content.update(chunk)
            total.update(name.encode() + b"\0" + content.digest())
    return total.hexdigest()
