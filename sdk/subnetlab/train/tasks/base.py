"""What a run learns: the seam between the training loop and the meaning of its data.

A task addresses items of a data set by number, cuts batches out of it and measures a model's loss on them.
Assignment, strategies, payloads, replicas, gate and ratings know item numbers, θ and losses only. A task is a
frozen configuration that travels in the manifest; it holds no data and no model.
Shapes: B items.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias, runtime_checkable

from numpy import int64
from numpy.typing import NDArray
from torch import Tensor, nn

from subnetlab.train.data.corpus import Corpus

Batch: TypeAlias = tuple[Tensor, ...]
"""Inputs and targets as the task's own loss takes them; opaque to everything else."""
Part = Literal["train", "validation"]

SHARD_ITEMS: Final = 65_536
MODEL_ERRORS: Final = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip
"""What a person's `forward` or loss raises when it does not fit its batch."""


class LossFailed(RuntimeError):
    """A loss of one's own failed on outputs that the model made; its text is a whole sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """The items of one part of a data set, numbered from 0."""

    count: int
    shards: int
    """Miners are assigned shards of consecutive items."""
    shard_items: int = SHARD_ITEMS

    @staticmethod
    def separate(count: int, *, most: int = SHARD_ITEMS) -> "Items":
        """Items in shards of one size, at most `most`, so that each item is drawn as often as another."""
        shards = max(1, -(-count // most))
        return Items(count=count, shards=shards, shard_items=max(1, -(-count // shards)))


class Task(Protocol):
    """One kind of learning with all its options."""

    @property
    def unit(self) -> str:
        """The unit of a loss in words, such as "nats per byte"."""
        ...

    def items(self, data: Corpus, part: Part) -> Items:
        """The addressable items of a part.

        Raises:
            DatasetEmpty: it holds not one item.
        """
        ...

    def batch(self, data: Corpus, part: Part, numbers_B: NDArray[int64]) -> Batch:
        """The items with these numbers, in this order."""
        ...

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """The mean loss of a batch, differentiable; what a miner descends."""
        ...

    def losses(self, model: nn.Module, batch: Batch) -> Tensor:
        """The loss of every item, shape (B,); what a validator compares."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a model makes, for people to look at."""

    prompt: str
    text: str


@runtime_checkable
class Samples(Protocol):
    """A task whose models can show what they learned; optional."""

    def sample(self, model: nn.Module) -> Sample | None:
        """A sample of the model's output, the same for the same model; None where none is asked for."""
        ...


@runtime_checkable
class Measures(Protocol):
    """A task that says more about a model than its loss; optional."""

    def pair(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Outputs and targets of a batch, as metrics take them."""
        ...

    def measure(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Metrics of the model on the held-out batches by name; what is not finite is left out."""
        ...
