"""A loss of one's own, on rows of a table or on windows of tokens.

`loss(outputs, targets)` compares what the model makes of the inputs with the targets; without a target, with
the inputs. `loss(model, batch)`, told by the name of its first argument, is given the model and every tensor
of the batch. It returns one loss per item, shape (B,), or a mean. A validator compares items: a function that
takes `reduction` is asked for every item's loss, and one that returns a mean is given one item at a time.
Shapes: B items.
"""

import inspect
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import torch
from numpy import int64
from numpy.typing import NDArray
from torch import Tensor, nn

from subnetlab.errors import ModelNotBuildable
from subnetlab.text import kind_of
from subnetlab.train.data.corpus import Corpus, sequences
from subnetlab.train.tasks import metrics
from subnetlab.train.tasks.base import MODEL_ERRORS, Batch, Items, LossFailed, Part
from subnetlab.train.tasks.code import Code
from subnetlab.train.tasks.next_token import NextToken
from subnetlab.train.tasks.rows import SELDOM, Rows, gathered


@dataclass(frozen=True, slots=True, kw_only=True)
class Own(Rows):
    """`code` is the loss; `seq_len` makes items of windows of tokens, None of rows."""

    code: Code
    seq_len: int | None = field(default=None, metadata=SELDOM)

    @property
    def unit(self) -> str:
        """The name of the loss."""
        return "own loss" if self.code.name == "function" else self.code.name.replace("_", " ")

    @property
    def takes_model(self) -> bool:
        """Whether the loss is given the model and the whole batch, and calls the model itself."""
        return self._arguments()[:1] == ["model"]

    def items(self, data: Corpus, part: Part) -> Items:
        """Rows, or windows of tokens."""
        if self.seq_len is None:
            return Rows.items(self, data, part)
        return NextToken(seq_len=self.seq_len, even=True).items(data, part)

    def batch(self, data: Corpus, part: Part, numbers_B: NDArray[int64]) -> Batch:
        """Inputs, then the target if there is one; of tokens, x_BT and y_BT."""
        if self.seq_len is None:
            return Rows.batch(self, data, part, numbers_B)
        return sequences(data.part(part), numbers_B, self.seq_len)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """The mean loss of the items."""
        return self._called(model, batch).mean()

    def losses(self, model: nn.Module, batch: Batch) -> Tensor:
        """The loss of every item."""
        count = len(batch[0])
        options = {"reduction": "none"} if "reduction" in self._arguments() else {}
        found = self._called(model, batch, **options)
        if found.dim() and len(found) == count:
            return found.reshape(count, -1).mean(1)
        each = (self._called(model, tuple(part[i : i + 1] for part in batch)).mean() for i in range(count))
        return torch.stack(list(each))

    def measure(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """What outputs and targets say by themselves, and one's own metrics of them; these come first.

        Of windows of tokens each is the mean over batches. A loss that is given the model says itself what
        it compares, so of that one's own metrics are measured alone.
        """
        usual = not self.takes_model
        if not usual and not self.metrics:
            return {}
        pairs = (self.pair(model, batch) for batch in batches)
        if self.seq_len is None:
            return self._of_pair(*gathered(pairs), usual=usual)
        found = [self._of_pair(*pair, usual=usual) for pair in pairs]
        names = {name for one in found for name in one}
        return {name: fmean(one[name] for one in found if name in one) for name in sorted(names)}

    def _of_pair(self, outputs: Tensor, targets: Tensor, *, usual: bool) -> dict[str, float]:
        said = metrics.usual(outputs, targets) if usual else {}
        return said | metrics.measured(self.metrics, outputs, targets)

    def pair(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Outputs and targets; a single number an item is one, not a vector of one."""
        outputs, targets = self.answer(model, batch), batch[-1]
        if targets.is_floating_point() and outputs.shape == (*targets.shape, 1):
            outputs = outputs.squeeze(-1)  # torch would stretch (B,) over (B, 1)
        return outputs, targets

    def _called(self, model: nn.Module, batch: Batch, **options: Any) -> Tensor:
        function = self.code.function()
        given = (model, batch) if self.takes_model else self.pair(model, batch)
        try:
            found = function(*given, **options)
        except MODEL_ERRORS as error:
            raise LossFailed(self._failure(given, error)) from error
        if not isinstance(found, Tensor) or not found.is_floating_point():
            raise ModelNotBuildable(
                f"The loss {self.code.name!r} returned {kind_of(found)}.",
                hint="Return a tensor: a mean, or one loss per item.",
            )
        return found

    def _failure(self, given: tuple[Any, ...], error: Exception) -> str:
        """Why the loss failed and on what, as a sentence."""
        shapes = [str(tuple(part.shape)) for part in given if isinstance(part, Tensor)]
        on = f" on outputs of shape {shapes[0]} and targets of shape {shapes[1]}" if len(shapes) == 2 else ""
        who = f"The loss {self.code.name!r}{'' if shapes else ', or the model in it,'}"
        said = str(error).strip().split("\n")[0].rstrip(".")
        return f"{who} failed{on}: {type(error).__name__}: {said}."

    def _arguments(self) -> list[str]:
        function: Any = self.code.function()
        if isinstance(function, nn.Module):
            function = function.forward
        try:
            return list(inspect.signature(function).parameters)
        except (TypeError, ValueError):  # a built-in function of torch
            return []
