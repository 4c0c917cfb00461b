"""Who trains and who is judged on which sequences: unpredictable before, reproducible after.

Everything follows from hashes of the run, the round and a block hash: the block that opens the round for the
miner's work, the beacon block for the validators' choice. Two validators draw the same. Offsets come from
SHAKE-256, not from a library's random numbers, so they are the same in every version.
Shapes: H inner steps, B sequences a step.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from subnetlab.train.data.corpus import Corpus
from subnetlab.train.hashing import stream

SHARDS: Final = 4
"""Shards a miner works on in one round."""


def shards(corpus: Corpus, run: str, round_: int, uid: int, block_hash: str) -> list[int]:
    """The training shards assigned to a uid for a round, ascending."""
    draws = _draw(SHARDS, corpus.manifest.shards, "shards", run, round_, uid, block_hash)
    return sorted(set(draws.tolist()))


def offsets(
    corpus: Corpus, context: int, shape: tuple[int, int], *, run: str, round_: int, uid: int, block_hash: str
) -> NDArray[np.int64]:
    """Where the H x B training sequences of a uid begin in the training tokens."""
    mine = np.array(shards(corpus, run, round_, uid, block_hash), dtype=np.int64)
    size = corpus.manifest.shard_tokens
    last = len(corpus.train) - context - 1  # the last offset at which a sequence still fits
    starts = np.minimum(mine * size, last)
    count = shape[0] * shape[1]
    which = _draw(count, len(mine), "which-shard", run, round_, uid, block_hash)
    where = _draw(count, size, "where", run, round_, uid, block_hash)
    return np.minimum(starts[which] + where, last).reshape(shape)


def judged(
    count: int, work: NDArray[np.int64], *, run: str, round_: int, uid: int, beacon: str
) -> NDArray[np.int64]:
    """The share of a miner's own sequences on which its update is tried, unknown until the beacon."""
    every = work.reshape(-1)
    order = np.argsort(_draw(len(every), 1 << 62, "judged", run, round_, uid, beacon), kind="stable")
    return every[order[:count]]


def held_out(
    corpus: Corpus, context: int, count: int, *, run: str, round_: int, beacon: str
) -> NDArray[np.int64]:
    """Sequences of the training text that the beacon picks, the same for all miners and validators."""
    return _draw(count, len(corpus.train) - context, "held-out", run, round_, beacon)


def validation(corpus: Corpus, context: int, count: int, *, seed: int) -> NDArray[np.int64]:
    """The fixed sequences of the validation text on which a run's loss is reported."""
    return _draw(count, len(corpus.validation) - context, "validation", seed)


def _draw(count: int, below: int, domain: str, *parts: str | int) -> NDArray[np.int64]:
    """`count` numbers below `below`; the bias of the remainder is under 2^-40 for any corpus."""
    raw = stream(domain, count * 8, *parts)
    return (np.frombuffer(raw, dtype="<u8") % np.uint64(below)).astype(np.int64)
