"""Who trains and who is judged on which items: unpredictable before, reproducible after.

Everything follows from hashes of the run, the round and a block hash: the block that opens the round for the
miner's work, the beacon block for the validators' choice. Two validators draw the same. Item numbers come
from SHAKE-256, not from a library's random numbers, so they are the same in every version. What an item is,
the run's task says.
Shapes: H inner steps, B items a step.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from subnetlab.train.hashing import stream
from subnetlab.train.tasks.base import Items

SHARDS: Final = 4
"""Shards a miner works on in one round."""
_LOTS: Final = 1 << 53
"""Equal lots of which a share is drawn; float64 counts so far."""


def shards(items: Items, run: str, round_: int, uid: int, block_hash: str) -> list[int]:
    """The training shards assigned to a uid for a round, ascending."""
    draws = _draw(SHARDS, items.shards, "shards", run, round_, uid, block_hash)
    return sorted(set(draws.tolist()))


def work(
    items: Items, shape: tuple[int, int], *, run: str, round_: int, uid: int, block_hash: str
) -> NDArray[np.int64]:
    """The H x B training items of a uid."""
    mine = np.array(shards(items, run, round_, uid, block_hash), dtype=np.int64)
    last = items.count - 1
    starts = np.minimum(mine * items.shard_items, last)
    count = shape[0] * shape[1]
    which = _draw(count, len(mine), "which-shard", run, round_, uid, block_hash)
    where = _draw(count, items.shard_items, "where", run, round_, uid, block_hash)
    return np.minimum(starts[which] + where, last).reshape(shape)


def judged(
    count: int, work: NDArray[np.int64], *, run: str, round_: int, uid: int, beacon: str
) -> NDArray[np.int64]:
    """The share of a miner's own items on which its update is tried, unknown until the beacon."""
    every = work.reshape(-1)
    order = np.argsort(_draw(len(every), 1 << 62, "judged", run, round_, uid, beacon), kind="stable")
    return every[order[:count]]


def held_out(items: Items, count: int, *, run: str, round_: int, beacon: str) -> NDArray[np.int64]:
    """Training items that the beacon picks, the same for all miners and validators."""
    return _draw(count, items.count, "held-out", run, round_, beacon)


def trial_place(*, run: str, round_: int, uid: int, beacon: str) -> int:
    """Where a miner's payload stands in the order in which payloads of a round are drawn to be tried."""
    return int(_draw(1, 1 << 62, "trial", run, round_, uid, beacon)[0])


def is_audited(share: float, *, run: str, round_: int, uid: int, deadline: str) -> bool:
    """Whether a miner's round is trained again, drawn by the block after which no commitment counts."""
    return int(_draw(1, _LOTS, "audit", run, round_, uid, deadline)[0]) < share * _LOTS


def probes(size: int, count: int, *, run: str, round_: int, block_hash: str) -> NDArray[np.int64]:
    """Positions in θ that the block which opens a round draws, the same for all of its miners."""
    return _draw(count, size, "probes", run, round_, block_hash)


def validation(items: Items, count: int, *, seed: int) -> NDArray[np.int64]:
    """The fixed validation items on which a run's loss is reported."""
    return _draw(count, items.count, "validation", seed)


def seed(run: str, round_: int, uid: int) -> int:
    """From where torch's generator starts a uid's round, so that dropout can be drawn again."""
    return int(_draw(1, 1 << 62, "dropout", run, round_, uid)[0])


def _draw(count: int, below: int, domain: str, *parts: str | int) -> NDArray[np.int64]:
    """`count` numbers below `below`; the bias of the remainder is under 2^-40 for any corpus."""
    raw = stream(domain, count * 8, *parts)
    return (np.frombuffer(raw, dtype="<u8") % np.uint64(below)).astype(np.int64)
