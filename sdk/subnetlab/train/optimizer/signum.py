"""Signum: descent along the sign of the gradient's moving average, on one flat vector.

Bernstein et al. 2018, "signSGD: Compressed Optimisation for Non-Convex Problems", with decoupled weight
decay. Every parameter moves by the same length in a step. DeMo steps so outside, on what all have sent.
P parameters.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from subnetlab.errors import ArgumentInvalid
from subnetlab.train.optimizer.adamw import clip_norm_
from subnetlab.train.optimizer.schedule import Schedule, Scheduled


@dataclass(frozen=True, slots=True, kw_only=True)
class SignumConfig(Scheduled):
    """Options of Signum; steps count inner steps over the whole run."""

    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.1
    clip: float = 1.0
    """Largest norm of one step's gradient."""
    schedule: Schedule = "cosine"
    warmup: float = 0.05
    """Share of all inner steps in which the rate rises linearly."""
    floor: float = 0.1
    """Share of `lr` at which the schedule ends."""
    decay: float = 0.6
    """Share of all inner steps in which "wsd" falls."""

    def __post_init__(self) -> None:
        self.check()
        if not 0 <= self.momentum < 1:
            raise ArgumentInvalid("Signum needs 0 <= momentum < 1.", hint="Give momentum=0.9, for instance.")

    def to_json(self) -> dict[str, Any]:
        """The options in JSON types."""
        return {"kind": "Signum", **asdict(self)}


class Signum:
    """The moving average of one flat parameter vector's gradients."""

    def __init__(self, config: SignumConfig, size: int) -> None:
        """Start with a zero average for `size` parameters."""
        self.config = config
        self.mean_P = torch.zeros(size)

    def moments(self) -> list[Tensor]:
        """The average, in place."""
        return [self.mean_P]

    @torch.no_grad()
    def step(self, theta_P: Tensor, gradient_P: Tensor, rate: float) -> None:
        """Clip the gradient in place and move `theta_P` in place by one step."""
        clip_norm_(gradient_P, self.config.clip)
        self.mean_P.lerp_(gradient_P, 1 - self.config.momentum)
        descend(theta_P, self.mean_P, rate, self.config.weight_decay)


def descend(theta_P: Tensor, direction_P: Tensor, rate: float, weight_decay: float) -> None:
    """Move θ in place by `rate` against the sign of every value, in fixed rounding steps."""
    theta_P.mul_(1 - rate * weight_decay)
    theta_P.sub_(direction_P.sign() * rate)
