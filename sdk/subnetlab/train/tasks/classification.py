"""Classification: one class per item out of a few, cross-entropy in nats.

A model answers (B, C) logits, one per class; of two classes it may answer a single one, (B,) or (B, 1), for
the second. Targets with more axes, a class per token or pixel, take logits (B, …, C) or (B, C, …).
Shapes: B items, C classes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from subnetlab.errors import ArgumentInvalid, DataInvalid, ModelNotBuildable
from subnetlab.train.data.columns import Class, Column
from subnetlab.train.tasks import metrics
from subnetlab.train.tasks.base import Batch
from subnetlab.train.tasks.rows import Rows, gathered


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification(Rows):
    """`classes` in the order of the model's logits: what each of its answers means."""

    classes: tuple[Class, ...]
    measures: ClassVar[tuple[str, ...]] = ("accuracy", "macro_f1")
    """What it measures beside the loss by itself."""

    def __post_init__(self) -> None:
        """Check the classes.

        Raises:
            ArgumentInvalid: there are fewer than two, or one is named twice.
        """
        if len(self.classes) < 2 or len(set(self.classes)) < len(self.classes):
            raise ArgumentInvalid(
                f"Classification of {self.classes!r} has nothing to tell apart.",
                hint='Name two classes or more, each once: Classification(classes=("cat", "dog")).',
            )

    @property
    def unit(self) -> str:
        """Cross-entropy in nats."""
        return "nats"

    def target(self, column: Column, values_B: NDArray[Any]) -> Tensor:
        """The place of each item's class among `classes`.

        Raises:
            DataInvalid: a class occurs that the task does not know.
        """
        known = {value: place for place, value in enumerate(self.classes)}
        found = np.unique(values_B)
        values = [column.classes[int(value)] if column.coded else int(value) for value in found]
        strange = [value for value in values if value not in known]
        if strange:
            raise DataInvalid(
                f"The data has the class {strange[0]!r} of {column.name!r}, which the task does not know.",
                hint="Name all classes, or leave those items out.",
            )
        places = np.array([known[value] for value in values], dtype=np.int64)
        return torch.from_numpy(places[np.searchsorted(found, values_B)])

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Mean cross-entropy of the items."""
        return functional.cross_entropy(self.logits(model, batch), batch[-1])

    def losses(self, model: nn.Module, batch: Batch) -> Tensor:
        """Cross-entropy of every item; with several targets in one, their mean."""
        nats = functional.cross_entropy(self.logits(model, batch), batch[-1], reduction="none")
        return nats if nats.dim() == 1 else nats.flatten(1).mean(1)

    def measure(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Accuracy, macro F1, and one's own metrics of logits and places."""
        logits, targets = gathered(self.pair(model, batch) for batch in batches)
        said = logits.argmax(1)
        found = {"accuracy": metrics.accuracy(said, targets), "macro_f1": metrics.macro_f1(said, targets)}
        return metrics.finite(found) | metrics.measured(self.metrics, logits, targets)

    def pair(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits and the places of the classes."""
        return self.logits(model, batch), batch[-1]

    def logits(self, model: nn.Module, batch: Batch) -> Tensor:
        """Logits (B, C) or (B, C, …), as torch's cross-entropy takes them.

        Raises:
            ModelNotBuildable: the model's answer has another shape.
        """
        found, targets, count = self.answer(model, batch), batch[-1], len(self.classes)
        plain = tuple(targets.shape)
        if count == 2 and found.shape in (targets.shape, (*plain, 1)):
            second = found.reshape(targets.shape)
            return torch.stack([torch.zeros_like(second), second], 1)
        if found.shape == (*plain, count):
            return found.movedim(-1, 1)
        if found.shape == (plain[0], count, *plain[1:]):
            return found
        raise ModelNotBuildable(
            f"The model answered a batch with shape {tuple(found.shape)}, not {(*plain, count)}.",
            hint=f"The target has {count} classes: return one logit for each.",
        )
