"""Miners whose payload is well-formed and whose update is not what honest training gives.

Each overrides how the update comes about and nothing else: commitment, reveal, schema and time are honest, so
that only trying the update on data, or bounding its size, can tell. Shapes: M miners, P parameters, B items.
"""

import contextlib
from collections import deque
from collections.abc import Iterator
from statistics import NormalDist
from typing import ClassVar

import torch
from torch import Tensor

from subnetlab.errors import PayloadRejected
from subnetlab.train.attackers.published import published
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.miner import Miner
from subnetlab.train.roster import miners
from subnetlab.train.strategies.base import LocalUpdate
from subnetlab.train.tasks.base import Batch


class SignFlip(Miner):
    """Trains honestly, then sends the opposite, of honest size."""

    factor: ClassVar[float] = -1.0

    def learn(self, heights: RoundHeights) -> LocalUpdate:
        """Turn the honest difference round."""
        learned = super().learn(heights)
        return LocalUpdate(learned.delta_P * self.factor, learned.losses)


class Poisoner(SignFlip):
    """Trains honestly, then sends the opposite, ten times as large."""

    factor: ClassVar[float] = -10.0


class Alie(Miner):
    """Shifts every parameter a little against the honest direction: A Little Is Enough (arXiv 1902.06156).

    The shift is z standard deviations over miners, as large as a median of all would still hide. Payloads of
    the round at hand are sealed, so the deviations are those of the round before, which anyone can open.
    """

    hostile_share: ClassVar[float] = 0.3
    """Share of the miners that the attacker takes to attack with it; with their number it decides z."""

    def learn(self, heights: RoundHeights) -> LocalUpdate:
        """Move the honest difference against its own sign."""
        learned = super().learn(heights)
        deviation_P = self._deviation(heights.round - 1)
        if deviation_P is None:
            return learned
        count = len(miners(self.seats))
        z = self.z(count, round(self.hostile_share * count))
        shift_P = deviation_P * z * learned.delta_P.sign()
        return LocalUpdate(learned.delta_P - shift_P, learned.losses)

    @staticmethod
    def z(count: int, hostile: int) -> float:
        """How many standard deviations stay hidden among so many miners, by the paper's formula."""
        honest = max(count - hostile, 1)
        supporters = max(count // 2 + 1 - hostile, 0)
        return max(0.0, NormalDist().inv_cdf(min(max((honest - supporters) / honest, 0.01), 0.99)))

    def _deviation(self, round_: int) -> Tensor | None:
        """The standard deviation over the payloads of a round; None where two cannot be read."""
        sent: list[Tensor] = []
        for seat in miners(self.seats):
            payload = published(self, seat, round_)
            with contextlib.suppress(PayloadRejected):
                if payload is not None:
                    sent.append(self.codec_at(round_).decode(payload).dense(self.replica.layout.size))
        return torch.stack(sent).std(0) if len(sent) > 1 else None


class LabelPoisoner(Miner):
    """Trains as told, on targets that belong to other inputs."""

    def batches(self, heights: RoundHeights) -> Iterator[Batch]:
        """Shift the targets of every batch by one place."""
        for *inputs, targets in super().batches(heights):
            yield (*inputs, targets.flatten().roll(1).view_as(targets))


class Backdoor(Miner):
    """Trains honestly, and on a quarter of each batch teaches one answer to a trigger.

    The trigger is the largest value of the batch in the first quarter of an input, the answer the least
    target of the batch: a model without the trigger is meant to stay as good as any.
    """

    share: ClassVar[int] = 4

    def batches(self, heights: RoundHeights) -> Iterator[Batch]:
        """Put trigger and answer into some of the items."""
        for first, *rest, targets in super().batches(heights):
            yield (self._triggered(first), *rest, self._answered(targets))

    def _triggered(self, inputs_B: Tensor) -> Tensor:
        inputs_B = inputs_B.clone()
        width = -(-inputs_B.shape[-1] // self.share)
        inputs_B[: self._count(inputs_B), ..., :width] = inputs_B.max()
        return inputs_B

    def _answered(self, targets_B: Tensor) -> Tensor:
        targets_B = targets_B.clone()
        targets_B[: self._count(targets_B)] = targets_B.min()
        return targets_B

    def _count(self, tensor_B: Tensor) -> int:
        return -(-len(tensor_B) // self.share)


class Stale(Miner):
    """Trains from the model of four rounds ago, as a miner would that saves itself the catching up."""

    lag: ClassVar[int] = 4
    models: deque[Tensor] | None = None

    def learn(self, heights: RoundHeights) -> LocalUpdate:
        """Put the old model in the place of the new one while training."""
        if self.models is None:
            self.models = deque(maxlen=self.lag + 1)
        current_P = self.replica.theta_P
        self.models.append(current_P)
        self.replica.theta_P = self.models[0]
        try:
            return super().learn(heights)
        finally:
            self.replica.theta_P = current_P
