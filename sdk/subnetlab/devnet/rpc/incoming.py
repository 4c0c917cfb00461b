"""Messages that have begun to arrive and are not whole, in bytes: of a connection and of the whole node.

They lie in memory until they are whole, so clients that begin many and end none would fill it. Does no input
or output itself: `listener` says what arrives, `server` what was taken out whole.
"""

import logging
from collections.abc import Callable
from typing import Final, NamedTuple

log = logging.getLogger("subnetlab.devnet")
MAX_UNFINISHED_BYTES: Final = 128 * 2**20
"""With more than this held for all connections together, the one that was silent for longest is closed."""
MAX_OF_ONE: Final = 48 * 2**20
"""Of one connection: three of the longest messages, for frames and chunks have headers."""
SMALL_BYTES: Final = 64 * 2**10
"""So little of a message costs next to nothing and need not go on; so little left beside one is forgotten."""
_READ_AHEAD: Final = 512 * 2**10
"""What the HTTP library holds at most of a body that is not asked for yet."""
_HEADER_BYTES: Final = 14
"""Of a WebSocket's frame, at most."""


class _Seen(NamedTuple):
    """How far a message was, and when."""

    at: float
    messages: int
    size: int


class Incoming:
    """What has arrived on one connection and was not taken out whole."""

    __slots__ = ("_abort", "_all", "answering", "counted", "messages", "newest", "seen", "size")

    def __init__(self, every: "Unfinished", abort: Callable[[], None]) -> None:
        """Count into `every`; `abort` closes the connection."""
        self._all, self._abort = every, abort
        self.size, self.messages, self.newest = 0, 0, 0
        self.counted, self.answering = False, False
        self.seen: _Seen | None = None

    def arrived(self, size: int) -> None:
        """Count in what has arrived."""
        self.size += size
        if self.counted:
            self._all.count(self, size)

    def begin(self) -> None:
        """From now on what arrives is held until it is taken."""
        self.size, self.counted = min(self.size, _READ_AHEAD), True
        self._all.count(self, self.size)

    def take(self, size: int) -> None:
        """A message of this size is whole and is being answered."""
        left = self.size - size - _HEADER_BYTES
        left = left if left > SMALL_BYTES else 0
        if self.counted:
            self._all.size -= self.size - left
        self.size, self.answering = left, True
        self.messages += 1

    def end(self) -> None:
        """Nothing of it is held any more."""
        if self.counted:
            self._all.size -= self.size
        self.size, self.counted, self.answering = 0, False, False

    def close(self) -> None:
        """Close the connection."""
        self.end()
        self._abort()


class Unfinished:
    """The same, all connections together."""

    def __init__(self, most: int = MAX_UNFINISHED_BYTES) -> None:
        """Hold at most so many bytes."""
        self.size = 0
        self._most, self._arrivals = most, 0
        self._each: set[Incoming] = set()

    def made(self, abort: Callable[[], None]) -> Incoming:
        """Count a connection in."""
        one = Incoming(self, abort)
        self._each.add(one)
        return one

    def lost(self, one: Incoming) -> None:
        """Count a connection out."""
        one.end()
        self._each.discard(one)

    def count(self, one: Incoming, size: int) -> None:
        """Count in what has arrived on a connection, and make room where that is too much."""
        self.size += size
        self._arrivals += 1
        one.newest = self._arrivals
        if one.size > MAX_OF_ONE:
            one.close()
        if self.size > self._most:
            self._make_room()

    def _make_room(self) -> None:
        log.warning("A connection was closed: clients had begun to send more than a node holds.")
        while self.size > self._most:
            # Closing one that holds little gains nothing; one that sends steadily was heard a moment ago.
            held = (one for one in self._each if one.counted and one.size)
            min(held, key=lambda one: (one.size <= SMALL_BYTES, one.newest)).close()

    def close_silent(self, now: float, patience_s: float) -> None:
        """Close each whose message has not gone on for so long."""
        for one in [one for one in self._each if one.counted]:
            seen = one.seen
            if one.size <= SMALL_BYTES or one.answering:
                one.seen = None
            elif seen is None or one.messages > seen.messages or one.size >= seen.size + SMALL_BYTES:
                one.seen = _Seen(now, one.messages, one.size)
            elif now >= seen.at + patience_s:
                one.close()
