"""A model as a manifest describes it: frozen, JSON-able, buildable in any peer's process.

What `forward` takes and returns, the run's task says. Trainable parameters are trained and exchanged; frozen
parameters stay as built, and of buffers `train.statistics` says what becomes.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
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


@contextmanager
def drawing(seed: int) -> Generator[None]:
    """Start torch's global generator from a seed, for one thread at a time, and put it back afterwards."""
    with _BUILDING, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def build(spec: ModelSpec, seed: int) -> nn.Module:
    """Build the model with the same weights in every peer; `tasks.check` tries it on data.

    Raises:
        ModelNotBuildable: the factory failed, or no parameter of what it returned can be trained.
    """
    with drawing(seed):
        model = spec.build()
    refuse_untrainable(model)
    return model


def refuse_untrainable(model: nn.Module) -> None:
    """Refuse parameters that θ cannot hold.

    Raises:
        ModelNotBuildable: naming the parameter.
    """
    places: dict[tuple[int, int], str] = {}
    for name, parameter in model.named_parameters():
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise ModelNotBuildable(
                f"The parameter {name!r} has no shape before a first batch.",
                hint="Give its layer the number of its inputs instead of a lazy layer.",
            )
        if parameter.device.type != "cpu" or (
            parameter.requires_grad and not parameter.dtype.is_floating_point
        ):
            raise ModelNotBuildable(
                f"The parameter {name!r} is {parameter.dtype} on {parameter.device}.",
                hint="Build the model on the CPU with real floating-point weights.",
            )
        place = (parameter.data_ptr(), parameter.numel())
        if (
            parameter.requires_grad
            and parameter.numel()
            and (other := places.setdefault(place, name)) != name
        ):
            raise ModelNotBuildable(
                f"The parameters {other!r} and {name!r} are two, but share their memory.",
                hint="Tie weights by assigning one nn.Parameter to both places.",
            )
    if not any(parameter.requires_grad for parameter in model.parameters()):
        frozen = "Every parameter of the model is frozen." if list(model.parameters()) else ""
        raise ModelNotBuildable(
            frozen or "The model has no parameters.", hint="Return a torch.nn.Module with weights to train."
        )
