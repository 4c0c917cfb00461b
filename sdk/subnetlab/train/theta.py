"""θ, the model's parameters as one flat vector: where each tensor lies, its hash, and a bench to train it on.

A module's parameters become views of one vector, so loading θ, taking a difference and an optimizer step are
single operations. Buffers of a module are not part of θ.
Shapes: P parameters, B sequences, T tokens, V vocabulary.
"""

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from subnetlab.train.hashing import digest
from subnetlab.train.optimizer import AdamW, AdamWConfig

FP32_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """Names and shapes of the tensors in θ, in their order."""

    tensors: tuple[tuple[str, tuple[int, ...]], ...]

    @staticmethod
    def of(model: nn.Module) -> "Layout":
        """The layout of a module's parameters."""
        return Layout(tuple((name, tuple(p.shape)) for name, p in model.named_parameters()))

    @property
    def size(self) -> int:
        """Parameters in all, P."""
        return sum(math.prod(shape) for _, shape in self.tensors)

    @property
    def dense_bytes(self) -> int:
        """Bytes of θ, or of one plain fp32 update."""
        return self.size * FP32_BYTES

    def spans(self) -> list[tuple[int, int]]:
        """First and last-plus-one position of every tensor."""
        ends: list[tuple[int, int]] = []
        start = 0
        for _, shape in self.tensors:
            ends.append((start, start + math.prod(shape)))
            start = ends[-1][1]
        return ends

    def split(self, vector_P: Tensor) -> dict[str, Tensor]:
        """Name the parts of a flat vector; the parts are views."""
        return {
            name: vector_P[start:end].view(shape)
            for (name, shape), (start, end) in zip(self.tensors, self.spans(), strict=True)
        }


class Bench:
    """One module laid out flat, with its gradient and its own AdamW moments."""

    def __init__(self, model: nn.Module, config: AdamWConfig) -> None:
        """Move the module's parameters into one vector."""
        self.model = model
        self.layout = Layout.of(model)
        self.theta_P = torch.empty(self.layout.size)
        self.gradient_P = torch.zeros(self.layout.size)
        self.adam = AdamW(config, self.layout.size)
        values = self.layout.split(self.theta_P)
        gradients = self.layout.split(self.gradient_P)
        for name, parameter in model.named_parameters():
            values[name].copy_(parameter.detach())
            parameter.data = values[name]
            parameter.grad = gradients[name]

    def load(self, theta_P: Tensor) -> None:
        """Set the parameters."""
        self.theta_P.copy_(theta_P)

    def differentiate(self, x_BT: Tensor, y_BT: Tensor) -> float:
        """Put the mean loss's gradient into `gradient_P`; returns the loss in nats per token."""
        self.gradient_P.zero_()
        loss = next_token_loss(self.model, x_BT, y_BT)
        loss.backward()
        return float(loss.detach())

    @torch.no_grad()
    def loss(self, x_BT: Tensor, y_BT: Tensor) -> float:
        """The mean loss in nats per token."""
        return float(next_token_loss(self.model, x_BT, y_BT))


def next_token_loss(model: nn.Module, x_BT: Tensor, y_BT: Tensor) -> Tensor:
    """Mean cross-entropy of the next token, nats per token."""
    logits_BTV = model(x_BT)
    return functional.cross_entropy(logits_BTV.flatten(0, 1), y_BT.flatten())


def theta_hash(theta_P: Tensor) -> str:
    """The hash of a parameter vector: its fp32 bytes, little-endian, in layout order."""
    return digest("theta", theta_P.detach().contiguous().numpy().astype("<f4", copy=False).tobytes()).hex()
