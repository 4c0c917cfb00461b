"""New blocks of a chain as they come, decoded, for the explorer's page."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import bittensor

from subnetlab.errors import NotOnChain
from subnetlab.network.explorer.block import ChainBlock
from subnetlab.network.explorer.read import BlockReader
from subnetlab.network.following import Following, State
from subnetlab.network.wire_client import WireClient

FIRST: Final = 12
"""Blocks that are told of at first, and again after the chain was turned back."""
MOST_AT_ONCE: Final = 24
"""Of more new blocks than this the newest are read, so that a fast chain is followed at its own pace."""


class BlockViewer(Protocol):
    """What is told; called from the following thread."""

    def see(self, blocks: Sequence[ChainBlock], *, fresh: bool) -> None:
        """Newer blocks, newest first; `fresh` where what was told before is no longer the chain's."""
        ...

    def state(self, state: State, reason: str) -> None:
        """The state of the connection; `gone` is the end, with the reason in words."""
        ...


class BlockFollowing(Following):
    """Follows the blocks of a chain until it is stopped.

    Args:
        endpoint: `ws://host:port`.
        viewer: who is told.
        closed: whether the node is known to have been given up, so that it need not be waited for.
    """

    def __init__(
        self, endpoint: str, viewer: BlockViewer, *, closed: Callable[[], bool] = lambda: False
    ) -> None:
        self._viewer = viewer
        self._seen: tuple[int, str] = (-1, "")
        super().__init__(endpoint, viewer.state, closed=closed, name="subnetlab-blocks")

    @property
    def seen(self) -> object:
        """Number and hash of the newest block that was told of."""
        return self._seen

    async def look(self, client: WireClient) -> None:
        """Read the blocks that are new, and tell of them; again where the chain was turned back meanwhile."""
        reader = BlockReader(client)
        with contextlib.suppress(NotOnChain, bittensor.BittensorError):
            await self._look(reader)
            return
        await self._look(reader)

    async def _look(self, reader: BlockReader) -> None:
        number, block_hash = self._seen
        head, head_hash = await reader.head()
        if head_hash == block_hash:
            return
        fresh = number < 0 or head <= number or await reader.hash_of(number) != block_hash
        first = head - FIRST + 1 if fresh else max(number + 1, head - MOST_AT_ONCE + 1)
        blocks = await reader.several(range(head, max(first, 0) - 1, -1))
        self._seen = (blocks[0].number, blocks[0].hash)
        self._viewer.see(blocks, fresh=fresh)
