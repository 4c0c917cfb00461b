"""A free rider: sends well-formed noise with an honest-looking norm, and does no work.

Everything but the content is right: commitment, reveal, schema, levels, size. Only trying the update on data
can tell it from a miner's.
"""

import time
from typing import ClassVar

import torch

from subnetlab.record.events import Role
from subnetlab.train.delivery import RoundWork
from subnetlab.train.hashing import stream
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.miner import Miner

_HONEST_SHARE = 0.3
"""Of the farthest AdamW can move a parameter in a round; kept values then are about as large as a miner's."""
_KEPT = 2.6
"""Root mean square of the kept 1.56 % of a normal distribution, in standard deviations."""


class FreeRider(Miner):
    """A miner that wants the reward without the work."""

    role: ClassVar[Role] = "free_rider"

    def work(self, heights: RoundHeights) -> RoundWork:
        """Draw noise and encode it like a difference of parameters."""
        began = time.perf_counter()
        drawn = self.manifest.drawn_for, heights.round, self.drawn_as(self.seat.uid)
        seed = int.from_bytes(stream("noise", 7, *drawn), "little")
        generator = torch.Generator().manual_seed(seed)
        noise_P = torch.randn(self.replica.layout.size, generator=generator) * self._scale(heights)
        payload = self.codec.encode(noise_P, {})
        return RoundWork(payload, 0.0, 0.0, time.perf_counter() - began)

    def _scale(self, heights: RoundHeights) -> float:
        last = self.replica.last
        if last is not None and last.positions_N is not None:
            return float(last.values_N.square().mean().sqrt()) / _KEPT
        progress = self.manifest.progress(heights.round)
        if progress.inner_steps == 1:  # a clipped gradient has norm 1
            return self.replica.layout.size**-0.5
        steps = range(progress.first_step, progress.first_step + progress.inner_steps)
        return _HONEST_SHARE * sum(self.manifest.optimizer.rate(step, progress.steps) for step in steps)
