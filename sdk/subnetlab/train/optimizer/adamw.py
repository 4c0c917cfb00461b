"""AdamW on flat vectors.

Own code because constructing any torch.optim optimiser loads the compiler stack into every peer, which costs
seconds and about a hundred megabytes each. One fused kernel walks the four vectors once. Loshchilov and
Hutter 2019 (decoupled weight decay). No AMSGrad, no parameter groups.
P parameters.
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from subnetlab.train.optimizer.configs import AdamWConfig

# The kernel behind torch.optim.AdamW(fused=True), without the imports of its wrapper; torch is pinned.
_fused_adamw: Final = torch._fused_adamw_  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]


class AdamW:
    """First and second moments of one flat parameter vector."""

    def __init__(self, config: AdamWConfig, size: int) -> None:
        """Start with zero moments for `size` parameters."""
        self.config = config
        self.mean_P = torch.zeros(size)
        self.square_P = torch.zeros(size)
        self.steps = torch.zeros(())

    def moments(self) -> list[Tensor]:
        """Both moments and the number of steps, in place."""
        return [self.mean_P, self.square_P, self.steps]

    @torch.no_grad()
    def step(self, theta_P: Tensor, gradient_P: Tensor, rate: float) -> None:
        """Clip the gradient in place and move `theta_P` in place by one step."""
        clip_norm_(gradient_P, self.config.clip)
        self.steps += 1
        _fused_adamw(
            [theta_P], [gradient_P], [self.mean_P], [self.square_P], [], [self.steps],
            lr=rate, beta1=self.config.beta1, beta2=self.config.beta2,
            weight_decay=self.config.weight_decay, eps=self.config.eps, amsgrad=False, maximize=False,
        )  # fmt: skip


class FusedAdamW:
    """AdamW's moments of several pieces of one vector, stepped together."""

    def __init__(self, sizes: Sequence[int]) -> None:
        """Start with zero moments for pieces of these sizes."""
        self.means = [torch.zeros(size) for size in sizes]
        self.squares = [torch.zeros(size) for size in sizes]
        self.steps = torch.zeros(())

    def step(
        self, pieces: list[Tensor], gradients: list[Tensor], *, rate: float, beta1: float, beta2: float,
        eps: float, weight_decay: float,
    ) -> None:  # fmt: skip
        """Move the pieces in place by one step."""
        if not pieces:
            return
        self.steps += 1
        _fused_adamw(
            pieces, gradients, self.means, self.squares, [], [self.steps] * len(pieces), lr=rate, beta1=beta1,
            beta2=beta2, weight_decay=weight_decay, eps=eps, amsgrad=False, maximize=False,
        )  # fmt: skip


def clip_norm_(gradient_P: Tensor, limit: float) -> float:
    """Shorten a gradient in place to at most `limit`; returns the norm it had."""
    norm = float(torch.linalg.vector_norm(gradient_P))
    if norm > limit:
        gradient_P.mul_(limit / norm)
    return norm
