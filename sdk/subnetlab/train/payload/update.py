"""A decoded payload or an aggregate: which parameters move, and by how much.

Only decoded, checked updates have this type; bytes from a peer never reach arithmetic before that.
Shapes: N moved parameters, P all parameters.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Update:
    """A pseudo-gradient: θ moves against it."""

    positions_N: Tensor | None
    """int64 positions in θ, unique; None where every parameter moves."""
    values_N: Tensor
    """fp32."""

    def dense(self, size: int) -> Tensor:
        """The update as one vector of all `size` parameters."""
        if self.positions_N is None:
            return self.values_N
        vector_P = torch.zeros(size)
        vector_P[self.positions_N] = self.values_N
        return vector_P

    def subtract_from(self, theta_P: Tensor, rate: float) -> None:
        """Move `theta_P` in place by `-rate` times the update.

        Multiplies and subtracts in two rounding steps, so that no fused instruction of one processor makes
        another bit of it.
        """
        step_N = (self.values_N * rate).to(theta_P.device)
        if self.positions_N is None:
            theta_P.sub_(step_N)
        else:
            theta_P[self.positions_N.to(theta_P.device)] -= step_N

    def scaled(self, factors_N: Tensor) -> "Update":
        """The update with every value multiplied."""
        return Update(self.positions_N, self.values_N * factors_N)
