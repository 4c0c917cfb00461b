"""How long a store is tried: one request, all attempts together, and the waits between them; and who ends it.

Waits grow and are drawn (full jitter, https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter),
so that peers whose store comes back do not all ask at once.
"""

import random
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, TypeVar

from subnetlab.errors import StoreUnreachable

T = TypeVar("T")

_SLOWEST: Final = 250_000
"""Bytes a second; what comes slower than this is cut off."""


class Away(Exception):
    """An attempt failed in a way that may pass: no connection, no answer in time, or a server's fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Limits in seconds; `clock` and `wait` are there for tests."""

    request_s: float = 30.0
    """One request up to the last byte of its answer, large objects excepted (`for_bytes`)."""
    total_s: float = 180.0
    """All attempts and the waits between them; no attempt begins later."""
    first_wait_s: float = 0.2
    longest_wait_s: float = 10.0
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], object] = time.sleep

    def for_bytes(self, size: int) -> float:
        """How long one request may take that moves so many bytes."""
        return self.request_s + size / _SLOWEST

    def tried(self, attempt: Callable[[int], T], what: str) -> T:
        """Call until it does not raise `Away`, or until the time is over.

        Args:
            attempt: takes how often it was tried before.
            what: names the store and the object in the error.

        Raises:
            StoreUnreachable: every attempt failed; the last one says why.
        """
        until, number = self.clock() + self.total_s, 0
        while True:
            try:
                return attempt(number)
            except Away as away:
                number += 1
                ceiling = min(self.longest_wait_s, self.first_wait_s * 2 ** min(number - 1, 20))
                pause = random.uniform(0, ceiling)  # noqa: S311 - spreads load, hides nothing
                if self.clock() + pause >= until:
                    times = "once" if number == 1 else f"{number} times"
                    raise StoreUnreachable(
                        f"{what}, tried {times}: {away}.",
                        hint="Check the address, the network and the credentials, then run again.",
                    ) from away
                self.wait(pause)


class Cancellation:
    """Ends reads that other threads make, from outside: those under way, and those that would begin."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._under_way: set[Future[bytes]] = set()

    def cancel(self) -> None:
        """End every read; nothing happens where that was said before."""
        with self._lock:
            self._cancelled, under_way = True, list(self._under_way)
        for read in under_way:
            read.cancel()

    @contextmanager
    def governing(self) -> Generator[None]:
        """Reads of this thread in the block are ended by `cancel`."""
        before = _CANCELLATION.set(self)
        try:
            yield
        finally:
            _CANCELLATION.reset(before)

    def result(self, read: "Future[bytes]") -> bytes:
        """Wait for a read under way.

        Raises:
            StoreUnreachable: it was ended from outside.
        """
        with self._lock:
            cancelled = self._cancelled
            self._under_way.add(read)
        if cancelled:
            read.cancel()
        try:
            return read.result()
        except CancelledError:
            raise StoreUnreachable("The answer was not whole in time.", hint="") from None
        finally:
            with self._lock:
                self._under_way.discard(read)


_CANCELLATION: Final[ContextVar[Cancellation | None]] = ContextVar("cancellation", default=None)


def outcome(read: "Future[bytes]") -> bytes:
    """Wait for a read under way, unless this thread's reads are ended from outside; see `Cancellation`."""
    governing = _CANCELLATION.get()
    return read.result() if governing is None else governing.result(read)


USUAL: Final = Patience()
"""For a store of one's own: it may be away for three minutes."""
OTHERS: Final = Patience(request_s=10.0, total_s=30.0, longest_wait_s=3.0)
"""For another peer's place, whose fault must cost nobody else the round."""
