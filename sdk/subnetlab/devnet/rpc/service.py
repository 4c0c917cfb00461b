"""What JSON-RPC methods work on: the node, its sealer, the subscriptions, and who is asking.

A `Peer` is one connection: it owns its subscriptions and takes notifications; an HTTP request is a peer that
cannot subscribe.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from subnetlab.devnet.block import Block
from subnetlab.devnet.journal import Journal
from subnetlab.devnet.node import Changes, Node
from subnetlab.devnet.refusal import Refusal
from subnetlab.devnet.rpc.method import SERVER_ERROR, STATE_ERROR, RpcError
from subnetlab.devnet.sealing import Sealer
from subnetlab.devnet.snapshot import Snapshot

log = logging.getLogger("subnetlab.devnet")
Push = Callable[[dict[str, Any]], None]
OnBlock = Callable[[Block, Changes], None]


@dataclass(slots=True, eq=False)
class Peer:
    """One connection."""

    push: Push | None = None
    """Send a notification; None over HTTP."""
    on_block: dict[str, OnBlock] = field(default_factory=dict[str, OnBlock])
    """Subscriptions that want to hear of blocks, by id."""
    privileged: bool = True
    """Whether `dev_` methods are open to it."""

    _held: list[Callable[[], None]] | None = None

    def hold(self) -> None:
        """Hold updates back until the reply to the request being answered is queued."""
        self._held = []

    def replied(self) -> None:
        """Let out what was held back."""
        held, self._held = self._held or [], None
        for send in held:
            send()

    def after_reply(self, send: Callable[[], None]) -> None:
        """Send once the reply to the request being answered is queued; at once outside of one."""
        if self._held is None:
            send()
        else:
            self._held.append(send)

    def notify(self, event: str, subscription: str, result: Any) -> None:
        """Send one update of a subscription."""
        if self.push is not None:
            self.push(
                {
                    "jsonrpc": "2.0",
                    "method": event,
                    "params": {"subscription": subscription, "result": result},
                }
            )


class Service:
    """The node as JSON-RPC sees it."""

    def __init__(
        self, node: Node, sealer: Sealer, *, stop: Callable[[], None], journal: Journal | None = None
    ) -> None:
        """Listen to the node's blocks."""
        self.node, self.sealer, self.stop, self.journal = node, sealer, stop, journal
        self.peers: set[Peer] = set()
        self._ids = count(1)
        self.snapshots: dict[str, Snapshot] = {}
        self.on_used: list[Callable[[], None]] = []
        node.on_sealed.append(self._on_sealed)

    def used(self) -> None:
        """Note that somebody talks to the node."""
        for listener in self.on_used:
            listener()

    def new_id(self) -> str:
        """A subscription id that was never used before."""
        return f"s{next(self._ids)}"

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

    def log_refusal(self, error: Refusal) -> None:
        """Note an extrinsic whose sender is not told."""
        log.info("an extrinsic was refused: %s", error)

    def announce_head(self) -> None:
        """Tell every subscriber about a head that was put in place rather than built."""
        self._on_sealed(self.node.blocks.head, dict(self.node.state.latest()))

    def _on_sealed(self, block: Block, changes: Changes) -> None:
        for peer in list(self.peers):
            for listener in list(peer.on_block.values()):
                listener(block, changes)
