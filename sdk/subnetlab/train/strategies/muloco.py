"""MuLoCo: local Muon steps, one bit a parameter, Nesterov momentum outside.

Paper: "MuLoCo: Muon is a Practical Inner Optimizer for DiLoCo", arXiv 2505.23725. As there: Muon inside on
hidden matrices and AdamW on the rest, error feedback before a quantised pseudo-gradient, the mean over all
peers, Nesterov SGD outside. Different: one bit with scales by tensor and row instead of two bits or more, an
outer step of 0.7 with momentum 0.6, and the clip to the median norm of each tensor, because peers are
strangers and choose their scales.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from subnetlab.errors import ArgumentInvalid
from subnetlab.train.aggregate import Clip, average, clip_to_median
from subnetlab.train.optimizer import MuonConfig, OptimizerConfig
from subnetlab.train.payload.onebit import OneBitCodec
from subnetlab.train.payload.sparse import State
from subnetlab.train.payload.update import Update
from subnetlab.train.strategies.base import Codec, LocalUpdate, OnStep, Progress, inner_loop, nesterov_step
from subnetlab.train.tasks.base import Batch
from subnetlab.train.theta import FlatModel, Layout

_ALONE, _DDP = 1 / 3, 1 / 2
"""Shares of the subnet's rate at which one miner alone and synchronous data parallelism did best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MuLoCo:
    """The strategy of the demonstration: small payloads that keep most of what the miners learn."""

    inner_steps: int = 15
    feedback: float = 0.95
    """Share of what was not sent that the next round still remembers."""
    clip: Clip = "tensor"
    outer_lr: float = 0.7
    momentum: float = 0.6

    def __post_init__(self) -> None:
        if not (self.inner_steps >= 1 and self.outer_lr > 0 and 0 <= self.momentum < 1):
            raise ArgumentInvalid("MuLoCo needs inner_steps >= 1, outer_lr > 0 and 0 <= momentum < 1")
        if not 0 <= self.feedback <= 1:
            raise ArgumentInvalid("MuLoCo needs 0 <= feedback <= 1")

    @property
    def optimizer(self) -> OptimizerConfig:
        """What miners step with unless a run says otherwise."""
        return MuonConfig()

    def alone_optimizer(self, config: OptimizerConfig) -> OptimizerConfig:
        """The run's optimizer at the rate at which one miner by itself does best."""
        return replace(config, lr=config.lr * _ALONE) if isinstance(config, MuonConfig) else config

    def ddp_optimizer(self, config: OptimizerConfig) -> OptimizerConfig:
        """The run's optimizer at the rate at which synchronous data parallelism does best."""
        return replace(config, lr=config.lr * _DDP) if isinstance(config, MuonConfig) else config

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
        """One bit a parameter, error feedback."""
        return OneBitCodec(layout, self.feedback)

    def combine(self, updates: Sequence[Update], layout: Layout) -> Update:
        """Clip to the median norm, then average."""
        return average(clip_to_median(updates, layout, self.clip), layout.size, "all")

    def apply(self, theta_P: Tensor, aggregate: Update, outer: State, progress: Progress) -> None:  # noqa: ARG002
        """One Nesterov step."""
        nesterov_step(theta_P, aggregate, outer, lr=self.outer_lr, momentum=self.momentum)
