"""AdamW and its learning rate schedule on flat vectors.

Own code because constructing any torch.optim optimiser loads the compiler stack into every peer, which costs
seconds and about a hundred megabytes each. One fused kernel walks the four vectors once. Loshchilov and
Hutter 2019 (decoupled weight decay). No AMSGrad, no parameter groups.
P parameters.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class AdamWConfig:
    """Options of the inner optimizer; steps count inner steps over the whole run."""

    lr: float = 2e-3
    warmup: float = 0.05
    """Share of all inner steps in which the rate rises linearly."""
    floor: float = 0.1
    """Share of `lr` at which the cosine ends."""
    beta1: float = 0.9
    beta2: float = 0.95
    eps: float = 1e-8
    weight_decay: float = 0.1
    clip: float = 1.0
    """Largest norm of one step's gradient."""

    def to_json(self) -> dict[str, Any]:
        """The options in JSON types."""
        return asdict(self)

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of inner step `step` of `steps`: warm-up, then a cosine down to the floor."""
        rising = min(1.0, (step + 1) / max(1.0, self.warmup * steps))
        falling = self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))
        return self.lr * rising * falling


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


def clip_norm_(gradient_P: Tensor, limit: float) -> float:
    """Shorten a gradient in place to at most `limit`; returns the norm it had."""
    norm = float(torch.linalg.vector_norm(gradient_P))
    if norm > limit:
        gradient_P.mul_(limit / norm)
    return norm
