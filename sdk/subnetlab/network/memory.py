"""A chain in memory, for several peers in threads: the seam's test double, and the network of a rehearsal.

Blocks appear only when `seal` is called, and their hashes depend on the seed and the height alone, so that a
run on it can be repeated exactly although its peers draw fresh keys. No accounts, fees, signatures or epochs:
`PeerChain` on the embedded node has those.
"""

import hashlib
import threading
from dataclasses import dataclass, field

from subnetlab.errors import NodeUnreachable
from subnetlab.network.chain import Block, Commitment, shares_of


@dataclass(slots=True)
class MemoryNet:
    """The one chain that all `MemoryChain` views share."""

    seed: str = "subnetlab"
    _hashes: list[str] = field(default_factory=list[str])
    _pool: list[tuple[str, bytes | dict[int, float]]] = field(
        default_factory=list[tuple[str, bytes | dict[int, float]]]
    )
    _commitments: dict[str, Commitment] = field(default_factory=dict[str, Commitment])
    _weights: dict[str, dict[int, float]] = field(default_factory=dict[str, dict[int, float]])
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _closed: bool = False

    def __post_init__(self) -> None:
        self._hashes.append(_hash(self.seed, 0))

    def chain(self, hotkey: str) -> "MemoryChain":
        """One hotkey's view."""
        return MemoryChain(self, hotkey)

    def seal(self, count: int = 1) -> Block:
        """Seal blocks; the first takes everything submitted so far. Returns the new head."""
        with self._changed:
            for _ in range(count):
                number = len(self._hashes)
                for hotkey, submitted in self._pool:
                    self._stand(hotkey, submitted, number)
                self._pool.clear()
                self._hashes.append(_hash(self.seed, number))
            self._changed.notify_all()
            return self._head()

    def weights(self) -> dict[str, dict[int, float]]:
        """The standing weights by hotkey."""
        with self._changed:
            return {hotkey: dict(row) for hotkey, row in self._weights.items()}

    def close(self) -> None:
        """End the chain: every wait fails from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait_for(self, number: int, timeout_s: float) -> Block:
        """See `Chain.wait_for`."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._head().number >= number, timeout_s)
            self._require_open()
            if self._head().number < number:
                raise NodeUnreachable(f"Block {number} did not come within {timeout_s:g} s.")
            return self._head()

    def block_hash(self, number: int) -> str:
        """See `Chain.block_hash`."""
        with self._changed:
            if not 0 <= number < len(self._hashes):
                raise NodeUnreachable(f"There is no block {number}; the head is {self._head().number}.")
            return self._hashes[number]

    def commitments(self) -> dict[str, Commitment]:
        """See `Chain.commitments`."""
        with self._changed:
            return dict(self._commitments)

    def submit(self, hotkey: str, submitted: bytes | dict[int, float]) -> None:
        """Take a commitment or weights into the pool."""
        with self._changed:
            self._require_open()
            self._pool.append((hotkey, submitted))

    def _head(self) -> Block:
        return Block(len(self._hashes) - 1, self._hashes[-1])

    def _stand(self, hotkey: str, submitted: bytes | dict[int, float], number: int) -> None:
        if isinstance(submitted, bytes):
            self._commitments[hotkey] = Commitment(hotkey, submitted, number)
        else:
            self._weights[hotkey] = submitted

    def _require_open(self) -> None:
        if self._closed:
            raise NodeUnreachable("The chain in memory was closed.")


@dataclass(frozen=True, slots=True)
class MemoryChain:
    """`network.chain.Chain` over a `MemoryNet`."""

    net: MemoryNet
    hotkey: str

    def wait_for(self, number: int, timeout_s: float) -> Block:
        """Return the head as soon as its height is at least `number`.

        Raises:
            NodeUnreachable: no such block within `timeout_s` seconds, or the chain was closed.
        """
        return self.net.wait_for(number, timeout_s)

    def block_hash(self, number: int) -> str:
        """The hash of a sealed block, `0x…`.

        Raises:
            NodeUnreachable: the chain has no such block.
        """
        return self.net.block_hash(number)

    def commit(self, data: bytes) -> None:
        """Submit a commitment; it is in the next block that is sealed."""
        self.net.submit(self.hotkey, data)

    def commitments(self) -> dict[str, Commitment]:
        """The latest commitment of every hotkey."""
        return self.net.commitments()

    def weights(self) -> dict[str, dict[int, float]]:
        """The weights that stand, by hotkey, then by uid, adding up to 1."""
        rows = self.net.weights().items()
        return {hotkey: shares for hotkey, row in rows if (shares := shares_of(row))}

    def set_weights(self, weights: dict[int, float]) -> None:
        """Submit weights by uid; they are in the next block that is sealed."""
        self.net.submit(self.hotkey, dict(weights))


def _hash(seed: str, number: int) -> str:
    return f"0x{hashlib.blake2b(f'{seed}|{number}'.encode(), digest_size=32).hexdigest()}"
