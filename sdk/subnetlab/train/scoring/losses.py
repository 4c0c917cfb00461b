"""Loss a lone update removes, tried on the miner's own items and on items that no miner was assigned.

The model before and after is judged on the same items, so the difference is far less noisy than either loss.
Both validators draw the same items from the beacon and so measure the same (the Gauntlet rule draws
differently per validator; its weights cannot be reproduced). Units are the task's.
Shapes: B items, P parameters.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.train import assignment
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.manifest import Manifest
from subnetlab.train.payload.update import Update
from subnetlab.train.tasks.base import Part
from subnetlab.train.theta import FlatModel

_CHUNK = 16
"""Items per forward pass: larger ones leave the processor's cache (64 take a third longer)."""


@dataclass(frozen=True, slots=True)
class Removed:
    """Relative loss removed; negative where the update did harm."""

    assigned: float
    held_out: float

    @property
    def effect(self) -> float:
        """The mean of both: what noise removes by chance differs between them, so it cancels sooner."""
        return (self.assigned + self.held_out) / 2


class Trial:
    """θ of one round, and the data on which lone updates are tried."""

    def __init__(
        self, model: FlatModel, theta_P: Tensor, corpus: Corpus, held_out: NDArray[np.int64]
    ) -> None:
        """Measure θ on the held-out items once."""
        self.model, self.theta_P, self.corpus = model, theta_P, corpus
        self.held_out = held_out
        model.load(theta_P)
        model.settle(corpus)
        self.before = float(self._losses(held_out).mean())

    def removed(self, update: Update, rate: float, assigned: NDArray[np.int64]) -> Removed:
        """Try θ minus `rate` times the update."""
        model = self.model
        model.load(self.theta_P)
        model.settle(self.corpus)
        assigned_before = float(self._losses(assigned).mean())
        update.subtract_from(model.theta_P, rate)
        model.settle(self.corpus)
        after_B = self._losses(np.concatenate([self.held_out, assigned]))
        held_out_after = float(after_B[: len(self.held_out)].mean())
        assigned_after = float(after_B[len(self.held_out) :].mean())
        return Removed(
            _relative(assigned_before, assigned_after),
            _relative(self.before, held_out_after),
        )

    def _losses(self, numbers_B: NDArray[np.int64]) -> Tensor:
        return item_losses(self.model, self.corpus, "train", numbers_B)


def item_losses(model: FlatModel, corpus: Corpus, part: Part, numbers_B: NDArray[np.int64]) -> Tensor:
    """The loss of every item."""
    starts = range(0, len(numbers_B), _CHUNK)
    batches = (model.task.batch(corpus, part, numbers_B[start : start + _CHUNK]) for start in starts)
    return torch.cat([model.losses(batch) for batch in batches])


def validation_loss(model: FlatModel, manifest: Manifest, corpus: Corpus) -> float:
    """The mean loss of the model on the run's fixed validation items."""
    scoring = manifest.scoring
    count = scoring.validation_batches * scoring.validation_sequences
    numbers_B = assignment.validation(model.task.items(corpus, "validation"), count, seed=manifest.seed)
    model.settle(corpus)
    return float(item_losses(model, corpus, "validation", numbers_B).mean())


def _relative(before: float, after: float) -> float:
    difference = (before - after) / before if before > 0 else 0.0
    return difference if np.isfinite(difference) else -1.0
