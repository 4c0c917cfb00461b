"""Whose turn it is among calls of contracts: one turn at a time, and everybody else before the next one.

A turn holds up the whole node, so calls may not take theirs one behind the other. Calls that have just come
go before those that have had a turn and have not ended: of these only one at a time waits for its next.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

MOST_LONG: Final = 16
"""How many calls are carried on at once that do not end within their first turn."""
SHORT_S: Final = 0.001
"""A turn so short is followed by the next at once."""
PASSES: Final = 4
"""How often the loop goes round after a turn: a request is read, begun and answered in three or four."""


class Simulations:
    """The calls of contracts of one node."""

    def __init__(self) -> None:
        """Begin with none."""
        self.long = asyncio.Semaphore(MOST_LONG)
        self._turn, self._next_long = asyncio.Lock(), asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """A turn of a call that has just come."""
        async with self._turn:
            begun = time.monotonic()
            try:
                yield
            finally:
                if time.monotonic() - begun > SHORT_S:
                    for _ in range(PASSES):
                        await asyncio.sleep(0)

    @asynccontextmanager
    async def long_turn(self) -> AsyncGenerator[None]:
        """A turn of a call that has had one."""
        async with self._next_long, self.turn():
            yield
