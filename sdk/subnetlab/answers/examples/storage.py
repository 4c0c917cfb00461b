"""A subnet that pays for storage: miners keep a file, validators challenge a random block of it.

A challenge names a block and a nonce; the answer is the hash of both, which takes the block's bytes at the
time of asking. It proves that a miner could read the block within the time limit, not on whose disk it lies.
The file is a part of Python's own documentation, so that the example needs nothing; validators hold it too.

Example:
    >>> run = subnet.run([keep, keep, drop], judge, tasks=challenge)  # doctest: +SKIP
"""

import sysconfig
from functools import cache
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any, Final

BLOCK: Final = 1024
"""Bytes of a block."""
KEPT: Final = Path("kept.bin")
"""Where a miner keeps the file, in a folder of its own."""


@cache
def source() -> bytes:
    """The file that a client wants kept."""
    return (Path(sysconfig.get_path("stdlib")) / "pydoc_data" / "topics.py").read_bytes()


def blocks() -> int:
    """How many blocks the file has."""
    return -(-len(source()) // BLOCK)


def challenge(random: Random) -> dict[str, Any]:
    """A task: the hash of one block, with a nonce in front."""
    return {"block": random.randrange(blocks()), "nonce": random.randbytes(16).hex()}


def proof(task: dict[str, Any], block: bytes) -> str:
    """What only the block's bytes lead to."""
    return blake2b(bytes.fromhex(task["nonce"]) + block, digest_size=32).hexdigest()


def keep(task: dict[str, Any]) -> str:
    """A miner that takes the file once, and reads the block from its own disk from then on."""
    if not KEPT.exists():
        KEPT.write_bytes(source())
    return proof(task, _read(task["block"]))


def drop_half(task: dict[str, Any]) -> str:
    """A miner that has kept the first half alone."""
    if not KEPT.exists():
        KEPT.write_bytes(source()[: blocks() // 2 * BLOCK])
    return proof(task, _read(task["block"]))


def drop(task: dict[str, Any]) -> str:
    """A miner that took the file, and threw it away for the room."""
    KEPT.write_bytes(b"")
    return proof(task, _read(task["block"]))


def judge(task: dict[str, Any], answer: object) -> float:
    """1 for the hash of the challenged block, else 0."""
    start = task["block"] * BLOCK
    return float(answer == proof(task, source()[start : start + BLOCK]))


def _read(block: int) -> bytes:
    with KEPT.open("rb") as file:
        file.seek(block * BLOCK)
        return file.read(BLOCK)
