"""Miners that hand in work which is not their own: another's payload, or one work under several hotkeys."""

import time
from collections.abc import Iterator
from typing import ClassVar

import torch

from subnetlab.train import assignment
from subnetlab.train.attackers.published import published
from subnetlab.train.delivery import RoundWork
from subnetlab.train.hashing import stream
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.miner import Miner
from subnetlab.train.others_work import first_sealed
from subnetlab.train.payload.seal import Binding, Sealed, seal
from subnetlab.train.roster import miners
from subnetlab.train.strategies.base import LocalUpdate
from subnetlab.train.tasks.base import Batch


class Copycat(Miner):
    """Does no work: takes another miner's sealed object from the store and commits to it as its own."""

    def work(self, heights: RoundHeights) -> RoundWork:
        """Nothing; the payload is somebody else's."""
        del heights
        return RoundWork(b"", 0.0, 0.0, 0.0)

    def sealed(self, payload: bytes, binding: Binding) -> Sealed:
        """Take the first object that another miner puts there in this round, once one is there."""
        own = seal(payload, binding)
        found = first_sealed(self.store, self.seats, self.seat.uid, binding.round, self.codec.limit * 2)
        return own if found is None else Sealed(*found, own.payload_hash, own.salt, own.key)


class DelayedCopycat(Miner):
    """Does no work but in its first round: sends what another miner revealed in the round before."""

    def work(self, heights: RoundHeights) -> RoundWork:
        """The earlier payload of the first other miner that has one, under this miner's own seal."""
        began = time.perf_counter()
        for seat in miners(self.seats):
            payload = None if seat.uid == self.seat.uid else published(self, seat, heights.round - 1)
            if payload is not None:
                return RoundWork(payload, 0.0, 0.0, time.perf_counter() - began)
        return super().work(heights)


class Sybil(Miner):
    """One of several hotkeys of one owner, who works once and sends the work under each of them.

    The work is that of the lowest miner's uid, which every sybil draws alike; a noise too small to matter
    makes the payloads differ, because equal ones are dropped.
    """

    noise: ClassVar[float] = 1e-5
    """Of the update's own root mean square."""

    def batches(self, heights: RoundHeights) -> Iterator[Batch]:
        """The items of the lowest miner, whichever hotkey this is."""
        task, strategy = self.manifest.task, self.manifest.strategy
        work_HB = assignment.work(
            task.items(self.corpus, "train"),
            (strategy.inner_steps, self.manifest.batch_size),
            run=self.manifest.drawn_for,
            round_=heights.round,
            uid=min(self.drawn_as(seat.uid) for seat in miners(self.seats)),
            block_hash=self.drawn_at(heights.open),
        )
        return (task.batch(self.corpus, "train", numbers_B) for numbers_B in work_HB)

    def learn(self, heights: RoundHeights) -> LocalUpdate:
        """Add the noise that makes this hotkey's payload its own."""
        learned = super().learn(heights)
        drawn = self.manifest.drawn_for, heights.round, self.drawn_as(self.seat.uid)
        seed = int.from_bytes(stream("sybil", 7, *drawn), "little")
        noise_P = torch.randn(len(learned.delta_P), generator=torch.Generator().manual_seed(seed))
        scale = float(learned.delta_P.square().mean().sqrt()) * self.noise
        return LocalUpdate(learned.delta_P + noise_P * scale, learned.losses)
