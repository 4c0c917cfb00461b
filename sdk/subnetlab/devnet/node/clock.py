"""The time a block carries: the machine's clock plus a shift, and never the same millisecond twice.

Source: `pallet-timestamp` refuses a timestamp that does not grow.
"""

import time


class Clock:
    """Milliseconds since 1970, which tests and lessons may move."""

    def __init__(self) -> None:
        """Follow the machine."""
        self._shift_ms = 0

    def next(self, previous_ms: int) -> int:
        """The time of the block after one at `previous_ms`."""
        return max(self.now(), previous_ms + 1)

    def now(self) -> int:
        """The shifted time."""
        return time.time_ns() // 1_000_000 + self._shift_ms

    def advance(self, milliseconds: int) -> None:
        """Move forward for good."""
        self._shift_ms += milliseconds
