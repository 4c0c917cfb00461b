"""How many blocks a public run's rounds take: from what a round costs here, with room for slower machines.

One miner and one validator rehearse a round in memory. A network's blocks wait for no peer, so every part of
a round is given a multiple of what it took, and never less than what the chain's limit on commitments allows.
"""

import math
import time
from dataclasses import dataclass, replace
from typing import Final

import torch
from bittensor_core import Keypair

from subnetlab.errors import ManifestInvalid
from subnetlab.public.fees import ANCHOR_BYTES
from subnetlab.public.subnet_reads import Rules
from subnetlab.record.events import Mined
from subnetlab.store.base import Store
from subnetlab.train.data import Corpus
from subnetlab.train.judging import Judged
from subnetlab.train.manifest import Manifest, RoundHeights
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.roster import Seat
from subnetlab.train.validator import Validator

SLOWER: Final = 3.0
"""How many times slower than this machine a peer may be."""
_LAG: Final = 1
"""Blocks until what was submitted is in one: it may just have missed the next."""
_REST: Final = 2
"""Blocks at least from a round's close to the next open, in which peers follow what was published."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one round takes on this machine, in seconds."""

    train_s: float
    """A miner's inner steps and its payload."""
    judge_s: float
    """A validator's work on one miner's payload, and the aggregate."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The blocks of a round."""

    blocks_per_round: int
    offsets: tuple[int, int, int]


def measure(manifest: Manifest, corpus: Corpus, store: Store) -> Cost:
    """Rehearse one round in memory and say what it took; `store` holds tensors that the run starts from.

    Raises:
        TrainError: the round cannot be trained.
    """
    judged: list[float] = []

    class Timed(Validator):
        """A validator that is timed."""

        def judge(self, heights: RoundHeights) -> Judged:
            began = time.perf_counter()
            found = super().judge(heights)
            judged.append(time.perf_counter() - began)
            return found

    keys = {uid: Keypair.create_from_uri(f"//Rehearsal//{uid}") for uid in (0, 1)}
    seats = (
        Seat(uid=0, hotkey=keys[0].ss58_address, role="miner"),
        Seat(uid=1, hotkey=keys[1].ss58_address, role="validator"),
    )
    tried = replace(manifest, rounds=1, first_block=1, blocks_per_round=4, offsets=(1, 2, 3))
    threads = torch.get_num_threads()
    try:
        run = Rehearsal(
            tried, seats, corpus, lambda seat: lambda data: bytes(keys[seat.uid].sign(data)),
            roles={1: Timed}, store=store, patience_s=3600,
        )  # fmt: skip
        run.run()
    finally:
        torch.set_num_threads(threads)
    mined = next(event for event in run.events if isinstance(event, Mined))
    return Cost(train_s=mined.compute_s + mined.compress_s, judge_s=judged[0])


def terms(cost: Cost, rules: Rules, *, miners: int, blocks_per_round: int = 0) -> Terms:
    """The blocks of a round for so many miners; `blocks_per_round` where that is given.

    Blocks beyond what a round needs lengthen every part of it alike: a peer that is slow, or was stopped for
    a while, then still meets its deadline.

    Raises:
        ManifestInvalid: so few blocks hold no round.
    """

    def blocks(seconds: float) -> int:
        return max(1, math.ceil(SLOWER * seconds / rules.block_s))

    commit = blocks(cost.train_s) + _LAG
    beacon = commit + _LAG + 1  # the reveal is in the store by then
    close = beacon + blocks(cost.judge_s * max(miners, 1)) + _LAG
    least = max(close + _REST, math.ceil(rules.tempo * ANCHOR_BYTES / max(rules.commit_bytes, 1)))
    length = blocks_per_round or least
    if length < least:
        raise ManifestInvalid(
            f"{blocks_per_round} blocks a round are too few: training, judging and the chain's limit on "
            f"commitments take {least} at {rules.block_s:.3g} s a block.",
            hint=f"Give blocks_per_round={least} or more, or fewer inner steps.",
        )
    needed = close + _REST
    return Terms(length, (commit * length // needed, beacon * length // needed, close * length // needed))
