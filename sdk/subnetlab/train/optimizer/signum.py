"""Signum: descent along the sign of the gradient's moving average, on one flat vector.

Bernstein et al. 2018, "signSGD: Compressed Optimisation for Non-Convex Problems", with decoupled weight
decay. Every parameter moves by the same length in a step. DeMo steps so outside, on what all have sent.
P parameters.
"""

import torch
from torch import Tensor

from subnetlab.train.optimizer.adamw import clip_norm_
from subnetlab.train.optimizer.configs import SignumConfig


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
