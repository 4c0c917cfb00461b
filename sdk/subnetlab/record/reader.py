"""Read a record back: once, as it grows, or only to prove it.

Every read proves the chain as it goes. A last line without its newline is a write in progress (or a crash)
and is left alone until it is whole; anything else that does not fit is `RecordCorrupt` with its line number.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from subnetlab.errors import RecordCorrupt, RecordError
from subnetlab.record.line import ROOT_HASH, Entry, decode


class Tail:
    """A place in a growing record: each call returns only what came since, without reading anything twice.

    Args:
        path: the record; it may not exist yet, which reads as empty.

    `offset` (bytes), `seq` (entries) and `hash` describe the whole lines read so far.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.seq = 0
        self.hash = ROOT_HASH

    def entries(self) -> Iterator[Entry]:
        """The entries appended since the last call, oldest first.

        Raises:
            RecordCorrupt: a line does not follow from the one before it, or the file lost lines already read.
        """
        try:
            stream = self.path.open("rb")
        except FileNotFoundError:
            return
        with stream:
            if stream.seek(0, 2) < self.offset:
                raise RecordCorrupt(
                    f"{self.path} lost lines that were already read.",
                    hint="Copy the folder back from where it was kept; run.verify() checks the rest.",
                )
            stream.seek(self.offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                entry = decode(line[:-1], seq=self.seq, previous=self.hash, number=self.seq + 1)
                self.offset, self.seq, self.hash = self.offset + len(line), self.seq + 1, entry.hash
                yield entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What `verify` proved."""

    entries: int
    hash: str
    """Of the last line: two records with the same hash are the same record."""
    torn_bytes: int
    """Size of an unfinished last line; 0 for a record that was closed."""


def read(path: Path) -> Iterator[Entry]:
    """Every entry of a record, oldest first.

    Raises:
        RecordError: no such file.
        RecordCorrupt: with the number of the first line that does not fit.
    """
    if not path.is_file():
        raise RecordError(f"There is no record at {path}.", hint="sl.runs() lists the runs of this machine.")
    return Tail(path).entries()


def follow(path: Path, *, stop: threading.Event, poll_s: float = 0.1) -> Iterator[Entry]:
    """The entries of a record as they are appended, from the first on, until `stop` is set.

    What was there when `stop` was set is still delivered. The file may appear later.
    """
    tail = Tail(path)
    while True:
        last = stop.is_set()
        yield from tail.entries()
        if last:
            return
        stop.wait(poll_s)


def verify(path: Path) -> Verified:
    """Prove a record from its first line to its last.

    Raises:
        RecordError: no such file.
        RecordCorrupt: with the number of the first line that does not fit.
    """
    if not path.is_file():
        raise RecordError(f"There is no record at {path}.", hint="sl.runs() lists the runs of this machine.")
    tail = Tail(path)
    for _ in tail.entries():
        pass
    return Verified(entries=tail.seq, hash=tail.hash, torn_bytes=path.stat().st_size - tail.offset)
