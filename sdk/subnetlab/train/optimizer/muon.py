"""Muon for the matrices of hidden layers, AdamW for every other tensor, on one flat vector.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks": momentum, then five
Newton-Schulz steps towards the nearest semi-orthogonal matrix. As torch.optim.Muon (2.13), but in fp32, with
queries, keys and values orthogonalised apart, and with equal shapes in one batched product. Own code for the
reason in `adamw`. `matrices` says which tensors are hidden matrices. No parameter groups.
P parameters; N matrices of one shape, R rows, C columns.
"""

from dataclasses import dataclass
from math import prod
from typing import Final

import torch
from torch import Tensor

from subnetlab.train import matrices
from subnetlab.train.matrices import Tensors
from subnetlab.train.optimizer.adamw import FusedAdamW, clip_norm_
from subnetlab.train.optimizer.configs import MuonConfig

_A, _B, _C = 3.4445, -4.7750, 2.0315
"""The quintic of the Newton-Schulz step, as published."""
_TINY: Final = 1e-7


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one hidden matrix lies in θ, and what to do to lay it flat among others of its shape."""

    first: int
    last: int
    shape: tuple[int, ...]
    count: int
    """Matrices side by side in it."""
    axis: int
    """Along which they lie side by side."""

    def apart(self, vector_P: Tensor) -> list[Tensor]:
        """Its matrices as views, each at most as tall as wide."""
        whole = vector_P[self.first : self.last].view(self.shape)
        each = whole.chunk(self.count, self.axis)
        return [matrix.T if matrix.shape[0] > matrix.shape[1] else matrix for matrix in each]

    @property
    def gain(self) -> float:
        """Factor of the rate: a tall matrix moves farther."""
        rows, columns = self.shape[0], self.shape[1]
        rows, columns = (rows // self.count, columns) if self.axis == 0 else (rows, columns // self.count)
        return max(1.0, rows / columns) ** 0.5


class Muon:
    """Momentum of the hidden matrices and AdamW's moments of the rest, for one flat parameter vector."""

    def __init__(self, config: MuonConfig, tensors: Tensors) -> None:
        """Start with zero moments."""
        self.config = config
        self.groups: dict[tuple[int, int], list[_Place]] = {}
        self.rest: list[tuple[int, int]] = []
        start = 0
        for (name, shape), hidden in zip(tensors, matrices.hidden(tensors), strict=True):
            first, start = start, start + prod(shape)
            if hidden:
                place = _Place(first, start, shape, *matrices.parts(name, shape))
                rows, columns = place.apart(torch.empty(start, device="meta"))[0].shape
                self.groups.setdefault((rows, columns), []).append(place)
            elif self.rest and self.rest[-1][1] == first:
                self.rest[-1] = (self.rest[-1][0], start)
            else:
                self.rest.append((first, start))
        self.momenta = {
            key: torch.zeros(sum(place.count for place in places), *key)
            for key, places in self.groups.items()
        }
        self.adam = FusedAdamW([last - first for first, last in self.rest])

    def moments(self) -> list[Tensor]:
        """The momenta by shape, then AdamW's moments and steps, in place."""
        return [*self.momenta.values(), *self.adam.means, *self.adam.squares, self.adam.steps]

    @torch.no_grad()
    def step(self, theta_P: Tensor, gradient_P: Tensor, rate: float) -> None:
        """Clip the gradient in place and move `theta_P` in place by one step."""
        config = self.config
        clip_norm_(gradient_P, config.clip)
        for key, places in self.groups.items():
            gradient_NRC = torch.stack([g for place in places for g in place.apart(gradient_P)])
            momentum_NRC = self.momenta[key].lerp_(gradient_NRC, 1 - config.momentum)
            nesterov_NRC = gradient_NRC.lerp_(momentum_NRC, config.momentum)
            moved = iter(orthogonalised(nesterov_NRC, config.newton_schulz_steps))
            for place in places:
                for matrix in place.apart(theta_P):
                    matrix.mul_(1 - rate * config.weight_decay).sub_(next(moved), alpha=rate * place.gain)
        self.adam.step(
            [theta_P[first:last] for first, last in self.rest],
            [gradient_P[first:last] for first, last in self.rest],
            rate=config.adamw_lr * (rate / config.lr), beta1=config.beta1, beta2=config.beta2,
            eps=config.eps, weight_decay=config.weight_decay,
        )  # fmt: skip


def orthogonalised(matrices_NRC: Tensor, steps: int) -> Tensor:
    """Roughly the nearest semi-orthogonal matrices, R <= C, by Muon's quintic: singular values near 1."""
    x_NRC = matrices_NRC / matrices_NRC.norm(dim=(1, 2), keepdim=True).clamp(min=_TINY)
    for _ in range(steps):
        gram_NRR = x_NRC @ x_NRC.mT
        polynomial_NRR = torch.baddbmm(gram_NRR, gram_NRR, gram_NRR, beta=_B, alpha=_C)
        x_NRC = torch.baddbmm(x_NRC, polynomial_NRR, x_NRC, beta=_A)
    return x_NRC
