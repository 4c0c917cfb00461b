"""How a model computes: on which device, in which arithmetic, and with compiled steps or not.

Nothing else differs by device: θ, payloads, aggregates and hashes are fp32 on the CPU of every peer; a
`FlatModel` copies θ to its device, computes there, and hands differences and losses back. Device and compiler
are a peer's own affair, the arithmetic is the run's. "bfloat16" is torch's autocast around forward pass and
loss: θ, gradients and the optimizer's moments stay fp32, as in torchtitan's mixed precision. Chooses no
device; `devices` does.
"""

import contextlib
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, cast

import torch
from torch import Tensor, nn

from subnetlab.errors import ManifestInvalid
from subnetlab.record.files import make_private
from subnetlab.settings import home
from subnetlab.train.devices import CPU, NONE, Found, check_compiler, check_device

FLOAT32: Final = "float32"
DTYPES: Final = (FLOAT32, "bfloat16")


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How one peer's model computes."""

    device: str = CPU
    """In torch's words: "cpu", "mps", "cuda", "cuda:1"."""
    dtype: str = FLOAT32
    """Of the products inside the model."""
    compiled: bool = False
    """Whether `torch.compile` makes the training steps; what is judged is never compiled."""

    def moved(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """A batch on the device."""
        return batch if self.device == CPU else tuple(part.to(self.device) for part in batch)

    def arithmetic(self) -> AbstractContextManager[object]:
        """The context of forward pass and loss; the backward pass takes its types from them."""
        if self.dtype == FLOAT32:
            return contextlib.nullcontext()
        return torch.autocast(torch.device(self.device).type, dtype=getattr(torch, self.dtype))

    def creating(self) -> AbstractContextManager[object]:
        """A context in which new tensors, such as an optimizer's moments, are made on the device."""
        return contextlib.nullcontext() if self.device == CPU else torch.device(self.device)

    def training(self, module: nn.Module) -> nn.Module:
        """What a training step calls in place of the module; the same parameters either way."""
        if not self.compiled:
            return module
        prepare_compiler()
        return cast("nn.Module", torch.compile(module, dynamic=False))

    def check_here(self) -> None:
        """See that this process can compute so.

        Raises:
            DeviceMissing: there is no such device, or nothing that compiles.
        """
        check_device(self.device, NONE if self.device == CPU else Found.from_json(found_here()))
        if self.compiled:
            check_compiler()


ON_CPU: Final = Execution()


def check_dtype(dtype: object) -> str:
    """The name of an arithmetic, from torch's type or its name.

    Raises:
        ManifestInvalid: no run is trained in it.
    """
    name = str(dtype).removeprefix("torch.")
    if isinstance(dtype, str | torch.dtype) and name in DTYPES:
        return name
    why = " float16 would need its losses scaled." if name == "float16" else ""
    raise ManifestInvalid(
        f"dtype={name[:60]!r} is no arithmetic of a run.{why}",
        hint='Give dtype="bfloat16", or leave it out for float32.',
    )


def found_here() -> dict[str, Any]:
    """The devices that torch can use in this process, for `devices.Found.from_json`.

    Starts CUDA: never to be called in a process from which others are forked.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    cards = (torch.cuda.get_device_properties(number) for number in range(count))
    return {
        "cuda": [{"name": str(card.name), "bytes": int(card.total_memory)} for card in cards],
        "mps": bool(torch.backends.mps.is_available()),
        "cpu_build": torch.version.cuda is None
        and torch.version.hip is None
        and not torch.backends.mps.is_built(),
    }


def prepare_compiler() -> None:
    """Give torch's compiler a private cache that the peers of this machine share, and no process pool.

    Several peers compile at a time already, and one waits for the file that another compiles.
    """
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(make_private(home() / "compiled")))
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
