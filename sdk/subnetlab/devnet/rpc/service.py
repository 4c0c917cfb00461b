"""What JSON-RPC methods work on: the node, its sealer, its connections, and where chains may be saved."""

import logging
from collections.abc import Callable
from itertools import count
from pathlib import Path

from subnetlab.devnet.chain.block import Block
from subnetlab.devnet.chain.transaction_error import TransactionError
from subnetlab.devnet.node.ethereum_history import History
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.node.sealer import Sealer
from subnetlab.devnet.rpc.connection import Changes, Connection, Sealed, Unsent
from subnetlab.devnet.rpc.method import SERVER_ERROR, STATE_ERROR, RpcError
from subnetlab.devnet.rpc.simulations import Simulations
from subnetlab.devnet.storage.journal import Journal
from subnetlab.devnet.storage.snapshot import Snapshot

log = logging.getLogger("subnetlab.devnet")


class Service:
    """The node as JSON-RPC sees it."""

    def __init__(
        self,
        node: Node,
        sealer: Sealer,
        *,
        stop: Callable[[], None],
        journal: Journal | None = None,
        folder: Path | None = None,
    ) -> None:
        """Listen to the node's blocks."""
        self.node, self.sealer, self.stop, self.journal = node, sealer, stop, journal
        self.folder = folder
        """Where `dev_save` and `dev_load` may write and read; None closes both."""
        self.connections: set[Connection] = set()
        self.unsent = Unsent()
        self._ids = count(1)
        self.snapshots: dict[str, Snapshot] = {}
        self.history = History(node)
        """The blocks as Ethereum's methods see them."""
        self.simulations = Simulations()
        self.on_used: list[Callable[[], None]] = []
        node.on_sealed.append(self._on_sealed)

    def used(self) -> None:
        """Note that somebody talks to the node."""
        for listener in self.on_used:
            listener()

    def new_id(self) -> str:
        """A subscription id that was never used before."""
        return f"s{next(self._ids)}"

    def new_hex_id(self) -> str:
        """The same as Ethereum's clients expect it, a number of sixteen bytes."""
        return f"0x{next(self._ids):032x}"

    def block(self, block_hash: bytes | None) -> Block:
        """The block of a hash, or the head.

        Raises:
            RpcError: there is no such block.
        """
        if block_hash is None:
            return self.node.blocks.head
        block = self.node.blocks.find(block_hash)
        if block is None:
            text = f"0x{block_hash.hex()}"
            raise RpcError(
                SERVER_ERROR, f"Client error: UnknownBlock: Header was not found in the database: {text}"
            )
        return block

    def state_block(self, block_hash: bytes | None) -> Block:
        """The same, where its state is still kept.

        Raises:
            RpcError: the block is unknown or its state was pruned.
        """
        block = self.block(block_hash)
        if block.number < self.node.pruned_before:
            text = f"0x{block.hash.hex()}"
            raise RpcError(STATE_ERROR, f"Client error: UnknownBlock: State already discarded for {text}")
        return block

    def log_rejected(self, error: TransactionError) -> None:
        """Note an extrinsic whose sender is not told."""
        log.info("an extrinsic was refused: %s", error)

    def announce_head(self) -> None:
        """Tell every subscriber about a head that was put in place rather than built."""
        self._on_sealed(self.node.blocks.head, dict(self.node.state.latest()))

    def _on_sealed(self, block: Block, changes: Changes) -> None:
        sealed = Sealed(block, changes)
        for connection in list(self.connections):
            for listener in list(connection.on_block.values()):
                listener(sealed)
