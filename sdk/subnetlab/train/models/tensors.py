"""Everything a module holds as named tensors, and a module filled with such.

Names are those of a state dict; the buffers that a state dict leaves out are named beside them.
"""

from collections.abc import Mapping
from typing import Final

import torch
from safetensors.torch import save
from torch import Tensor, nn

from subnetlab.errors import ModelNotBuildable

_LISTED: Final = 3
"""Names that a sentence lists."""


def packed(model: nn.Module) -> bytes:
    """All tensors of a model as safetensors."""
    return save({name: part.detach().clone().contiguous() for name, part in tensors_of(model).items()})


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    """What a state dict holds, and the buffers that it leaves out."""
    state = {name: part for name, part in model.state_dict().items() if isinstance(part, Tensor)}
    return {**dict(model.named_buffers(remove_duplicate=False)), **state}


@torch.no_grad()
def fill(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Set a model's tensors to given ones, each cast to the type it has there.

    A tied weight may be given under one of its names alone, and buffers may be missing; they stay as built.

    Raises:
        ModelNotBuildable: a parameter is missing, a name is unknown, or shapes differ; nothing was set.
    """
    places = tensors_of(model)
    unknown = [name for name in tensors if name not in places]
    if unknown:
        raise ModelNotBuildable(
            f"The model has nothing called {_listed(unknown)}, for which there are initial weights.",
            hint="Give the state dict of the same model: init={name: tensor for …} leaves the others out.",
        )
    for name, tensor in tensors.items():
        if tensor.shape != places[name].shape:
            raise ModelNotBuildable(
                f"The initial {name!r} has shape {tuple(tensor.shape)}; "
                f"the model's has {tuple(places[name].shape)}.",
                hint="Build the model with the numbers that the weights were trained with.",
            )
    # state_dict hands out detached tensors: a tie is seen in the memory they share.
    memory = {places[name].data_ptr() for name in tensors if places[name].numel()}
    missing = [
        name
        for name, parameter in model.named_parameters(remove_duplicate=False)
        if name not in tensors and parameter.data_ptr() not in memory
    ]
    if missing:
        raise ModelNotBuildable(
            f"The initial weights lack {_listed(missing)}.",
            hint="Take model.state_dict(), load what you have into it, and give that as init.",
        )
    for name, tensor in tensors.items():
        places[name].copy_(tensor)


def _listed(found: list[str]) -> str:
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return ", ".join(map(repr, found[:_LISTED])) + more
