"""Miners whose payload is well-formed and whose update is not what honest training gives.

Each overrides how the update comes about and nothing else: commitment, reveal, schema and time are honest, so
that only trying the update on data, or bounding its size, can tell.
"""

from typing import ClassVar

from subnetlab.train.manifest import RoundHeights
from subnetlab.train.miner import Miner
from subnetlab.train.strategies.base import LocalUpdate


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
