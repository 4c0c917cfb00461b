"""What tasks on tables share: how rows become tensors, and how a model is called and its answer read.

Floats are given as 32-bit floats. Images, that is bytes with at least two axes, are floats from 0 to 1. Whole
numbers are floats, unless the model looks them up in an embedding or takes no floats there: then they stay
whole. A model with one input is given it as its argument, one with several by their names.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch
from numpy import int64
from numpy.typing import NDArray
from torch import Tensor, nn

from subnetlab.errors import DataInvalid, ModelNotBuildable
from subnetlab.text import kind_of
from subnetlab.train.data.columns import Column
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.tasks.base import Batch, Items, Part
from subnetlab.train.tasks.metrics import Metric

SELDOM: dict[str, Any] = {"seldom": True}
"""Marks a field that a manifest leaves out where it has its default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """How a model is given the rows of a table."""

    inputs: tuple[str, ...] = field(default=(), metadata=SELDOM)
    """The names of the inputs where there are several."""
    integers: bool = field(default=False, metadata=SELDOM)
    """Whether whole numbers stay whole."""
    metrics: tuple[Metric, ...] = field(default=(), metadata=SELDOM)

    def items(self, data: Corpus, part: Part) -> Items:
        """The rows of a part.

        Raises:
            DataInvalid: the data is a stream of tokens.
        """
        if not data.manifest.columns:
            raise DataInvalid(
                "The data is text or tokens, and the task takes a table.",
                hint='Give rows, such as (x, y) or a frame, or task="next_token".',
            )
        return Items.separate(len(data.part(part)))

    def batch(self, data: Corpus, part: Part, numbers_B: NDArray[int64]) -> Batch:
        """The inputs, in the order of the columns, and the target if there is one."""
        rows = data.part(part)[numbers_B]
        taken = [self._input(column, rows[column.name]) for column in data.manifest.inputs]
        target = data.manifest.target
        return (*taken, self.target(target, rows[target.name])) if target is not None else tuple(taken)

    def target(self, column: Column, values_B: NDArray[Any]) -> Tensor:
        """The target of some rows as the loss takes it."""
        kind = np.float32 if column.dtype == "f4" else np.int64
        return torch.from_numpy(np.ascontiguousarray(values_B, dtype=kind))

    def given(self, column: Column) -> tuple[str, int]:
        """The type in which a model is given an input, and what the stored numbers are divided by."""
        whole = column.dtype != "f4" and self.integers
        image = column.dtype == "u1" and len(column.shape) > 1 and not whole
        return "int64" if whole else "float32", 255 if image else 1

    def _input(self, column: Column, values_B: NDArray[Any]) -> Tensor:
        dtype, divisor = self.given(column)
        found = torch.from_numpy(np.ascontiguousarray(values_B, dtype=dtype))
        return found / divisor if divisor != 1 else found

    def answer(self, model: nn.Module, batch: Batch) -> Tensor:
        """What the model makes of a batch's inputs.

        Raises:
            ModelNotBuildable: it is no tensor.
        """
        if not self.inputs:
            return output_of(model(batch[0]))
        return output_of(model(**dict(zip(self.inputs, batch, strict=False))))


def output_of(answered: Any) -> Tensor:
    """The outputs in what a model returns, at least fp32: a tensor, `.logits`, or the first of several.

    Raises:
        ModelNotBuildable: there is no tensor.
    """
    found = answered
    if isinstance(found, dict):
        found = cast("dict[str, Any]", found).get("logits")
    elif not isinstance(found, Tensor) and getattr(found, "logits", None) is not None:
        found = found.logits
    elif isinstance(found, tuple | list) and found:
        found = cast("tuple[Any, ...]", found)[0]
    if not isinstance(found, Tensor):
        raise ModelNotBuildable(
            f"The model returned {kind_of(answered)} without outputs.",
            hint="Let forward return a tensor, or an object with .logits.",
        )
    return found.float() if found.dtype in (torch.float16, torch.bfloat16) else found


def gathered(pairs: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Outputs and targets of several batches as one, on the CPU."""
    outputs, targets = zip(*pairs, strict=True)
    return torch.cat(outputs).cpu(), torch.cat(targets).cpu()
