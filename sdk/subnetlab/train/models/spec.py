"""A model as a manifest describes it: frozen, JSON-able, buildable in any peer's process.

The seam of every model: `forward(tokens_BT) -> logits_BTV`, next-token prediction. B sequences, T tokens,
V vocabulary. Parameters are trained and exchanged; buffers stay as built.
"""

import threading
from typing import Any, Final, Protocol, runtime_checkable

import torch
from torch import nn

from subnetlab.errors import ModelNotBuildable

_BUILDING: Final = threading.Lock()
"""Initialisation draws from torch's global generator; peers in threads take turns."""


@runtime_checkable
class ModelSpec(Protocol):
    """What a manifest needs of a model."""

    @property
    def context(self) -> int:
        """Tokens per sequence, T."""
        ...

    @property
    def vocabulary(self) -> int:
        """Distinct tokens, V; 256 for bytes."""
        ...

    def build(self) -> nn.Module:
        """Make the module with fresh weights from torch's global generator."""
        ...

    def to_json(self) -> dict[str, Any]:
        """JSON types that `models.from_json` reads back."""
        ...


def build(spec: ModelSpec, seed: int) -> nn.Module:
    """Build the model with the same weights in every peer, and check that it can be trained.

    Raises:
        ModelNotBuildable: the factory failed, or what it returned is not a trainable language model.
    """
    with _BUILDING, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = spec.build()
    _check(model, spec)
    return model


def _check(model: nn.Module, spec: ModelSpec) -> None:
    parameters = list(model.parameters())
    if not parameters:
        raise ModelNotBuildable("The model has no parameters.", hint="Return a torch.nn.Module with weights.")
    for name, parameter in model.named_parameters():
        if parameter.dtype != torch.float32 or parameter.device.type != "cpu":
            raise ModelNotBuildable(
                f"The parameter {name!r} is {parameter.dtype} on {parameter.device}.",
                hint="Build the model as float32 on the CPU.",
            )
    tokens_BT = torch.zeros(1, spec.context, dtype=torch.long)
    try:
        with torch.no_grad():
            logits_BTV = model(tokens_BT)
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError, NotImplementedError) as error:
        raise ModelNotBuildable(
            f"The model failed on a batch of shape {tuple(tokens_BT.shape)}: {error}.",
            hint="forward takes tokens (B, T) and returns logits (B, T, V).",
        ) from error
    shape = tuple(getattr(logits_BTV, "shape", ()))
    wanted = (1, spec.context, spec.vocabulary)
    if shape != wanted:
        raise ModelNotBuildable(
            f"The model answered a batch with shape {shape}, not {wanted}.",
            hint="forward takes tokens (B, T) and returns logits (B, T, V).",
        )
