"""A chain held and put back: in memory for lessons and tests, in a file for the next start.

A file carries every block and the state at the head; older states are not saved, so they answer "state
already discarded" after loading. It is written beside its place and moved in: an interrupted save leaves the
old one.
"""

import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subnetlab.devnet.block import Block, Blocks, hexed
from subnetlab.devnet.node import Node
from subnetlab.devnet.state import State
from subnetlab.errors import StateFileInvalid

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A chain as it stood."""

    state: State
    blocks: Blocks
    now_ms: int
    pruned_before: int


def take(node: Node) -> Snapshot:
    """Hold the chain as it stands; the pool is not part of it."""
    return Snapshot(node.state.copy(), node.blocks.copy(), node.ledger.now_ms, node.pruned_before)


def put_back(node: Node, snapshot: Snapshot) -> None:
    """Make the node's chain the held one again; what waits in the pool is dropped."""
    node.pool.clear()
    node.adopt(snapshot.state.copy(), snapshot.blocks.copy(), snapshot.pruned_before, snapshot.now_ms)


def save(node: Node, path: Path) -> None:
    """Write the chain to a file, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    document = {
        "format": FORMAT,
        "genesis": hexed(node.blocks.genesis.hash),
        "now_ms": node.ledger.now_ms,
        "blocks": [block_row(block) for block in node.blocks],
        "state": {key.hex(): value.hex() for key, value in node.state.latest().items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(zlib.compress(json.dumps(document).encode(), 6))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def load(node: Node, path: Path) -> None:
    """Go on where a saved chain stopped.

    Raises:
        StateFileInvalid: the file is damaged, or its chain began with another genesis.
    """
    try:
        document: Any = json.loads(zlib.decompress(path.read_bytes()))
        known, genesis = document["format"], document["genesis"]
        rows, state, now_ms = document["blocks"], document["state"], int(document["now_ms"])
        blocks = [block(row) for row in rows]
        values = {bytes.fromhex(key): bytes.fromhex(value) for key, value in state.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zlib.error) as error:
        raise StateFileInvalid(f"{path} cannot be read as a saved chain: {error}.") from error
    if known != FORMAT or genesis != hexed(node.blocks.genesis.hash):
        raise StateFileInvalid(
            f"{path} holds a chain of another genesis or format.",
            hint="Start the node with the options it was saved with, or give another file.",
        )
    head = blocks[-1].number
    node.adopt(_restored(values, head), _linked(path, blocks), head, now_ms)


def _restored(values: dict[bytes, bytes], number: int) -> State:
    state = State()
    for key, value in values.items():
        state.put(key, value)
    state.seal(number)
    return state


def _linked(path: Path, blocks: list[Block]) -> Blocks:
    chain = Blocks(blocks[0])
    for block in blocks[1:]:
        if block.parent_hash != chain.head.hash or block.number != chain.head.number + 1:
            raise StateFileInvalid(f"{path}: block {block.number} does not follow from the one before it.")
        chain.append(block)
    return chain


def block_row(block: Block) -> list[Any]:
    """A block as JSON types."""
    return [
        block.number,
        block.parent_hash.hex(),
        block.state_root.hex(),
        block.extrinsics_root.hex(),
        [log.hex() for log in block.logs],
        [raw.hex() for raw in block.extrinsics],
    ]


def block(row: list[Any]) -> Block:
    """A block read back from `block_row`."""
    number, parent, state_root, extrinsics_root, logs, extrinsics = row
    return Block(
        number=int(number), parent_hash=bytes.fromhex(parent), state_root=bytes.fromhex(state_root),
        extrinsics_root=bytes.fromhex(extrinsics_root), logs=tuple(bytes.fromhex(log) for log in logs),
        extrinsics=tuple(bytes.fromhex(raw) for raw in extrinsics),
    ).sealed()  # fmt: skip
