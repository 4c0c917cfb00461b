"""DiLoCo: local AdamW steps, the whole difference in fp32, Nesterov momentum outside.

Paper: "DiLoCo: Distributed Low-Communication Training of Language Models", arXiv 2311.08105. The effective
outer gain lr / (1 - momentum) = 7 suits rounds of 15 steps and more; with fewer it overshoots.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch import Tensor

from subnetlab.errors import ArgumentInvalid
from subnetlab.train.aggregate import Clip, average, clip_to_median
from subnetlab.train.payload.dense import DenseCodec
from subnetlab.train.payload.sparse import State
from subnetlab.train.payload.update import Update
from subnetlab.train.strategies.base import Codec, LocalUpdate, OnStep, Progress, inner_loop, nesterov_step
from subnetlab.train.tasks.base import Batch
from subnetlab.train.theta import FlatModel, Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class DiLoCo:
    """The dense reference with local steps."""

    inner_steps: int = 15
    outer_lr: float = 0.7
    momentum: float = 0.9
    clip: Clip = "payload"

    def __post_init__(self) -> None:
        if not (self.inner_steps >= 1 and self.outer_lr > 0 and 0 <= self.momentum < 1):
            raise ArgumentInvalid("DiLoCo needs inner_steps >= 1, outer_lr > 0 and 0 <= momentum < 1")

    @property
    def trial_rate(self) -> float:
        """How far a lone update moves θ when a validator tries it."""
        return self.outer_lr

    def learn(
        self, model: FlatModel, theta_P: Tensor, batches: Iterable[Batch], progress: Progress, on_step: OnStep
    ) -> LocalUpdate:
        """Take the inner steps."""
        return inner_loop(model, theta_P, batches, progress, on_step)

    def codec(self, layout: Layout) -> Codec:
        """Plain fp32."""
        return DenseCodec(layout)

    def combine(self, updates: Sequence[Update], layout: Layout) -> Update:
        """Clip to the median norm, then average."""
        return average(clip_to_median(updates, layout, self.clip), layout.size, "all")

    def apply(self, theta_P: Tensor, aggregate: Update, outer: State, progress: Progress) -> None:  # noqa: ARG002
        """One Nesterov step."""
        nesterov_step(theta_P, aggregate, outer, lr=self.outer_lr, momentum=self.momentum)
