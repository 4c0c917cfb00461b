"""Sealed blocks: header, digest and body, found by number or by hash.

The hash is the real blake2-256 of the SCALE header, so light clients agree with it. The state root is a hash
chain over what blocks changed, not a Merkle root, so there are no storage proofs (fidelity table).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from subnetlab.devnet.chain.extrinsic import digest
from subnetlab.devnet.chain.scale import compact, prefixed

ZERO_HASH = bytes(32)


def hexed(data: bytes) -> str:
    """`0x…`, as JSON-RPC writes bytes."""
    return "0x" + data.hex()


class Block(NamedTuple):
    """One sealed block."""

    number: int
    parent_hash: bytes
    state_root: bytes
    extrinsics_root: bytes
    logs: tuple[bytes, ...]
    extrinsics: tuple[bytes, ...]
    hash: bytes = b""

    def sealed(self) -> "Block":
        """The same block with its hash."""
        return Block(
            number=self.number, parent_hash=self.parent_hash, state_root=self.state_root,
            extrinsics_root=self.extrinsics_root, logs=self.logs, extrinsics=self.extrinsics,
            hash=digest(self.encoded_header()),
        )  # fmt: skip

    def encoded_header(self) -> bytes:
        """The SCALE header that the hash is made over."""
        logs = compact(len(self.logs)) + b"".join(self.logs)
        return self.parent_hash + compact(self.number) + self.state_root + self.extrinsics_root + logs

    def header(self) -> dict[str, Any]:
        """The header as JSON-RPC shows it."""
        return {
            "parentHash": hexed(self.parent_hash),
            "number": hex(self.number),
            "stateRoot": hexed(self.state_root),
            "extrinsicsRoot": hexed(self.extrinsics_root),
            "digest": {"logs": [hexed(log) for log in self.logs]},
        }

    def body(self) -> dict[str, Any]:
        """The block as `chain_getBlock` shows it."""
        return {"header": self.header(), "extrinsics": [hexed(raw) for raw in self.extrinsics]}


def aura_log(now_ms: int, slot_ms: int) -> bytes:
    """The pre-runtime digest that names the block's slot."""
    return b"\x06aura" + prefixed((now_ms // slot_ms).to_bytes(8, "little"))


def chained_root(parent_root: bytes, changes: dict[bytes, bytes | None]) -> bytes:
    """The state root of a block that changed these keys."""
    parts = [parent_root]
    for key, value in sorted(changes.items()):
        parts += [prefixed(key), b"\x00" if value is None else b"\x01" + prefixed(value)]
    return digest(b"".join(parts))


class Blocks:
    """The chain of sealed blocks. There are no forks: what is sealed is final."""

    def __init__(self, genesis: Block) -> None:
        """Start with the first block."""
        self._blocks = [genesis]
        self._by_hash = {genesis.hash: genesis}

    @property
    def genesis(self) -> Block:
        """The first block."""
        return self._blocks[0]

    @property
    def head(self) -> Block:
        """The newest block."""
        return self._blocks[-1]

    def append(self, block: Block) -> None:
        """Add the next block."""
        assert block.number == len(self._blocks), "blocks are added in order"
        self._blocks.append(block)
        self._by_hash[block.hash] = block

    def at(self, number: int) -> Block | None:
        """The block of a height, if it is sealed."""
        return self._blocks[number] if 0 <= number < len(self._blocks) else None

    def find(self, block_hash: bytes) -> Block | None:
        """The block of a hash, if there is one."""
        return self._by_hash.get(block_hash)

    def copy(self) -> "Blocks":
        """An independent copy, for snapshots."""
        twin = Blocks(self.genesis)
        for block in self._blocks[1:]:
            twin.append(block)
        return twin

    def __iter__(self) -> Iterator[Block]:
        return iter(list(self._blocks))

    def __len__(self) -> int:
        return len(self._blocks)
