"""A described module of somebody else, proved to be plain layers of torch before any part of it is made.

What `instance.described` wrote may come from a stranger here. Only classes of torch that a person may read in
its manual pass: containers and layers that do nothing but compute, and no function, no hook, no text. The
description makes no more numbers than its tensors bring along, and no module holds itself.
"""

import importlib
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import torch
from torch import Tensor, nn

from subnetlab.errors import ModelNotBuildable

_ROOT: Final = "torch.nn.modules"
_KINDS: Final = (
    "activation", "batchnorm", "channelshuffle", "conv", "dropout", "flatten", "fold", "instancenorm",
    "linear", "normalization", "padding", "pixelshuffle", "pooling", "sparse", "upsampling",
)  # fmt: skip
"""Modules of `torch.nn.modules` whose layers pass."""
_CONTAINERS: Final = ("Sequential", "ModuleList", "ModuleDict")
_SEQUENCES: Final = ("list", "tuple", "set", "frozenset", "Size")
_MAPPINGS: Final = ("dict", "OrderedDict")
_MOST_PARTS: Final = 100_000
"""Of a description, a part that is named again counted each time: so often is a state dict filled."""


def check_plain(described: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Look through what `Instance.to_json` wrote of a module.

    Args:
        described: the whole specification.
        tensors: what came along to fill it.

    Raises:
        ModelNotBuildable: a part is no plain layer of torch; it is named.
        ValueError: the description contradicts itself or asks for more than its tensors fill. Whatever is
            not written as a description is (TypeError, LookupError) contradicts itself too.
    """
    if described.get("text"):
        raise _refused("code of its author")
    structure = described["structure"]
    asked = sum(math.prod(about["shape"]) for about in structure["tensors"])
    if asked > sum(tensor.numel() for tensor in tensors.values()):
        raise ValueError("its description asks for more than its tensors fill")
    if any(not isinstance(getattr(torch, about["dtype"]), torch.dtype) for about in structure["tensors"]):
        raise ValueError("a tensor has a type that is none")
    _Walk().parts(structure["root"])


def check_filled(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Compare what a module holds with the tensors that came along.

    Raises:
        ValueError: names or shapes differ, or a trained parameter is narrower than what the record names.
    """
    wanted = {name: part.shape for name, part in model.state_dict().items()}
    if wanted != {name: part.shape for name, part in tensors.items()} or not _buffers(model) <= set(wanted):
        raise ValueError("its tensors are not those of its configuration")
    if any(one.requires_grad and one.dtype != torch.float32 for one in model.parameters()):
        raise ValueError("its parameters are narrower than those that the record names")


def _buffers(model: nn.Module) -> set[str]:
    return {name for name, _ in model.named_buffers(remove_duplicate=False)}


class _Walk:
    """Counts the parts of a description as the module that is made of it will be gone through."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        """Of every module and tensor in the order in which it is first met; 0 while it is gone through."""
        self._tensors: set[int] = set()

    def parts(self, data: Any) -> int:
        if not isinstance(data, dict):
            if isinstance(data, list):
                raise TypeError("its description holds a bare list")
            return 1
        ((kind, content),) = cast("dict[str, Any]", data).items()
        if kind in _SEQUENCES:
            return self._sum(content)
        if kind in _MAPPINGS:
            return self._sum(part for pair in content for part in pair)
        read = {"tensor": self._tensor, "again": self._again, "object": self._object, "float": _number}
        if kind not in read:
            raise _refused("a function" if kind in ("code", "named", "partial") else repr(kind[:80]))
        return read[kind](content)

    def _sum(self, parts: Iterable[Any]) -> int:
        total = 1
        for part in parts:
            total += self.parts(part)
            if total > _MOST_PARTS:
                raise ValueError(f"its description has more than {_MOST_PARTS:,} parts")
        return total

    def _tensor(self, number: int) -> int:
        if number in self._tensors:
            raise ValueError("its description makes a tensor twice")
        self._tensors.add(number)
        self._sizes.append(1)
        return 1

    def _again(self, number: int) -> int:
        if number < 0 or not self._sizes[number]:
            raise ValueError("a part of it holds itself")
        return self._sizes[number]

    def _object(self, content: list[Any]) -> int:
        of, members = content
        _check_layer(of)
        if any("hook" in name for name in members):
            raise _refused("a hook")
        place = len(self._sizes)
        self._sizes.append(0)
        self._sizes[place] = self._sum(members.values())
        return self._sizes[place]


def _number(text: str) -> int:
    float(text)
    return 1


def _check_layer(of: Any) -> None:
    """Refuse what is no plain layer of torch.

    Raises:
        ModelNotBuildable: it is none.
    """
    if not isinstance(of, dict) or "code" not in of:
        raise _refused("code of its author")
    module, name = map(str, cast("dict[str, Any]", of)["code"])
    named = f"{module}.{name}"[:80]
    if module == f"{_ROOT}.container":
        if name not in _CONTAINERS:
            raise _refused(named)
        return
    kind = None
    if module in {f"{_ROOT}.{kind}" for kind in _KINDS} and not name.startswith(("_", "Lazy")):
        kind = getattr(importlib.import_module(module), name, None)
    if not isinstance(kind, type) or not issubclass(kind, nn.Module) or kind.__module__ != module:
        raise _refused(named)


def _refused(what: str) -> ModelNotBuildable:
    return ModelNotBuildable(
        f"This run's model holds {what}; from a file only TinyGPT and plain layers of torch.nn are built, so "
        "that opening it never runs code of its author.",
    )
