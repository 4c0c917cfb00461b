"""Append events to the record of a run, so that a crash at any moment costs at most the line being written.

One writer at a time (an advisory lock), one `write` per line. Reopening drops a torn last line and goes on;
a record whose chain is broken is never appended to. Standard library only.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from subnetlab.errors import RecordError
from subnetlab.record.events import Event
from subnetlab.record.files import make_private
from subnetlab.record.line import Entry, encode
from subnetlab.record.lock import try_lock
from subnetlab.record.reader import Tail


class RecordWriter:
    """The one writer of a record; a context manager.

    Args:
        path: the file; created with its folder where missing.
        sync_every_s: the most seconds of events a power cut may take: 0 syncs every line to the disk,
            `math.inf` leaves it to the system. A killed process loses nothing either way.
        clock: Unix seconds.

    Raises:
        RecordError: another process writes this record, or the disk refuses.
        RecordCorrupt: what is already there is not a record.
    """

    def __init__(
        self, path: Path, *, sync_every_s: float = 1.0, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        self._sync_every_s = sync_every_s
        self._clock = clock
        try:
            make_private(path.parent)
            self._file = os.open(
                path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600
            )
        except OSError as error:
            raise _refused(path, error) from error
        try:
            self._continue()
        except BaseException:
            os.close(self._file)
            self._file = -1
            raise

    def _continue(self) -> None:
        if not try_lock(self._file):
            raise RecordError(f"Another process writes {self.path}.", hint="Stop that run first.")
        tail, last = Tail(self.path), 0.0
        for entry in tail.entries():
            last = entry.time
        self._end, self._seq, self._hash, self._time = tail.offset, tail.seq, tail.hash, last
        if os.fstat(self._file).st_size > self._end:
            os.ftruncate(self._file, self._end)
        os.fsync(self._file)
        self._synced = time.monotonic()

    @property
    def seq(self) -> int:
        """The number of events in the record, which is the next one's sequence number."""
        return self._seq

    def append(self, event: Event, *, durable: bool = False) -> Entry:
        """Write one event; `durable` returns only once it is on the disk.

        Raises:
            RecordError: closed, or the disk is full; the record still ends in its last whole line.
        """
        if self._file < 0:
            raise RecordError(
                f"The writer of {self.path} is closed.",
                hint="The run is over; sl.attach() opens it for reading.",
            )
        now = max(self._time, self._clock())
        line, entry = encode(event, seq=self._seq, time=now, previous=self._hash)
        try:
            self._write(line)
        except OSError as error:
            os.ftruncate(self._file, self._end)
            raise _refused(self.path, error) from error
        self._end += len(line)
        self._seq, self._hash, self._time = self._seq + 1, entry.hash, now
        if durable or time.monotonic() - self._synced >= self._sync_every_s:
            self.sync()
        return entry

    def _write(self, line: bytes) -> None:
        left = memoryview(line)
        while left:
            left = left[os.write(self._file, left) :]

    def sync(self) -> None:
        """Force everything appended so far onto the disk."""
        os.fsync(self._file)
        self._synced = time.monotonic()

    def close(self) -> None:
        """Sync and let the next writer in; harmless twice."""
        if self._file >= 0:
            self.sync()
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _refused(path: Path, error: OSError) -> RecordError:
    said = f"{path} cannot be written: {error.strerror or error}."
    return RecordError(said, hint="Make room on the disk, or let the folder be written.")
