"""Every hash of a run, each in its own domain, so that no hash can be taken for one of another kind.

blake2b with 32 bytes throughout; parts are length-prefixed, so no two lists of parts share a hash.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

SIZE: Final = 32


def digest(domain: str, *parts: bytes | memoryview | str | int) -> bytes:
    """The 32-byte hash of `parts` under `domain`; integers count as decimal text."""
    state = hashlib.blake2b(digest_size=SIZE, person=_person(domain))
    for part in parts:
        raw = part if isinstance(part, bytes | memoryview) else str(part).encode()
        state.update(memoryview(raw).nbytes.to_bytes(8, "little"))
        state.update(raw)
    return state.digest()


def canonical_json(value: Any) -> bytes:
    """The one way to write a value in JSON that its hash is of: keys sorted, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def stream(domain: str, count: int, *parts: bytes | str | int) -> bytes:
    """`count` reproducible bytes, unpredictable without every part (SHAKE-256)."""
    return hashlib.shake_256(digest(domain, *parts)).digest(count)


def shard_hash(shard: bytes) -> bytes:
    """The leaf of one shard of a corpus, in `merkle_root`'s tree."""
    return digest("data-leaf", shard)


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root of a binary hash tree: it fixes all leaves and their order.

    Leaves and nodes hash in different domains, so a node never passes for a shard; an odd node moves up
    unchanged. `merkle_path` proves a single leaf.

    Raises:
        ValueError: there are no leaves.
    """
    if not leaves:
        raise ValueError("a tree needs at least one leaf")
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def merkle_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The neighbours that lead from one leaf to the root, from the bottom up; an odd node has none.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index} among {len(leaves)}")
    level, path = list(leaves), list[bytes]()
    while len(level) > 1:
        neighbour = index ^ 1
        if neighbour < len(level):
            path.append(level[neighbour])
        level, index = _above(level), index // 2
    return path


def root_from(leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes:
    """The root that a leaf at a place of a tree has with this path.

    Raises:
        ValueError: the place is not in such a tree, or the path has another length.
    """
    if not 0 <= index < count:
        raise ValueError(f"there is no leaf {index} among {count}")
    node, left = leaf, list(path)
    while count > 1:
        if index ^ 1 < count:
            if not left:
                raise ValueError("the path is too short")
            neighbour = left.pop(0)
            pair = (neighbour, node) if index & 1 else (node, neighbour)
            node = digest("data-node", *pair)
        index, count = index // 2, -(-count // 2)
    if left:
        raise ValueError("the path is too long")
    return node


def _above(level: list[bytes]) -> list[bytes]:
    pairs = [digest("data-node", a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
    return pairs + level[len(pairs) * 2 :]


def _person(domain: str) -> bytes:
    raw = f"sl/{domain}".encode()
    if len(raw) > hashlib.blake2b.PERSON_SIZE:
        raise ValueError(f"the hash domain {domain!r} is longer than 13 letters")
    return raw
