"""MuLoCo: local Muon steps, one bit a parameter, Nesterov momentum outside.

Paper: "MuLoCo: Muon is a Practical Inner Optimizer for DiLoCo", arXiv 2505.23725. As there: Muon inside on
hidden matrices and AdamW on the rest, error feedback before a quantised pseudo-gradient, the mean over all
peers, Nesterov SGD outside. Different: one bit with scales by tensor and row instead of two bits or more, an
outer step of 0.7 with momentum 0.6, and the clip to the median norm of each tensor, because peers are
strangers and choose their scales. An option of ours: an outer step that becomes the plain mean as the inner
rate falls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, get_args

from subnetlab.errors import ArgumentInvalid
from subnetlab.train.choices import Clip
from subnetlab.train.optimizer import MuonConfig, OptimizerConfig
from subnetlab.train.strategies.base import Codec, OuterNesterov, Progress, nesterov_step
from subnetlab.train.strategies.options import check_feedback

if TYPE_CHECKING:
    from torch import Tensor

    from subnetlab.train.payload.sparse import State
    from subnetlab.train.payload.update import Update
    from subnetlab.train.theta import Layout

_ALONE, _DDP = 1 / 3, 1 / 2
"""Shares of the subnet's rate at which one miner alone and synchronous data parallelism did best."""
_FALL: Final = 0.6
"""Share of all rounds in which a falling outer step falls: those in which Muon's rate does."""

OuterSchedule = Literal["constant", "fall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MuLoCo(OuterNesterov):
    """The strategy of the demonstration: small payloads that keep most of what the miners learn."""

    inner_steps: int = 15
    feedback: float = 0.95
    """Share of what was not sent that the next round still remembers."""
    clip: Clip = "tensor"
    outer_lr: float = 0.7
    momentum: float = 0.6
    outer_schedule: OuterSchedule = "constant"
    """With "fall" the outer step becomes the plain mean while the inner rate falls: momentum goes to 0 and
    the outer rate to 1."""

    def __post_init__(self) -> None:
        self.check()
        check_feedback(self, self.feedback)
        if self.outer_schedule not in get_args(OuterSchedule):
            known = ", ".join(map(repr, get_args(OuterSchedule)))
            raise ArgumentInvalid(
                f"MuLoCo needs outer_schedule to be one of {known}.",
                hint='Leave it out, or give outer_schedule="constant".',
            )

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

    def codec(self, layout: Layout, round_: int = 0) -> Codec:
        """One bit a parameter, error feedback."""
        from subnetlab.train.payload.onebit import OneBitCodec  # noqa: PLC0415  (loads torch)

        del round_
        return OneBitCodec(layout, self.feedback)

    def apply(self, theta_P: Tensor, aggregate: Update, outer: State, progress: Progress) -> None:
        """One Nesterov step, by the schedule of the outer step."""
        rate, momentum = self.outer_lr, self.momentum
        if self.outer_schedule == "fall":
            fallen = max(0.0, (progress.round / progress.rounds - (1 - _FALL)) / _FALL)
            rate, momentum = rate + (1 - rate) * fallen, momentum * (1 - fallen)
        nesterov_step(theta_P, aggregate, outer, lr=rate, momentum=momentum)
