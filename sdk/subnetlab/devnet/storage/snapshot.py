"""A chain held and put back: in memory for lessons and tests, in a file for the next start.

A file carries every block and the state at the head; older states are not saved, so they answer "state
already discarded" after loading. It is written beside its place and moved in: an interrupted save leaves the
old one.
"""

import json
import os
import stat
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from subnetlab.devnet.chain.block import Block, Blocks, hexed
from subnetlab.devnet.chain.state import State, Version
from subnetlab.devnet.node.node import Node
from subnetlab.errors import StateFileInvalid

FORMAT = 1
MAX_FILE_BYTES = 256 * 2**20
MAX_UNPACKED_BYTES = 2 * 2**30
"""Of a saved chain, so that a file of another kind costs no more."""


class Snapshot(NamedTuple):
    """A chain as it stood."""

    state: State
    blocks: Blocks
    now_ms: int
    pruned_before: int


def take(node: Node) -> Snapshot:
    """Hold the chain as it is; the pool is not part of it."""
    return Snapshot(node.state.copy(), node.blocks.copy(), node.ledger.now_ms, node.pruned_before)


def put_back(node: Node, snapshot: Snapshot) -> None:
    """Make the node's chain the held one again; what waits in the pool is dropped."""
    node.transaction_pool.clear()
    node.adopt(snapshot.state.copy(), snapshot.blocks.copy(), snapshot.pruned_before, snapshot.now_ms)


def save(node: Node, path: Path) -> None:
    """Write the chain to a file, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    write(document(node), path)


def document(node: Node) -> dict[str, Any]:
    """The chain as it is, in the form of a file; what follows does not change it."""
    return {
        "format": FORMAT,
        "genesis": hexed(node.blocks.genesis.hash),
        "now_ms": node.ledger.now_ms,
        "blocks": list(node.blocks),
        "state": node.state.latest(),
        "kept": node.state.kept_versions(node.kept),
    }


def write(document: dict[str, Any], path: Path) -> None:
    """Write a chain to a file that only its user can read, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    rows = [block_row(block) for block in document["blocks"]]
    state = {key.hex(): value.hex() for key, value in document["state"].items()}
    kept = {key.hex(): _version_rows(versions) for key, versions in document["kept"].items()}
    whole = {**document, "blocks": rows, "state": state, "kept": kept}
    data = zlib.compress(json.dumps(whole).encode(), 6)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


class Saved(NamedTuple):
    """A chain read from a file."""

    state: State
    blocks: Blocks
    now_ms: int


def load(node: Node, path: Path) -> None:
    """Go on where a saved chain stopped.

    Raises:
        StateFileInvalid: the file is damaged, or its chain began with another genesis.
    """
    adopt(node, read(path, node.blocks.genesis.hash))


def adopt(node: Node, saved: Saved) -> None:
    """Go on with a chain that was read from a file."""
    node.adopt(saved.state, saved.blocks, saved.blocks.head.number, saved.now_ms)


def read(path: Path, genesis_hash: bytes) -> Saved:
    """The chain that a file holds.

    Raises:
        StateFileInvalid: the file is damaged, or its chain began with another genesis.
    """
    try:
        document: Any = json.loads(_unpacked(path))
        known, genesis = document["format"], document["genesis"]
        rows, state, now_ms = document["blocks"], document["state"], int(document["now_ms"])
        blocks = [block(row) for row in rows]
        values = {bytes.fromhex(key): bytes.fromhex(value) for key, value in state.items()}
        kept = {bytes.fromhex(key): _versions(rows) for key, rows in document.get("kept", {}).items()}
        head = blocks[-1].number
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise StateFileInvalid(
            f"{path} cannot be read as a saved chain: {error}.",
            hint="Give --state another file; the chain begins anew there.",
        ) from error
    if known != FORMAT or genesis != hexed(genesis_hash):
        raise StateFileInvalid(
            f"{path} holds a chain of another genesis or format.",
            hint="Start the node with the options it was saved with, or give another file.",
        )
    return Saved(_restored(values, head, kept), _linked(path, blocks), now_ms)


def _unpacked(path: Path) -> bytes:
    """What a plain file holds, within bounds; nothing else is opened, and no link at its end is followed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is no plain file")
        packed = file.read(MAX_FILE_BYTES + 1)
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(packed, MAX_UNPACKED_BYTES)
    if len(packed) > MAX_FILE_BYTES or unpacking.unconsumed_tail:
        raise OSError("it is too large")
    if not unpacking.eof:
        raise OSError("it ends too early")
    return data


def _restored(values: dict[bytes, bytes], number: int, kept: dict[bytes, list[Version]]) -> State:
    state = State()
    for key, value in values.items():
        state.put(key, value)
    state.seal(number)
    state.remember(kept)
    return state


def _version_rows(versions: list[Version]) -> list[list[Any]]:
    return [[number, None if value is None else value.hex()] for number, value in versions]


def _versions(rows: list[list[Any]]) -> list[Version]:
    return [(int(number), None if value is None else bytes.fromhex(value)) for number, value in rows]


def _linked(path: Path, blocks: list[Block]) -> Blocks:
    chain = Blocks(blocks[0])
    for block in blocks[1:]:
        if block.parent_hash != chain.head.hash or block.number != chain.head.number + 1:
            raise StateFileInvalid(
                f"{path}: block {block.number} does not follow from the one before it.",
                hint="Give --state another file; the chain begins anew there.",
            )
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
