"""Numbers beside the loss that say how good a model is: accuracy, macro F1, R², MAE, and one's own functions.

A metric is measured on the held-out items as one batch. What is not finite, or fails, is left out.
Shapes: N items, C classes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from subnetlab.errors import ManifestInvalid
from subnetlab.train.tasks import code
from subnetlab.train.tasks.base import MODEL_ERRORS
from subnetlab.train.tasks.code import Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A function of outputs and targets under a name."""

    name: str
    code: Code

    def of(self, outputs: Tensor, targets: Tensor) -> float:
        """Its value as a number.

        Raises:
            TypeError: the function returns none.
        """
        value = self.code.function()(outputs, targets)
        return float(value)

    def to_json(self) -> dict[str, Any]:
        """The metric in JSON types."""
        return {"name": self.name, "code": self.code.to_json()}


def from_json(told: Any) -> tuple[Metric, ...]:
    """Read the metrics of a task back.

    Raises:
        ManifestInvalid: they do not fit.
    """
    try:
        return tuple(Metric(name=str(one["name"]), code=code.from_json(one["code"])) for one in told)
    except (TypeError, LookupError) as error:
        raise ManifestInvalid(f"The metrics of the task do not fit: {error}.") from error


def measured(own: Iterable[Metric], outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """The values of one's own functions, but those that fail or are not finite."""
    found: dict[str, float] = {}
    outputs, targets = outputs.cpu(), targets.cpu()
    for metric in own:
        try:
            found[metric.name] = metric.of(outputs, targets)
        except (*MODEL_ERRORS, ManifestInvalid):
            continue
    return finite(found)


def usual(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """What outputs and targets of a loss of one's own say by themselves; empty where they say nothing.

    Numbers in the shape of their targets have R² and MAE, logits of whole classes accuracy and macro F1.
    """
    if targets.is_floating_point():
        if outputs.shape != targets.shape or not len(targets):
            return {}
        rows = (outputs.reshape(len(outputs), -1), targets.reshape(len(targets), -1))
        return finite({"r2": r2(*rows), "mae": mae(*rows)})
    if outputs.dim() != targets.dim() + 1 or outputs.shape[:-1] != targets.shape or outputs.shape[-1] < 2:
        return {}
    classes = outputs.argmax(-1)
    return finite({"accuracy": accuracy(classes, targets), "macro_f1": macro_f1(classes, targets)})


def finite(found: dict[str, float]) -> dict[str, float]:
    """The numbers that are finite."""
    return {name: value for name, value in found.items() if isfinite(value)}


def accuracy(classes_N: Tensor, targets_N: Tensor) -> float:
    """The share of items whose class is right."""
    return float((classes_N == targets_N).double().mean())


def macro_f1(classes_N: Tensor, targets_N: Tensor) -> float:
    """The mean of F1 = 2tp / (2tp + fp + fn) over the classes that occur among outputs or targets."""
    occurring = torch.unique(torch.cat([classes_N.flatten(), targets_N.flatten()]))
    scores: list[float] = []
    for one in occurring:
        said, true = classes_N == one, targets_N == one
        right = int((said & true).sum())
        scores.append(2 * right / (int(said.sum()) + int(true.sum())))
    return sum(scores) / len(scores) if scores else float("nan")


def r2(outputs: Tensor, targets: Tensor) -> float:
    """1 minus the squared error as a share of that of the mean; several targets are averaged."""
    outputs, targets = outputs.double().flatten(1), targets.double().flatten(1)
    rest = (targets - outputs).square().sum(0)
    spread = (targets - targets.mean(0)).square().sum(0)
    return float((1 - rest / spread).mean())


def mae(outputs: Tensor, targets: Tensor) -> float:
    """The mean absolute error, in the unit of the target."""
    return float((outputs.double() - targets.double()).abs().mean())
