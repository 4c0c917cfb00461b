"""A model as a manifest describes it: frozen, JSON-able, buildable in any peer's process.

What `forward` takes and returns, the run's task says. Trainable parameters are trained and exchanged; buffers
and frozen parameters stay as built.
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

    def build(self) -> nn.Module:
        """Make the module with fresh weights from torch's global generator."""
        ...

    def to_json(self) -> dict[str, Any]:
        """JSON types that `models.from_json` reads back."""
        ...


def build(spec: ModelSpec, seed: int) -> nn.Module:
    """Build the model with the same weights in every peer; `tasks.check` tries it on data.

    Raises:
        ModelNotBuildable: the factory failed, or no parameter of what it returned can be trained.
    """
    with _BUILDING, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = spec.build()
    for name, parameter in model.named_parameters():
        if parameter.dtype != torch.float32 or parameter.device.type != "cpu":
            raise ModelNotBuildable(
                f"The parameter {name!r} is {parameter.dtype} on {parameter.device}.",
                hint="Build the model as float32 on the CPU.",
            )
    if not any(parameter.requires_grad for parameter in model.parameters()):
        frozen = "Every parameter of the model is frozen." if list(model.parameters()) else ""
        raise ModelNotBuildable(
            frozen or "The model has no parameters.", hint="Return a torch.nn.Module with weights to train."
        )
    return model
