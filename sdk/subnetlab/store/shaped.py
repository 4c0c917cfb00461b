"""A store behind a link of so many megabits a second and so long a way: bytes cost time, as between machines.

What is put goes through the uplink one after the other, what is read through the downlink; every answer takes
the way there and back. Any store can lie behind it.
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
class _Line:
    """One direction of a link: how many megabits a second, 0 for no limit, and when it is free again."""

    mbps: float
    free_at: float = 0.0
    booking: threading.Lock = field(default_factory=threading.Lock)

    def arrival(self, size: int, now: float) -> float:
        """When so many bytes are through, after all that were booked before."""
        with self.booking:
            seconds = size * _BITS / (self.mbps * _MEGA) if self.mbps else 0.0
            self.free_at = max(now, self.free_at) + seconds
            return self.free_at


@dataclass(slots=True)
class Link:
    """One peer's link; a rate or a way of 0 costs nothing.

    `clock` and `wait` are given in seconds, so that a test needs no time to pass.
    """

    uplink_mbps: float = 0.0
    rtt_ms: float = 0.0
    downlink_mbps: float = 0.0
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], object] = time.sleep
    _up: _Line = field(init=False)
    _down: _Line = field(init=False)

    def __post_init__(self) -> None:
        self._up, self._down = _Line(self.uplink_mbps), _Line(self.downlink_mbps)

    def send(self, size: int) -> None:
        """Wait until so many bytes are through the uplink and answered for."""
        now = self.clock()
        self._wait(self._up.arrival(size, now) - now + self.rtt_ms * _MILLI)

    def receive(self, size: int) -> None:
        """Wait until so many bytes have come through the downlink."""
        now = self.clock()
        self._wait(self._down.arrival(size, now) - now)

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
        data = self.store.get(name, limit)
        self.link.receive(len(data))
        return data

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        """See `Store.names`."""
        self.link.ask()
        return self.store.names(prefix, limit)


def shaped(store: Store, *, uplink_mbps: float, rtt_ms: float, downlink_mbps: float = 0.0) -> Store:
    """The store over a link of its own; the store itself where the link costs nothing."""
    costs = uplink_mbps or rtt_ms or downlink_mbps
    return ShapedStore(store, Link(uplink_mbps, rtt_ms, downlink_mbps)) if costs else store
