"""Loss a lone update removes, tried on the miner's own sequences and on ones nobody was assigned.

The model before and after is judged on the same sequences, so the difference is far less noisy than either
loss. Both validators draw the same sequences from the beacon and so measure the same (the Gauntlet rule draws
differently per validator; its weights cannot be reproduced).
Shapes: B sequences, T tokens, V vocabulary, P parameters.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from subnetlab.train import assignment
from subnetlab.train.data.corpus import Corpus, sequences
from subnetlab.train.manifest import Manifest
from subnetlab.train.payload.update import Update
from subnetlab.train.theta import Bench

_CHUNK = 16
"""Sequences per forward pass: larger ones leave the processor's cache (64 take a third longer)."""


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
    """θ of one round on the bench, and the data on which lone updates are tried."""

    def __init__(
        self, bench: Bench, theta_P: Tensor, corpus: Corpus, context: int, held_out: NDArray[np.int64]
    ) -> None:
        """Measure θ on the held-out sequences once."""
        self.bench, self.theta_P, self.corpus, self.context = bench, theta_P, corpus, context
        self.held_out = held_out
        bench.load(theta_P)
        self.before = float(self._losses(held_out).mean())

    def removed(self, update: Update, rate: float, assigned: NDArray[np.int64]) -> Removed:
        """Try θ minus `rate` times the update."""
        bench = self.bench
        bench.load(self.theta_P)
        assigned_before = float(self._losses(assigned).mean())
        update.subtract_from(bench.theta_P, rate)
        after_B = self._losses(np.concatenate([self.held_out, assigned]))
        held_out_after = float(after_B[: len(self.held_out)].mean())
        assigned_after = float(after_B[len(self.held_out) :].mean())
        return Removed(
            _relative(assigned_before, assigned_after),
            _relative(self.before, held_out_after),
        )

    def _losses(self, offsets_B: NDArray[np.int64]) -> Tensor:
        return sequence_losses(self.bench, self.corpus.train, offsets_B, self.context)


@torch.no_grad()
def sequence_losses(
    bench: Bench, tokens: NDArray[np.uint8], offsets_B: NDArray[np.int64], context: int
) -> Tensor:
    """The mean loss of every sequence, nats per token."""
    losses: list[Tensor] = []
    for start in range(0, len(offsets_B), _CHUNK):
        x_BT, y_BT = sequences(tokens, offsets_B[start : start + _CHUNK], context)
        logits_BTV = bench.model(x_BT)
        nats = functional.cross_entropy(logits_BTV.flatten(0, 1), y_BT.flatten(), reduction="none")
        losses.append(nats.view(y_BT.shape).mean(1))
    return torch.cat(losses)


def validation_loss(bench: Bench, manifest: Manifest, corpus: Corpus) -> float:
    """The loss of the model on the bench on the run's fixed validation sequences, nats per token."""
    scoring, context = manifest.scoring, manifest.model.context
    count = scoring.validation_batches * scoring.validation_sequences
    offsets_B = assignment.validation(corpus, context, count, seed=manifest.seed)
    return float(sequence_losses(bench, corpus.validation, offsets_B, context).mean())


def _relative(before: float, after: float) -> float:
    difference = (before - after) / before if before > 0 else 0.0
    return difference if np.isfinite(difference) else -1.0
