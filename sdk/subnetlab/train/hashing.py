"""Every hash of a run, each in its own domain, so that no hash can be taken for one of another kind.

blake2b with 32 bytes throughout; parts are length-prefixed, so no two lists of parts share a hash.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

SIZE: Final = 32


def digest(domain: str, *parts: bytes | memoryview | str | int) -> bytes:
    """The 32-byte hash of `parts` under `domain`; integers count as decimal text."""
    state = hashlib.blake2b(digest_size=SIZE, person=_person(domain))
    for part in parts:
        raw = part if isinstance(part, bytes | memoryview) else str(part).encode()
        state.update(memoryview(raw).nbytes.to_bytes(8, "little"))
        state.update(raw)
    return state.digest()


def stream(domain: str, count: int, *parts: bytes | str | int) -> bytes:
    """`count` reproducible bytes, unpredictable without every part (SHAKE-256)."""
    return hashlib.shake_256(digest(domain, *parts)).digest(count)


def shard_hash(shard: bytes) -> bytes:
    """The leaf of one shard of a corpus, in `merkle_root`'s tree."""
    return digest("data-leaf", shard)


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root of a binary hash tree: it fixes all leaves and their order.

    Leaves and nodes hash in different domains, so a node never passes for a shard; an odd node moves up
    unchanged. Proofs of single shards are not made here.

    Raises:
        ValueError: there are no leaves.
    """
    if not leaves:
        raise ValueError("a tree needs at least one leaf")
    level = list(leaves)
    while len(level) > 1:
        pairs = [digest("data-node", a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def _person(domain: str) -> bytes:
    raw = f"sl/{domain}".encode()
    if len(raw) > hashlib.blake2b.PERSON_SIZE:
        raise ValueError(f"the hash domain {domain!r} is longer than 13 letters")
    return raw
