"""One hash for a whole corpus: a binary hash tree over its shards.

Leaves and nodes hash in different domains, so a node can never pass for a shard; an odd node moves up
unchanged. Proofs of single shards are not needed yet and not here.
"""

from collections.abc import Sequence

from subnetlab.train.hashing import digest


def leaf(shard: bytes) -> bytes:
    """The hash of one shard's bytes."""
    return digest("data-leaf", shard)


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash that fixes all leaves and their order.

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
