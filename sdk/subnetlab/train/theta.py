"""θ, the model's trainable parameters as one flat vector: where each tensor lies, its hash, and its training.

A module's parameters become views of one vector, so loading θ, taking a difference and an optimizer step are
single operations. θ is fp32; parameters of another type are cast from it, rounding to nearest, before every
use. Tied weights are in θ once. Frozen parameters are not part of θ and stay as built; buffers are not
either, and `statistics` says what becomes of them.
Shapes: P parameters, B items.
"""

import math
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from subnetlab.errors import ModelFailed
from subnetlab.train import optimizer
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.execution import ON_CPU, Execution
from subnetlab.train.hashing import digest
from subnetlab.train.optimizer import OptimizerConfig
from subnetlab.train.statistics import Statistics
from subnetlab.train.tasks.base import MODEL_ERRORS, Batch, LossFailed, Measures, Sample, Samples, Task

FP32_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """Names and shapes of the tensors in θ, in their order."""

    tensors: tuple[tuple[str, tuple[int, ...]], ...]

    @staticmethod
    def of(model: nn.Module) -> "Layout":
        """The layout of a module's trainable parameters."""
        return Layout(tuple((name, tuple(p.shape)) for name, p in trainable(model)))

    @property
    def size(self) -> int:
        """Parameters in all, P."""
        return sum(math.prod(shape) for _, shape in self.tensors)

    @property
    def dense_bytes(self) -> int:
        """Bytes of θ, or of one plain fp32 update."""
        return self.size * FP32_BYTES

    def spans(self) -> list[tuple[int, int]]:
        """First and last-plus-one position of every tensor."""
        ends: list[tuple[int, int]] = []
        start = 0
        for _, shape in self.tensors:
            ends.append((start, start + math.prod(shape)))
            start = ends[-1][1]
        return ends

    def split(self, vector_P: Tensor) -> dict[str, Tensor]:
        """Name the parts of a flat vector; the parts are views."""
        return {
            name: vector_P[start:end].view(shape)
            for (name, shape), (start, end) in zip(self.tensors, self.spans(), strict=True)
        }


class FlatModel:
    """One module laid out flat, with its task, its gradient and its own optimizer."""

    def __init__(
        self, module: nn.Module, task: Task, config: OptimizerConfig, execution: Execution = ON_CPU
    ) -> None:
        """Move the module to its device, and its parameters into one vector there."""
        self.module, self.task, self.execution = module.to(execution.device), task, execution
        self.layout = Layout.of(module)
        self.config = config
        with execution.creating():
            self.theta_P = torch.empty(self.layout.size)
            self.gradient_P = torch.zeros(self.layout.size)
        self.forget()
        self._training = execution.training(module)
        values = self.layout.split(self.theta_P)
        gradients = self.layout.split(self.gradient_P)
        self._statistics = Statistics(module, execution)
        self._cast: list[tuple[nn.Parameter, Tensor, Tensor]] = []
        """Parameters that are not fp32, with their places in θ and in the gradient."""
        for name, parameter in trainable(module):
            values[name].copy_(parameter.detach())
            if parameter.dtype == torch.float32:
                parameter.data = values[name]
                parameter.grad = gradients[name]
            else:
                self._cast.append((parameter, values[name], gradients[name]))

    def load(self, theta_P: Tensor) -> None:
        """Set the parameters."""
        self.theta_P.copy_(theta_P)

    def moved_from(self, theta_P: Tensor) -> Tensor:
        """θ minus the parameters as they are, on the CPU."""
        return (theta_P.to(self.theta_P.device) - self.theta_P).cpu()

    def forget(self) -> None:
        """Start the optimizer's moments afresh."""
        with self.execution.creating():
            self.optimizer = optimizer.start(self.config, self.layout.tensors)

    def differentiate(self, batch: Batch) -> float:
        """Put the mean loss's gradient into `gradient_P`; returns the loss."""
        self.gradient_P.zero_()
        for parameter, _, _ in self._cast:
            parameter.grad = None
        with _own_words("was trained", batch):
            model = self._in_mode(training=True)
            with self.execution.arithmetic():
                loss = self.task.loss(model, self.execution.moved(batch))
            loss.backward()
        for parameter, _, gradient in self._cast:
            if parameter.grad is not None:
                gradient.copy_(parameter.grad)
        return float(loss.detach())

    @property
    def has_statistics(self) -> bool:
        """Whether `settle` may change a buffer."""
        return self._statistics.moving

    def settle(self, corpus: Corpus) -> None:
        """Make the buffers those of θ as it is; what is judged, shown or saved is settled first."""
        if self._statistics.moving:
            self._refresh()
            self._statistics.estimate(self.task, corpus)

    def state(self) -> dict[str, Tensor]:
        """A copy of all that `load_state_dict` takes, tied weights under each of their names."""
        self._refresh()
        state = {name: part for name, part in self.module.state_dict().items() if isinstance(part, Tensor)}
        return {name: part.detach().cpu().clone().contiguous() for name, part in state.items()}

    @torch.no_grad()
    def loss(self, batch: Batch) -> float:
        """The mean loss of a batch, in evaluation mode."""
        with _own_words("was evaluated", batch), self.execution.arithmetic():
            return float(self.task.loss(self._in_mode(training=False), self.execution.moved(batch)))

    @torch.no_grad()
    def losses(self, batch: Batch) -> Tensor:
        """The loss of every item, shape (B,), in evaluation mode: every validator measures the same."""
        with _own_words("was evaluated", batch), self.execution.arithmetic():
            return self.task.losses(self._in_mode(training=False), self.execution.moved(batch)).cpu()

    @torch.no_grad()
    def measure(self, batches: Iterable[Batch]) -> dict[str, float]:
        """The task's metrics, in evaluation mode; none of a task that has no others than its loss."""
        model = self._in_mode(training=False)
        if not isinstance(self.task, Measures):
            return {}
        with self.execution.arithmetic():
            return self.task.measure(model, map(self.execution.moved, batches))

    @torch.no_grad()
    def sample(self) -> Sample | None:
        """What the model makes of the task's prompt; None where the task has no samples."""
        model = self._in_mode(training=False)
        with self.execution.arithmetic():
            return self.task.sample(model) if isinstance(self.task, Samples) else None

    def _refresh(self) -> None:
        with torch.no_grad():
            for parameter, value, _ in self._cast:
                parameter.copy_(value)

    def _in_mode(self, *, training: bool) -> nn.Module:
        self._refresh()
        if self.module.training is not training:
            self.module.train(training)
        return self._training if training else self.module


@contextmanager
def _own_words(doing: str, batch: Batch) -> Generator[None]:
    """Say that it was the model that failed, and on what."""
    try:
        yield
    except LossFailed as error:
        raise ModelFailed(str(error), hint="The traceback is in the run's log.") from error
    except MODEL_ERRORS as error:
        shapes = " and ".join(str(tuple(part.shape)) for part in batch)
        said = str(error).strip().split("\n")[0].rstrip(".")
        raise ModelFailed(
            f"The model failed as it {doing} on a batch of shape {shapes}: {type(error).__name__}: {said}."
        ) from error


def trainable(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """The parameters that training moves, by name."""
    return [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]


def theta_hash(theta_P: Tensor) -> str:
    """The hash of a parameter vector: its fp32 bytes, little-endian, in layout order."""
    values_P = theta_P.detach().cpu().contiguous().numpy().astype("<f4", copy=False)
    return digest("theta", values_P.view(np.uint8).data).hex()
