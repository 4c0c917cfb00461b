"""What a miner remembers from round to round, as one object: its optimizer's moments and its codec's memory.

A round's payload follows from this state, the model and the assigned items alone. A miner states its hash
before and after; where the audit draws it, it publishes both states, and anyone can train that round again
without the rounds before.
Shapes: P parameters, M moments.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from subnetlab.train.hashing import digest
from subnetlab.train.payload import container
from subnetlab.train.payload.sparse import State
from subnetlab.train.theta import FlatModel

FORM: Final = "miner-state/1"
_LARGEST: Final = 1e30
_SCALARS: Final = frozenset({"round"})
"""Parts of a memory that are one number; every other is as long as the model."""
_KNOWN: Final = frozenset({"error", "own", *_SCALARS})
"""What codecs and strategies keep for a miner."""


@dataclass(frozen=True, slots=True)
class MinerState:
    """A state as it travels."""

    data: bytes

    @property
    def hash(self) -> bytes:
        """What a report states of it, 32 bytes."""
        return digest("miner-state", self.data)


def snapshot(model: FlatModel, memory: State) -> MinerState:
    """The state at hand."""
    moments = [tensor.reshape(-1) for tensor in model.optimizer.moments()]
    arrays = {"moments": torch.cat(moments).cpu().numpy() if moments else np.zeros(0, dtype=np.float32)}
    arrays |= {name: memory[name].float().reshape(-1).numpy() for name in sorted(memory)}
    return MinerState(container.write(arrays, {"form": FORM, "memory": ",".join(sorted(memory))}))


def fresh(model: FlatModel) -> MinerState:
    """The state of a miner that begins; the model's own moments are lost."""
    model.forget()
    return snapshot(model, {})


def restore(state: MinerState, model: FlatModel, memory: State) -> None:
    """Put a state that a stranger sent in the place of model's moments and memory.

    Raises:
        PayloadRejected: it is no state of a miner of this model; model and memory are then those of a miner
            that begins.
    """
    memory.clear()
    model.forget()
    tensors = _read(state, model)
    places = model.optimizer.moments()
    moments = tensors.pop("moments").split([place.numel() for place in places])
    for place, values in zip(places, moments, strict=True):
        place.copy_(values.view(place.shape))
    memory.update(
        {name: tensor[0].long() if name in _SCALARS else tensor for name, tensor in tensors.items()}
    )


def limit(model: FlatModel) -> int:
    """Most bytes a state of this model can take."""
    count = sum(place.numel() for place in model.optimizer.moments())
    return 8 + container.HEADER_LIMIT + 4 * (count + 2 * model.layout.size + 1)


def distance(one: MinerState, other: MinerState, model: FlatModel) -> float:
    """The largest distance of a part of two states, in norms of that part of the second.

    Every tensor of moments is a part, and so is every memory: a large one would hide what is done to another.

    Raises:
        PayloadRejected: the first is no state of a miner of this model.
    """
    parts = [_parts(state, model) for state in (one, other)]
    if len(parts[0]) != len(parts[1]):
        return math.inf
    return max((_apart(mine, theirs) for theirs, mine in zip(*parts, strict=True)), default=0.0)


def _parts(state: MinerState, model: FlatModel) -> list[Tensor]:
    arrays = _read(state, model)
    moments = arrays.pop("moments").split([place.numel() for place in model.optimizer.moments()])
    return [*moments, *arrays.values()]


def _apart(one: Tensor, other: Tensor) -> float:
    apart, norm = float((one - other).norm()), float(one.norm())
    return apart / norm if norm > 0 else math.inf if apart > 0 else 0.0


def _read(state: MinerState, model: FlatModel) -> dict[str, Tensor]:
    """The parts of a state, moments first, then memories by name."""
    told = container.metadata(state.data).get("memory")
    names = told.split(",") if isinstance(told, str) and told else []
    if names != sorted(set(names)) or not _KNOWN.issuperset(names):
        raise container.malformed("it remembers what no miner does")
    size = model.layout.size
    count = sum(place.numel() for place in model.optimizer.moments())
    parts = {"moments": container.Part("F32", count, count)}
    parts |= {name: container.Part("F32", *((1, 1) if name in _SCALARS else (size, size))) for name in names}
    arrays, _ = container.read(state.data, parts, FORM)
    return {
        name: torch.from_numpy(container.finite(array, _LARGEST).copy()) for name, array in arrays.items()
    }
