"""How fast a client may ask, by token buckets: a bucket fills at a rate and is emptied by what is taken.

Nothing waits here: a caller learns how long it would have to. Buckets of clients that went away are dropped
once there are many, so that a flood of addresses costs no memory.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_MOST_CLIENTS: Final = 4096


@dataclass(slots=True, kw_only=True)
class TokenBucket:
    """One client's allowance."""

    rate: float
    """What comes back in a second."""
    burst: float
    """What may be taken at once."""
    clock: Callable[[], float] = time.monotonic
    _left: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._at = self.burst, self.clock()

    def wait_s(self, amount: float = 1.0) -> float:
        """Take an amount; 0 where it was there, else the seconds until it would be, and nothing is taken."""
        self._fill()
        wanted = min(amount, self.burst)
        if self._left >= wanted:
            self._left -= amount
            return 0.0
        return (wanted - self._left) / self.rate

    def take(self, amount: float) -> float:
        """Take an amount that has come already; the seconds until the bucket is no longer overdrawn."""
        self._fill()
        self._left -= amount
        return max(0.0, -self._left / self.rate)

    def _fill(self) -> None:
        now = self.clock()
        self._left = min(self.burst, self._left + (now - self._at) * self.rate)
        self._at = now


class Buckets:
    """A bucket for each client, by any key."""

    def __init__(self, rate: float, burst: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Give every client the same allowance."""
        self._rate, self._burst, self._clock = rate, burst, clock
        self._held: OrderedDict[str, TokenBucket] = OrderedDict()

    def of(self, client: str) -> TokenBucket:
        """The bucket of a client."""
        found = self._held.get(client)
        if found is None:
            found = self._held[client] = TokenBucket(rate=self._rate, burst=self._burst, clock=self._clock)
            if len(self._held) > _MOST_CLIENTS:
                self._held.popitem(last=False)
        self._held.move_to_end(client)
        return found
