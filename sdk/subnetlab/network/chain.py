"""What a training peer needs of a chain: the seam between `train` and any real or in-memory network.

Six verbs, synchronous, seen from one hotkey on one subnet. `network.memory` holds the implementation that
tests use, `network.peer_chain` the one on the wire. Nothing here knows about wallets or money.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Block:
    """A sealed block: its height and its hash as `0x…`."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Commitment:
    """The last bytes a hotkey committed on the subnet, and the height of the block that holds them."""

    hotkey: str
    data: bytes
    block: int


def shares_of(row: Mapping[int, float]) -> dict[int, float]:
    """A row of weights in any scale as shares that add up to 1; empty where all are zero."""
    total = sum(row.values())
    return {uid: weight / total for uid, weight in row.items() if weight} if total else {}


class Chain(Protocol):
    """One hotkey's view of one subnet."""

    def wait_for(self, number: int, timeout_s: float) -> Block:
        """Return the head as soon as its height is at least `number`; 0 returns the head at once.

        Raises:
            NodeUnreachable: no such block within `timeout_s` seconds, or the connection is gone.
        """
        ...

    def block_hash(self, number: int) -> str:
        """The hash of a sealed block, `0x…`."""
        ...

    def commit(self, data: bytes) -> None:
        """Submit a commitment signed by this hotkey; it is in the next block that is sealed.

        Returns once the node has accepted it into its pool, not waiting for the block.
        """
        ...

    def commitments(self) -> dict[str, Commitment]:
        """The latest commitment of every hotkey of the subnet, at the head."""
        ...

    def weights(self) -> dict[str, dict[int, float]]:
        """The weights that stand at the head: by the hotkey that set them, then by uid, adding up to 1."""
        ...

    def set_weights(self, weights: dict[int, float]) -> None:
        """Submit weights by uid (any non-negative scale); they are in the next block that is sealed."""
        ...
