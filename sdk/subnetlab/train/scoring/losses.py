"""Loss a lone update removes, tried on the miner's own items and on items that no miner was assigned.

The model before and after is judged on the same items, so the difference is far less noisy than either loss.
Both validators draw the same items from the beacon and so measure the same (the Gauntlet rule draws
differently per validator; its weights cannot be reproduced). Units are the task's.
Shapes: B items, P parameters.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.train import assignment
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.manifest import Manifest
from subnetlab.train.payload.update import Update
from subnetlab.train.tasks.base import Batch, Measures, Part
from subnetlab.train.theta import FlatModel

_CHUNK = 16
"""Items per forward pass: larger ones leave the processor's cache (64 take a third longer)."""


@dataclass(frozen=True, slots=True)
class Removed:
    """Relative loss removed; negative where the update did harm."""

    assigned: float
    held_out: float
    own_noise: float = 0.0
    """Standard error of the difference between the two, from how it varies over items."""
    norm: float = 0.0
    """Of the whole update, as it was sent."""

    @property
    def own(self) -> float:
        """How much more of the loss on the miner's own items was removed than on others."""
        return self.assigned - self.held_out

    @property
    def effect(self) -> float:
        """The mean of both: what noise removes by chance differs between them, so it cancels sooner."""
        return (self.assigned + self.held_out) / 2

    @property
    def effect_noise(self) -> float:
        """Standard error of that mean: half of that of the difference, whose parts are as noisy."""
        return self.own_noise / 2


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
        self._before_B = self._losses(held_out)
        self.before = float(self._before_B.mean())

    def removed(self, update: Update, rate: float, assigned: NDArray[np.int64]) -> Removed:
        """Try θ minus `rate` times the update."""
        model = self.model
        model.load(self.theta_P)
        model.settle(self.corpus)
        before_B = self._losses(assigned)
        assigned_before = float(before_B.mean())
        update.subtract_from(model.theta_P, rate)
        model.settle(self.corpus)
        after_B = self._losses(np.concatenate([self.held_out, assigned]))
        held_out_B, assigned_B = after_B[: len(self.held_out)], after_B[len(self.held_out) :]
        return Removed(
            _relative(assigned_before, float(assigned_B.mean())),
            _relative(self.before, float(held_out_B.mean())),
            math.hypot(
                _noise(before_B - assigned_B, assigned_before),
                _noise(self._before_B - held_out_B, self.before),
            ),
        )

    def _losses(self, numbers_B: NDArray[np.int64]) -> Tensor:
        return item_losses(self.model, self.corpus, "train", numbers_B)


def item_losses(model: FlatModel, corpus: Corpus, part: Part, numbers_B: NDArray[np.int64]) -> Tensor:
    """The loss of every item."""
    return torch.cat([model.losses(batch) for batch in _batches(model, corpus, part, numbers_B)])


def validation_loss(model: FlatModel, manifest: Manifest, corpus: Corpus) -> float:
    """The mean loss of the model on the run's fixed validation items."""
    model.settle(corpus)
    return float(item_losses(model, corpus, "validation", _validation_items(manifest, corpus)).mean())


def validation_metrics(model: FlatModel, manifest: Manifest, corpus: Corpus) -> dict[str, float]:
    """The task's metrics on the same items; none of a task that measures nothing else."""
    if not isinstance(model.task, Measures):
        return {}
    model.settle(corpus)
    return model.measure(_batches(model, corpus, "validation", _validation_items(manifest, corpus)))


def _validation_items(manifest: Manifest, corpus: Corpus) -> NDArray[np.int64]:
    """Drawn items; of a small table every row, once."""
    scoring = manifest.scoring
    count = scoring.validation_batches * scoring.validation_sequences
    items = manifest.task.items(corpus, "validation")
    if corpus.manifest.columns and items.count <= count:
        return np.arange(items.count, dtype=np.int64)
    return assignment.validation(items, count, seed=manifest.seed)


def _batches(model: FlatModel, corpus: Corpus, part: Part, numbers_B: NDArray[np.int64]) -> Iterator[Batch]:
    starts = range(0, len(numbers_B), _CHUNK)
    return (model.task.batch(corpus, part, numbers_B[start : start + _CHUNK]) for start in starts)


def _noise(removed_B: Tensor, before: float) -> float:
    """The standard error of what was removed, as a share of the loss before."""
    error = (
        float(removed_B.std()) / (len(removed_B) ** 0.5 * before)
        if len(removed_B) > 1 and before > 0
        else 0.0
    )
    return error if math.isfinite(error) else 0.0


def _relative(before: float, after: float) -> float:
    difference = (before - after) / before if before > 0 else 0.0
    return difference if np.isfinite(difference) else -1.0
