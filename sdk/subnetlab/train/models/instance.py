"""A module as it is in a notebook, described without its weights: its parts, their classes, their numbers.

Rebuilt without calling a constructor, whose arguments were not kept: every part is made of its class and of
the plain values that it holds, tensors by number; the weights come from the run's initial tensors. Classes
are named where a miner can import them, and travel as source where it cannot (`cell`). No pickle: what is
neither plain nor a module nor a simple object is refused by its place in the model.
"""

import functools
import json
import math
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final, cast

import torch
from torch import Tensor, nn

from subnetlab.errors import ModelNotBuildable
from subnetlab.text import kind_of
from subnetlab.train.models.cell import Cell
from subnetlab.train.models.custom import imported, run_source
from subnetlab.train.models.definition import home_of

_PLAIN: Final = (bool, int, str, type(None))
_SEQUENCES: Final = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "Size": torch.Size}
_MAPPINGS: Final = {"dict": dict, "OrderedDict": OrderedDict}
_OF_TORCH: Final = (torch.dtype, torch.device)
_MADE_BY_MODULE: Final = frozenset(vars(nn.Module()))
"""Attributes that every module begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """`structure` is what `described` wrote; `text` defines the classes that cannot be imported."""

    structure: dict[str, Any]
    text: str = ""
    seq_len: int | None = None
    """Tokens per sequence of a language model; None for other tasks."""
    vocab_size: int = 256
    weights: dict[str, Tensor] = field(default_factory=dict[str, Tensor], compare=False, repr=False)
    """The instance's own tensors, on their way to the run's initial ones; not in the manifest."""

    def build(self) -> nn.Module:
        """Make the module with zeros for weights.

        Raises:
            ModelNotBuildable: a class is not at hand, or the description is none.
        """
        try:
            names = run_source(self.text, "instance") if self.text else {}
            model = _Reader(names, self.structure["tensors"]).value(self.structure["root"])
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise ModelNotBuildable(
                f"The model cannot be made again from its description: {error}.",
                hint="Write a function that makes it, and give that: sl.models.source(make_model).",
            ) from error
        if not isinstance(model, nn.Module):
            raise ModelNotBuildable(
                f"The description makes {kind_of(model)}.",
                hint="Let the description be that of a torch.nn.Module.",
            )
        return model

    def to_json(self) -> dict[str, Any]:
        """The specification in JSON types."""
        return {
            "kind": "Instance", "structure": self.structure, "text": self.text, "seq_len": self.seq_len,
            "vocab_size": self.vocab_size,
        }  # fmt: skip


def described(model: nn.Module) -> tuple[dict[str, Any], str]:
    """The structure of a module, and the source of its classes that cannot be imported.

    Raises:
        ModelNotBuildable: it holds something that cannot be described, such as an open file or a hook.
    """
    writer = _Writer()
    root = writer.value(model, "model")
    structure = {"root": root, "tensors": writer.tensors}
    return json.loads(json.dumps(structure)), writer.source


class _Writer:
    """Values to JSON, each module, object and tensor once."""

    def __init__(self) -> None:
        self._cell = Cell()
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []
        """What was seen stays alive, so that no id is used twice."""
        self.tensors: list[dict[str, Any]] = []

    @property
    def source(self) -> str:
        return self._cell.text.strip("\n") + "\n" if self._cell.text.strip() else ""

    def value(self, value: Any, where: str) -> Any:
        """JSON for a value; `where` is its place, for sentences."""
        kind = type(value)
        if kind in _PLAIN or (kind is float and math.isfinite(value)):
            return value
        if kind is float or isinstance(value, _OF_TORCH):
            return {kind.__name__: str(value).removeprefix("torch.")}
        if _SEQUENCES.get(kind.__name__) is kind:
            return {
                kind.__name__: [self.value(part, f"{where}[{i}]") for i, part in enumerate(_ordered(value))]
            }
        if _MAPPINGS.get(kind.__name__) is kind:
            pairs = cast("dict[Any, Any]", value).items()
            return {kind.__name__: [[self.value(k, where), self.value(v, f"{where}.{k}")] for k, v in pairs]}
        return self._of_parts(value, where)

    def _of_parts(self, value: Any, where: str) -> Any:
        if isinstance(value, functools.partial):
            parts = (value.func, value.args, value.keywords)
            return {"partial": [self.value(part, where) for part in parts]}
        if isinstance(value, Tensor):
            return self._once(value, lambda: {"tensor": self._tensor(value)})
        if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
            return self._code(value, where)
        return self._once(value, lambda: self._object(value, where))

    def _once(self, value: Any, write: Any) -> Any:
        if id(value) in self._seen:
            return {"again": self._seen[id(value)]}
        self._seen[id(value)] = len(self._kept)
        self._kept.append(value)
        return write()

    def _tensor(self, value: Tensor) -> int:
        self.tensors.append({
            "shape": list(value.shape), "dtype": str(value.dtype).removeprefix("torch."),
            "parameter": isinstance(value, nn.Parameter), "trained": value.requires_grad,
        })  # fmt: skip
        return len(self.tensors) - 1

    def _code(self, value: Any, where: str) -> Any:
        home = home_of(value)
        if home is not None:
            return {"code": list(home)}
        name = str(getattr(value, "__name__", ""))
        if not isinstance(value, type) and not hasattr(value, "__code__"):
            raise _refused(value, where)
        return {
            "named": self._cell.define(value, name if name.isidentifier() else f"function_{len(self._kept)}")
        }

    def _object(self, value: Any, where: str) -> Any:
        try:
            state = value.__getstate__()
        except (RuntimeError, TypeError, NotImplementedError) as error:  # parametrised, for one
            raise _refused(value, where) from error
        plain = isinstance(value, nn.Module) or type(value).__reduce_ex__ is object.__reduce_ex__
        if not isinstance(state, dict) or not plain or type(value).__reduce__ is not object.__reduce__:
            raise _refused(value, where)
        members = cast("dict[str, Any]", state)
        if isinstance(value, nn.Module):
            members = {name: part for name, part in members.items() if not _is_empty_hook(name, part)}
            hooks = [name for name in members if "hook" in name and name in _MADE_BY_MODULE]
            if hooks:
                raise ModelNotBuildable(
                    f"{where} has hooks, which cannot be described for the miners.",
                    hint="Remove them, or give the class or a function that makes the model.",
                )
        of = self._code(type(value), where)
        inner = {name: self.value(part, _place(where, name)) for name, part in members.items()}
        return {"object": [of, inner]}


class _Reader:
    """JSON back to values."""

    def __init__(self, names: dict[str, Any], tensors: list[dict[str, Any]]) -> None:
        self._names, self._tensors = names, tensors
        self._made: list[Any] = []

    def value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        ((kind, content),) = cast("dict[str, Any]", data).items()
        if kind in _SEQUENCES:
            return _SEQUENCES[kind]([self.value(part) for part in content])
        if kind in _MAPPINGS:
            return _MAPPINGS[kind]((self.value(key), self.value(part)) for key, part in content)
        read = getattr(self, f"_{kind}")
        return read(content)

    def _float(self, text: str) -> float:
        return float(text)

    def _dtype(self, name: str) -> torch.dtype:
        return getattr(torch, name)

    def _device(self, name: str) -> torch.device:
        return torch.device(name)

    def _partial(self, parts: list[Any]) -> Any:
        function, args, keywords = (self.value(part) for part in parts)
        return functools.partial(function, *args, **keywords)

    def _again(self, number: int) -> Any:
        return self._made[number]

    def _code(self, home: list[str]) -> Any:
        return imported(home[0], home[1])

    def _named(self, name: str) -> Any:
        return self._names[name]

    def _tensor(self, number: int) -> Tensor:
        about = self._tensors[number]
        made = torch.zeros(about["shape"], dtype=getattr(torch, about["dtype"]))
        if about["parameter"]:
            made = nn.Parameter(made, requires_grad=about["trained"])
        self._made.append(made)
        return made

    def _object(self, parts: list[Any]) -> Any:
        place = len(self._made)
        self._made.append(None)
        kind = self.value(parts[0])
        made = kind.__new__(kind)
        self._made[place] = made
        if isinstance(made, nn.Module):
            nn.Module.__init__(made)
        state = {name: self.value(part) for name, part in parts[1].items()}
        restore = getattr(made, "__setstate__", None)
        if restore is None:
            made.__dict__.update(state)
        else:
            restore({**made.__dict__, **state})
        return made


def _ordered(value: Any) -> Any:
    """Sets in one order, so that one model has one manifest."""
    return sorted(value, key=repr) if isinstance(value, set | frozenset) else value


def _is_empty_hook(name: str, part: Any) -> bool:
    return name in _MADE_BY_MODULE and "hook" in name and not part


def _place(where: str, name: str) -> str:
    return where if name in ("_modules", "_parameters", "_buffers") else f"{where}.{name}"


def _refused(value: Any, where: str) -> ModelNotBuildable:
    return ModelNotBuildable(
        f"{where} is {kind_of(value)}, which cannot be described for the miners.",
        hint="Give the class or a function that makes the model, and load its weights with init=.",
    )
