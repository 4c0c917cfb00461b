"""What a training algorithm must answer, and the inner loop that most of them share.

A strategy is a frozen configuration; whatever it remembers between rounds lives in the `State` it is handed,
one for a miner's own memory (error feedback) and one for what every peer keeps alike (outer momentum).
Shapes: P parameters.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from subnetlab.train.payload.sparse import State
from subnetlab.train.payload.update import Update
from subnetlab.train.tasks.base import Batch
from subnetlab.train.theta import FlatModel, Layout

OnStep = Callable[[int, float], None]
"""Called after every inner step with its number in the round and its loss."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The place of a round in its run."""

    round: int
    rounds: int
    inner_steps: int

    @property
    def first_step(self) -> int:
        """The run's inner step that opens this round."""
        return self.round * self.inner_steps

    @property
    def steps(self) -> int:
        """All inner steps of the run."""
        return self.rounds * self.inner_steps


@dataclass(frozen=True, slots=True)
class LocalUpdate:
    """What a miner brings out of its inner steps."""

    delta_P: Tensor
    """The pseudo-gradient: θ before minus θ after."""
    losses: list[float]


class Codec(Protocol):
    """How a strategy's pseudo-gradients travel, for one layout."""

    @property
    def limit(self) -> int:
        """Most bytes an encoded payload can take."""
        ...

    def encode(self, delta_P: Tensor, memory: State) -> bytes:
        """Code a pseudo-gradient; `memory` is the miner's own."""
        ...

    def decode(self, data: bytes) -> Update:
        """Read a payload that may be hostile.

        Raises:
            PayloadRejected: anything that `encode` would not write.
        """
        ...


class Strategy(Protocol):
    """One training algorithm with all its options."""

    @property
    def inner_steps(self) -> int:
        """Optimizer steps a miner takes per round, H."""
        ...

    @property
    def trial_rate(self) -> float:
        """How far a lone update moves θ when a validator tries it."""
        ...

    def learn(
        self, model: FlatModel, theta_P: Tensor, batches: Iterable[Batch], progress: Progress, on_step: OnStep
    ) -> LocalUpdate:
        """Train from θ on the round's batches."""
        ...

    def codec(self, layout: Layout) -> Codec:
        """The codec for a layout."""
        ...

    def combine(self, updates: Sequence[Update], layout: Layout) -> Update:
        """The aggregate of accepted updates in uid order, reproducible to the bit."""
        ...

    def apply(self, theta_P: Tensor, aggregate: Update, outer: State, progress: Progress) -> None:
        """Move θ in place by one outer step; `outer` is the same in every peer."""
        ...


@runtime_checkable
class StartsElsewhere(Protocol):
    """A strategy whose miners need not start a round from θ; optional beside `Strategy`."""

    def start(self, theta_P: Tensor, layout: Layout, memory: State) -> Tensor:
        """Where a miner's inner steps start from; `memory` is the miner's own."""
        ...


def inner_loop(
    model: FlatModel, theta_P: Tensor, batches: Iterable[Batch], progress: Progress, on_step: OnStep
) -> LocalUpdate:
    """The optimizer's steps from θ; its moments stay with the model from round to round."""
    model.load(theta_P)
    losses: list[float] = []
    for index, batch in enumerate(batches):
        losses.append(model.differentiate(batch))
        rate = model.config.rate(progress.first_step + index, progress.steps)
        model.optimizer.step(model.theta_P, model.gradient_P, rate)
        on_step(index, losses[-1])
    return LocalUpdate(theta_P - model.theta_P, losses)


def nesterov_step(
    theta_P: Tensor, aggregate: Update, outer: State, *, lr: float, momentum: float
) -> None:  # fmt: skip
    """Move θ in place by one step of torch's SGD with Nesterov momentum: velocity first, then look ahead.

    Elementwise and in fixed rounding steps, so every peer and every replay gets the same bits.
    """
    aggregate_P = aggregate.dense(theta_P.numel())
    velocity_P = outer.setdefault("velocity", torch.zeros_like(theta_P))
    velocity_P.mul_(momentum).add_(aggregate_P)
    theta_P -= (velocity_P * momentum + aggregate_P) * lr
