"""How long a store is tried: one request, all attempts together, and the waits between them.

Waits grow and are drawn (full jitter, https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter),
so that peers whose store comes back do not all ask at once.
"""

import random
import time
from collections.abc import Callable
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


USUAL: Final = Patience()
"""For a store of one's own: it may be away for three minutes."""
OTHERS: Final = Patience(request_s=10.0, total_s=30.0, longest_wait_s=3.0)
"""For another peer's place, whose fault must cost nobody else the round."""
