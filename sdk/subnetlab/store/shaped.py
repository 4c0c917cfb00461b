"""A store behind a link of so many megabits a second and so long a way: bytes cost time, as between machines.

What is put goes through the uplink one after the other; every answer takes the way there and back. What is
read comes at once otherwise: a peer's uplink is what is scarce. Any store can lie behind it.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from subnetlab.store.base import MOST_NAMES, Store

_BITS: Final = 8
_MEGA: Final = 1e6
_MILLI: Final = 1e-3


@dataclass(slots=True)
class Link:
    """One peer's link; a rate or a way of 0 costs nothing.

    `clock` and `wait` are given in seconds, so that a test needs no time to pass.
    """

    uplink_mbps: float = 0.0
    rtt_ms: float = 0.0
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], object] = time.sleep
    _free_at: float = field(default=0.0, init=False)
    _booking: threading.Lock = field(default_factory=threading.Lock, init=False)

    def send(self, size: int) -> None:
        """Wait until so many bytes are through the uplink and answered for."""
        now = self.clock()
        with self._booking:
            seconds = size * _BITS / (self.uplink_mbps * _MEGA) if self.uplink_mbps else 0.0
            self._free_at = max(now, self._free_at) + seconds
            arrived = self._free_at
        self._wait(arrived - now + self.rtt_ms * _MILLI)

    def ask(self) -> None:
        """Wait for an answer."""
        self._wait(self.rtt_ms * _MILLI)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.wait(seconds)


@dataclass(frozen=True, slots=True)
class ShapedStore:
    """A `Store` as seen over a link."""

    store: Store
    link: Link

    def put(self, name: str, data: bytes) -> None:
        """See `Store.put`; the bytes travel whether or not the name is taken."""
        self.link.send(len(data))
        self.store.put(name, data)

    def get(self, name: str, limit: int) -> bytes:
        """See `Store.get`."""
        self.link.ask()
        return self.store.get(name, limit)

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        """See `Store.names`."""
        self.link.ask()
        return self.store.names(prefix, limit)


def shaped(store: Store, *, uplink_mbps: float, rtt_ms: float) -> Store:
    """The store over a link of its own; the store itself where the link costs nothing."""
    return ShapedStore(store, Link(uplink_mbps, rtt_ms)) if uplink_mbps or rtt_ms else store
