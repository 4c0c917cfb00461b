"""θ and the outer optimizer's state after a round, as one object: where a late joiner begins its replay.

A safetensors file whose hash is in the round's record, and so anchored on chain. A reader takes it apart only
when it has that hash; what is in it is checked all the same, because a hostile validator can anchor a hash.
Decides neither when a checkpoint is due (`manifest`) nor whether it is followed (`replica`). Reads no pickle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from subnetlab.errors import PayloadRejected
from subnetlab.train.hashing import digest
from subnetlab.train.manifest import Manifest
from subnetlab.train.payload.sparse import State
from subnetlab.train.payload.update import Update

_THETA: Final = "theta"
_OUTER: Final = "outer."
_HEADER_BYTES: Final = 1 << 12


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint as it is published."""

    data: bytes
    hash: str

    @staticmethod
    def of(theta_P: Tensor, outer: State) -> "Checkpoint":
        """The checkpoint of a θ and an outer state; the same bytes for the same bits."""
        parts = {f"{_OUTER}{name}": tensor.contiguous() for name, tensor in outer.items()}
        data = save({_THETA: theta_P.contiguous(), **parts})
        return Checkpoint(data, hash_of(data))


def hash_of(data: bytes) -> str:
    """The hash of a checkpoint object, 64 hex digits."""
    return digest("checkpoint", data).hex()


def limit(template: Mapping[str, Tensor]) -> int:
    """The most bytes that a checkpoint of this template takes."""
    return _HEADER_BYTES + sum(tensor.numel() * tensor.element_size() for tensor in template.values())


def template(manifest: Manifest, theta_P: Tensor) -> dict[str, Tensor]:
    """Every tensor that a run's checkpoint may hold, by its name in the file; the values say nothing."""
    scratch_P, outer = theta_P.clone(), State()
    nothing = Update(torch.zeros(0, dtype=torch.int64), torch.zeros(0))
    manifest.strategy.apply(scratch_P, nothing, outer, manifest.progress(0))
    return {_THETA: scratch_P, **{f"{_OUTER}{name}": tensor for name, tensor in outer.items()}}


def read(data: bytes, expected: Mapping[str, Tensor]) -> tuple[Tensor, State]:
    """Take a checkpoint apart; before the first update the outer state is empty.

    Raises:
        PayloadRejected: it holds anything else than tensors of the template.
    """
    try:
        found = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise PayloadRejected("The checkpoint is no safetensors file.", reason="malformed") from error
    if set(found) not in ({_THETA}, set(expected)):
        raise PayloadRejected("The checkpoint holds other tensors than this run's.", reason="malformed")
    for name, tensor in found.items():
        like = expected[name]
        if tensor.dtype != like.dtype or tensor.shape != like.shape:
            said = f"The checkpoint's tensor {name!r} has another type or shape."
            raise PayloadRejected(said, reason="malformed")
    # A loaded tensor is a view into the bytes of the file, which the outer step must not write to.
    outer = {name.removeprefix(_OUTER): found[name].clone() for name in found if name != _THETA}
    return found[_THETA].clone(), outer


def due(every: int, round_: int) -> bool:
    """Whether the record of a round names a checkpoint."""
    return every > 0 and (round_ + 1) % every == 0
