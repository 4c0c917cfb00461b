"""DDP: synchronous data parallelism, the reference every other strategy is measured against.

Peers send dense gradients at one θ each round; everyone takes the same AdamW step on their mean. With
`inner_steps` above 1 a peer averages the gradients of that many batches first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from subnetlab.train.choices import Clip, Rule
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.strategies.base import (
    Codec,
    LocalUpdate,
    OnStep,
    Progress,
    mean_gradient,
)  # fmt: skip
from subnetlab.train.strategies.options import check_rule, check_steps

if TYPE_CHECKING:
    from torch import Tensor

    from subnetlab.train.payload.sparse import State
    from subnetlab.train.payload.update import Update
    from subnetlab.train.tasks.base import Batch
    from subnetlab.train.theta import FlatModel, Layout

_TRIAL_RATE: Final = 0.1
"""A gradient is tried by one plain step of this length, as AdamW's needs everyone's gradients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DDP:
    """The synchronous reference; its outer step is the optimizer."""

    inner_steps: int = 1
    clip: Clip = "none"
    aggregate: Rule = "mean"
    """How gradients become one; the others hold against hostile miners (see `train.robust`)."""
    hostile: float = 0.3
    """Share of the miners against which such a rule holds."""
    optimizer: AdamWConfig = field(default_factory=AdamWConfig)

    def __post_init__(self) -> None:
        check_steps(self, self.inner_steps, self.clip)
        check_rule(self, self.aggregate, self.hostile)

    @property
    def trial_rate(self) -> float:
        """How far a lone update moves θ when a validator tries it."""
        return _TRIAL_RATE

    def learn(
        self, model: FlatModel, theta_P: Tensor, batches: Iterable[Batch], progress: Progress,
        on_step: OnStep, *, memory: State,
    ) -> LocalUpdate:  # fmt: skip
        """Average the gradients of the round's batches at θ."""
        del progress, memory  # the gradient at θ does not depend on when it is taken
        return mean_gradient(model, theta_P, batches, on_step)

    def codec(self, layout: Layout, round_: int = 0) -> Codec:
        """Plain fp32."""
        from subnetlab.train.payload.dense import DenseCodec  # noqa: PLC0415  (loads torch)

        del round_
        return DenseCodec(layout)

    def combine(self, updates: Sequence[Update], layout: Layout) -> Update:
        """The mean gradient, or what the rule makes of them all."""
        from subnetlab.train.aggregate import clip_to_median  # noqa: PLC0415  (loads torch)
        from subnetlab.train.robust import combined  # noqa: PLC0415

        clipped = clip_to_median(updates, layout, self.clip)
        return combined(clipped, layout.size, self.aggregate, self.hostile)

    def apply(self, theta_P: Tensor, aggregate: Update, outer: State, progress: Progress) -> None:
        """One AdamW step on the mean gradient."""
        from subnetlab.train.optimizer.adamw import AdamW  # noqa: PLC0415  (loads torch)

        adam = AdamW(self.optimizer, theta_P.numel())
        adam.mean_P = outer.setdefault("mean", adam.mean_P)
        adam.square_P = outer.setdefault("square", adam.square_P)
        adam.steps = outer.setdefault("steps", adam.steps)
        rate = self.optimizer.rate(progress.round, progress.rounds)
        adam.step(theta_P, aggregate.dense(theta_P.numel()).clone(), rate)
