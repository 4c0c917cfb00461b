"""What a training algorithm must answer, and what most of them share.

A strategy is a frozen configuration; whatever it remembers between rounds lives in the `State` it is handed,
one for a miner's own memory (error feedback) and one for what every peer keeps alike (outer momentum).
Shapes: P parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from subnetlab.errors import ArgumentInvalid
from subnetlab.train.choices import Clip
from subnetlab.train.optimizer import AdamWConfig, OptimizerConfig
from subnetlab.train.strategies.options import check_steps

if TYPE_CHECKING:
    from torch import Tensor

    from subnetlab.train.payload.sparse import State
    from subnetlab.train.payload.update import Update
    from subnetlab.train.tasks.base import Batch
    from subnetlab.train.theta import FlatModel, Layout

OnStep = Callable[[int, float], None]
"""Called after every inner step with its number in the round and its loss."""
OnFixed = Callable[["Tensor"], None]
"""Called with the pseudo-gradient of a round as soon as no later step changes it."""


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

    @property
    def optimizer(self) -> OptimizerConfig:
        """What a run steps with unless it says otherwise: its miners, or everyone outside (DDP, DeMo)."""
        ...

    def learn(
        self, model: FlatModel, theta_P: Tensor, batches: Iterable[Batch], progress: Progress,
        on_step: OnStep, *, memory: State,
    ) -> LocalUpdate:  # fmt: skip
        """Train on the round's batches, where θ is what the peers agree on; `memory` is the miner's own."""
        ...

    def codec(self, layout: Layout, round_: int = 0) -> Codec:
        """The codec for a layout, in one round of a run."""
        ...

    def combine(self, updates: Sequence[Update], layout: Layout) -> Update:
        """The aggregate of accepted updates in uid order, reproducible to the bit."""
        ...

    def apply(self, theta_P: Tensor, aggregate: Update, outer: State, progress: Progress) -> None:
        """Move θ in place by one outer step; `outer` is the same in every peer."""
        ...


@runtime_checkable
class Overlapping(Protocol):
    """A strategy whose pseudo-gradient is fixed before its last steps, during which it can travel."""

    @property
    def overlap(self) -> int:
        """Steps that a miner trains on while its payload travels."""
        ...

    def learn(
        self, model: FlatModel, theta_P: Tensor, batches: Iterable[Batch], progress: Progress,
        on_step: OnStep, *, memory: State, on_fixed: OnFixed | None = None,
    ) -> LocalUpdate:  # fmt: skip
        """As `Strategy.learn`; what `on_fixed` is given is what is returned."""
        ...


def overlap_of(strategy: Strategy) -> int:
    """Steps that a miner trains on while its round passes; 0 where the payload waits for the last one."""
    whole = cast("object", strategy)
    return whole.overlap if isinstance(whole, Overlapping) else 0


class LocalSteps:
    """What strategies share whose miners take H steps of an optimizer before they send anything."""

    __slots__ = ()

    inner_steps: int
    outer_lr: float
    clip: Clip

    @property
    def optimizer(self) -> OptimizerConfig:
        """What miners step with unless a run says otherwise."""
        return AdamWConfig()

    @property
    def trial_rate(self) -> float:
        """How far a lone update moves θ when a validator tries it."""
        return self.outer_lr

    def learn(
        self, model: FlatModel, theta_P: Tensor, batches: Iterable[Batch], progress: Progress,
        on_step: OnStep, *, memory: State,
    ) -> LocalUpdate:  # fmt: skip
        """Take the inner steps from θ."""
        del memory  # what is left over of earlier rounds is the codec's concern
        return inner_loop(model, theta_P, batches, progress, on_step)

    def combine(self, updates: Sequence[Update], layout: Layout) -> Update:
        """Clip to the median norm, then average over all peers."""
        from subnetlab.train.aggregate import average, clip_to_median  # noqa: PLC0415  (loads torch)

        return average(clip_to_median(updates, layout, self.clip), layout.size, "all")

    def check(self) -> None:
        """Refuse options that no strategy with local steps can have.

        Raises:
            ArgumentInvalid: an option is out of its range.
        """
        check_steps(self, self.inner_steps, self.clip)
        if not 0 < self.outer_lr < math.inf:
            raise ArgumentInvalid(
                f"{type(self).__name__} needs outer_lr > 0.", hint="Give outer_lr=0.7, for instance."
            )


class OuterNesterov(LocalSteps):
    """Local steps inside and Nesterov momentum outside, as DiLoCo."""

    __slots__ = ()

    momentum: float

    def apply(self, theta_P: Tensor, aggregate: Update, outer: State, progress: Progress) -> None:
        """One Nesterov step."""
        del progress
        nesterov_step(theta_P, aggregate, outer, lr=self.outer_lr, momentum=self.momentum)

    def check(self) -> None:
        """Refuse options that no strategy with outer momentum can have.

        Raises:
            ArgumentInvalid: an option is out of its range.
        """
        LocalSteps.check(self)
        if not 0 <= self.momentum < 1:
            raise ArgumentInvalid(
                f"{type(self).__name__} needs 0 <= momentum < 1.",
                hint="Give momentum=0.9, for instance; 0 is none.",
            )


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
    return LocalUpdate(model.moved_from(theta_P), losses)


def mean_gradient(
    model: FlatModel, theta_P: Tensor, batches: Iterable[Batch], on_step: OnStep
) -> LocalUpdate:  # fmt: skip
    """The mean of the gradients of all batches at θ, in the place of a difference."""
    model.load(theta_P)
    gradient_P = model.theta_P.new_zeros(model.theta_P.shape)
    losses: list[float] = []
    for index, batch in enumerate(batches):
        losses.append(model.differentiate(batch))
        gradient_P += model.gradient_P
        on_step(index, losses[-1])
    return LocalUpdate((gradient_P / max(1, len(losses))).cpu(), losses)


def nesterov_step(
    theta_P: Tensor, aggregate: Update, outer: State, *, lr: float, momentum: float
) -> None:  # fmt: skip
    """Move θ in place by one step of torch's SGD with Nesterov momentum: velocity first, then look ahead.

    Elementwise and in fixed rounding steps, so every peer and every replay gets the same bits.
    """
    aggregate_P = aggregate.dense(theta_P.numel())
    velocity_P = outer.setdefault("velocity", theta_P.new_zeros(theta_P.shape))
    velocity_P.mul_(momentum).add_(aggregate_P)
    theta_P -= (velocity_P * momentum + aggregate_P) * lr
