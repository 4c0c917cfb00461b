"""DeMo: decoupled momentum; a miner sends the fast parts of its momentum, and everyone steps by their signs.

Paper: "DeMo: Decoupled Momentum Optimization", arXiv 2411.19870. As there: momentum that stays with its miner
and is never averaged, a discrete cosine transform of blocks of 64 x 64, the largest coefficients sent and
taken out of it, descent along the sign of what all sent together. Different: two bits a coefficient and coded
positions instead of fp32 and integers; gradients clipped to norm 1; the mean over all peers instead of over
those that sent a coefficient; every update clipped to the median norm of each tensor, because a peer chooses
its coefficients. With `inner_steps` above 1 a round's gradient is the mean of as many batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from subnetlab.errors import ArgumentInvalid
from subnetlab.train.choices import Clip
from subnetlab.train.optimizer import SignumConfig
from subnetlab.train.payload.quantise import Bins
from subnetlab.train.strategies.base import (
    Codec,
    LocalUpdate,
    OnStep,
    Progress,
    mean_gradient,
)  # fmt: skip
from subnetlab.train.strategies.options import check_steps, check_top

if TYPE_CHECKING:
    from torch import Tensor

    from subnetlab.train.payload.sparse import State
    from subnetlab.train.payload.update import Update
    from subnetlab.train.tasks.base import Batch
    from subnetlab.train.theta import FlatModel, Layout

_TRIAL_RATE: Final = 0.1
"""What a miner sent is tried by one plain step of this length, as DDP's gradients are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeMo:
    """Every step together, for few bytes; its outer step is the optimizer."""

    inner_steps: int = 1
    k: int = 32
    """Coefficients sent of each chunk."""
    chunk: int = 4096
    decay: float = 0.999
    """Share of a miner's momentum that a round keeps."""
    bins: Bins = "sign"
    clip: Clip = "tensor"
    optimizer: SignumConfig = field(default_factory=SignumConfig)
    """Of the outer step: its rate, schedule and weight decay; its `momentum` is that of baselines alone."""

    def __post_init__(self) -> None:
        check_steps(self, self.inner_steps, self.clip)
        check_top(self, self.k, self.chunk, self.bins)
        if not 0 <= self.decay < 1:
            raise ArgumentInvalid("DeMo needs 0 <= decay < 1.", hint="Give decay=0.999, for instance.")

    @property
    def trial_rate(self) -> float:
        """How far a lone update moves θ when a validator tries it."""
        return _TRIAL_RATE

    def learn(
        self, model: FlatModel, theta_P: Tensor, batches: Iterable[Batch], progress: Progress,
        on_step: OnStep, *, memory: State,
    ) -> LocalUpdate:  # fmt: skip
        """Average the gradients of the round's batches at θ, in the share of the rate that is left."""
        from subnetlab.train.optimizer.adamw import clip_norm_  # noqa: PLC0415  (loads torch)

        del memory
        learned = mean_gradient(model, theta_P, batches, on_step)
        clip_norm_(learned.delta_P, self.optimizer.clip)
        share = self.optimizer.rate(progress.round, progress.rounds) / self.optimizer.lr
        return LocalUpdate(learned.delta_P * share, learned.losses)

    def codec(self, layout: Layout, round_: int = 0) -> Codec:
        """The largest coefficients of the momentum, two bits each."""
        from subnetlab.train.payload.cosine import CosineCodec  # noqa: PLC0415  (loads torch)

        del round_
        return CosineCodec(layout, self.k, self.chunk, self.decay, self.bins)

    def combine(self, updates: Sequence[Update], layout: Layout) -> Update:
        """Clip to the median norm, then average."""
        from subnetlab.train.aggregate import average, clip_to_median  # noqa: PLC0415  (loads torch)

        return average(clip_to_median(updates, layout, self.clip), layout.size, "all")

    def apply(self, theta_P: Tensor, aggregate: Update, outer: State, progress: Progress) -> None:
        """One step against the sign of the aggregate."""
        from subnetlab.train.optimizer.signum import descend  # noqa: PLC0415  (loads torch)

        del outer
        rate = self.optimizer.rate(progress.round, progress.rounds)
        descend(theta_P, aggregate.dense(theta_P.numel()), rate, self.optimizer.weight_decay)
