"""Why a node ends by itself: the process that started it is gone, or no client has called for long.

A node started by hand has no such reason and runs until it is told to stop.
"""

import asyncio
import os
from collections.abc import Callable

CHECK_SECONDS = 1.0


class IdleShutdown:
    """Ends the node when its reason to run has ended."""

    def __init__(
        self,
        stop: Callable[[], None],
        *,
        with_parent: bool,
        idle_seconds: float | None,
        busy: Callable[[], bool],
    ) -> None:
        """Watch from now on; `busy` says whether anybody is connected. Must run inside an event loop."""
        self._stop, self._busy = stop, busy
        self._parent = os.getppid() if with_parent else None
        self._idle_seconds = idle_seconds
        self._loop = asyncio.get_running_loop()
        self._last_used = self._loop.time()
        if with_parent or idle_seconds is not None:
            self._loop.call_later(CHECK_SECONDS, self._check)

    def used(self) -> None:
        """Somebody has just talked to the node."""
        self._last_used = self._loop.time()

    def _check(self) -> None:
        if self._busy():
            self.used()
        orphaned = self._parent is not None and os.getppid() != self._parent
        idle = self._idle_seconds is not None and self._loop.time() - self._last_used >= self._idle_seconds
        if orphaned or idle:
            self._stop()
        else:
            self._loop.call_later(CHECK_SECONDS, self._check)
