"""When blocks are built: on every extrinsic, on a clock, or when told to. Switchable while running.

A block that fails to build is reported by the event loop and tried again with the next one; the node goes on.
"""

import asyncio
from dataclasses import dataclass

from subnetlab.devnet.chain.block import Block
from subnetlab.devnet.node.node import Node


@dataclass(frozen=True, slots=True)
class Instant:
    """A block for every extrinsic that becomes ready, at once; none while nothing happens."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A block every so many seconds, empty or not."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Manual:
    """Blocks only when told to."""


Sealing = Instant | Interval | Manual
MIN_SECONDS, MAX_SECONDS = 0.01, 3600.0


def parse_sealing(value: object) -> Sealing:
    """The mode of `"instant"`, `"manual"` or `{"interval": seconds}`.

    Raises:
        ValueError: it is none of these.
    """
    match value:
        case "instant":
            return Instant()
        case "manual":
            return Manual()
        case {"interval": int() | float() as seconds} if MIN_SECONDS <= seconds <= MAX_SECONDS:
            return Interval(float(seconds))
        case _:
            raise ValueError(
                f'expected "instant", "manual" or {{"interval": {MIN_SECONDS}…{MAX_SECONDS:.0f} seconds}}, '
                f"got {value!r}"
            )


def describe(mode: Sealing) -> object:
    """The mode as `parse_sealing` reads it."""
    match mode:
        case Instant():
            return "instant"
        case Manual():
            return "manual"
        case Interval(seconds):
            return {"interval": seconds}


class Sealer:
    """Drives one node's blocks."""

    def __init__(self, node: Node, mode: Sealing) -> None:
        """Listen to the node; must run inside an event loop."""
        self.node, self.mode = node, mode
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Handle | None = None
        node.on_ready.append(self._on_ready)
        self.switch(mode)

    def switch(self, mode: Sealing) -> None:
        """Change the mode from now on."""
        self.stop()
        self.mode = mode
        if isinstance(mode, Interval):
            self._timer = self._loop.call_later(
                mode.seconds, self._tick, mode, self._loop.time() + mode.seconds
            )
        else:
            self._on_ready()

    def seal(self, count: int = 1) -> Block:
        """Build blocks now, whatever the mode; returns the last one."""
        for _ in range(count - 1):
            self.node.seal()
        return self.node.seal()

    def stop(self) -> None:
        """Build no more blocks by itself."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self, mode: Interval, due: float) -> None:
        # The next tick is set first, so that a block that fails does not stop the chain.
        following = max(due + mode.seconds, self._loop.time())
        self._timer = self._loop.call_at(following, self._tick, mode, following)
        self.node.seal()

    def _on_ready(self) -> None:
        if isinstance(self.mode, Instant) and self._timer is None and self.node.ready():
            self._timer = self._loop.call_soon(self._seal_at_once)

    def _seal_at_once(self) -> None:
        self._timer = None
        if not self.node.ready():  # sealed by hand in the meantime
            return
        try:
            self.node.seal()
        finally:
            self._on_ready()
