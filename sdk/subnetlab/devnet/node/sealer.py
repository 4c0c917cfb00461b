"""When blocks are built: on every extrinsic, on a clock, or when told to. Switchable while running.

A block that fails to build is reported by the event loop and tried again with the next one; the node goes on.
"""

import asyncio
from dataclasses import dataclass
from typing import NamedTuple

from subnetlab.devnet.chain.block import Block
from subnetlab.devnet.node.node import Node


@dataclass(frozen=True, slots=True)
class Instant:
    """A block for every extrinsic that becomes ready, at once; none while nothing happens."""


class Interval(NamedTuple):
    """A block every so many seconds, empty or not."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Manual:
    """Blocks only when told to."""


Sealing = Instant | Interval | Manual
_BLOCKS_A_TURN = 64
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
        self._turns: asyncio.Handle | None = None
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

    def seal(self) -> Block:
        """Build a block now, whatever the mode."""
        return self.node.seal()

    async def seal_many(self, count: int) -> Block:
        """Build blocks now, whatever the mode, while others have their turns; returns the last one."""
        for number in range(count):
            if self.node.heavy:
                self.node.begin()
                while not self.node.work():  # noqa: ASYNC110 - the work is done here, others only get turns
                    await asyncio.sleep(0)
            else:
                self.node.seal()
            if number % _BLOCKS_A_TURN == _BLOCKS_A_TURN - 1:
                await asyncio.sleep(0)
        return self.node.blocks.head

    def stop(self) -> None:
        """Build no more blocks by itself."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self, mode: Interval, due: float) -> None:
        # The next tick is set first, so that a block that fails does not stop the chain.
        following = max(due + mode.seconds, self._loop.time())
        self._timer = self._loop.call_at(following, self._tick, mode, following)
        self._build()

    def _on_ready(self) -> None:
        idle = self._timer is None and self._turns is None
        if isinstance(self.mode, Instant) and idle and self.node.is_ready:
            self._timer = self._loop.call_soon(self._seal_at_once)

    def _seal_at_once(self) -> None:
        self._timer = None
        if not self.node.is_ready:  # sealed by hand in the meantime
            return
        try:
            self._build()
        finally:
            self._on_ready()

    def _build(self) -> None:
        if self._turns is not None:
            return  # the block before is late
        if self.node.heavy:
            self.node.begin()
            self._take_turn()
        else:
            self.node.seal()

    def _take_turn(self) -> None:
        self._turns = None
        if self.node.work():
            self._on_ready()
        else:
            self._turns = self._loop.call_soon(self._take_turn)
