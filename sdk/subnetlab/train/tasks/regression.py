"""Regression: numbers to foretell, mean squared error.

Shapes: B items; outputs and targets agree, but for a single number an item, (B,) or (B, 1).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from subnetlab.errors import DataInvalid, ModelNotBuildable
from subnetlab.train.data.columns import Column
from subnetlab.train.tasks import metrics
from subnetlab.train.tasks.base import Batch
from subnetlab.train.tasks.rows import Rows, gathered


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression(Rows):
    """One number or several per item."""

    measures: ClassVar[tuple[str, ...]] = ("r2", "mae")
    """What it measures beside the loss by itself."""

    @property
    def unit(self) -> str:
        """Squared error, in the square of the target's unit."""
        return "squared error"

    def target(self, column: Column, values_B: NDArray[Any]) -> Tensor:
        """The numbers to foretell.

        Raises:
            DataInvalid: they are classes of text.
        """
        if column.coded:
            raise DataInvalid(
                f"The target {column.name!r} holds classes, such as {column.classes[0]!r}, and no numbers.",
                hint='Use task="classification".',
            )
        return torch.from_numpy(np.ascontiguousarray(values_B, dtype=np.float32))

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Mean squared error."""
        return functional.mse_loss(self.outputs(model, batch), batch[-1])

    def losses(self, model: nn.Module, batch: Batch) -> Tensor:
        """Mean squared error of every item."""
        errors = functional.mse_loss(self.outputs(model, batch), batch[-1], reduction="none")
        return errors if errors.dim() == 1 else errors.flatten(1).mean(1)

    def measure(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """R², MAE, and one's own metrics of outputs and targets."""
        outputs, targets = gathered(self.pair(model, batch) for batch in batches)
        rows = (outputs.reshape(len(outputs), -1), targets.reshape(len(targets), -1))
        found = {"r2": metrics.r2(*rows), "mae": metrics.mae(*rows)}
        return metrics.finite(found) | metrics.measured(self.metrics, outputs, targets)

    def pair(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Outputs and targets in one shape."""
        return self.outputs(model, batch), batch[-1]

    def outputs(self, model: nn.Module, batch: Batch) -> Tensor:
        """The model's answer in the shape of the target.

        Raises:
            ModelNotBuildable: the shapes do not agree; torch would stretch one over the other.
        """
        found, targets = self.answer(model, batch), batch[-1]
        alike = ((*targets.shape, 1), targets.shape[:-1]) if found.numel() == targets.numel() else ()
        if found.shape not in (targets.shape, *alike):
            raise ModelNotBuildable(
                f"The model answered a batch with shape {tuple(found.shape)}, not {tuple(targets.shape)}.",
                hint="Return one number for each number of the target; classes are given as whole numbers.",
            )
        return found.reshape(targets.shape)
