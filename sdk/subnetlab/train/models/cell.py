"""A class or function of a notebook as source that runs by itself, with everything of the notebook it uses.

What it names is looked up where it was defined and taken along by value: classes and functions as source,
modules as imports, constants as literals, each with what it uses in turn. A snapshot: what a later cell
changes does not reach the miners. Nothing is pickled; what has no source and is no plain value is refused by
name.
"""

import __future__

import builtins
import dataclasses
import enum
import functools
import math
from collections.abc import Mapping
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, ModuleType, SimpleNamespace
from typing import Any, Final, cast

import numpy as np
import torch

from subnetlab.errors import ModelNotBuildable
from subnetlab.text import kind_of
from subnetlab.train.models.definition import home_of, is_importable, names_used, scope_of, source_of

_MOST_ELEMENTS: Final = 4096
"""Of a tensor that travels as a literal."""
_SEQUENCES: Final[dict[type, str]] = {
    list: "list", tuple: "tuple", torch.Size: "tuple", set: "set", frozenset: "frozenset",
}  # fmt: skip
_FUTURE: Final = "from __future__ import annotations"


class Cell:
    """Definitions collected so far, in an order in which they run.

    Args:
        module: whose classes and functions travel as source although a miner could import them.
    """

    def __init__(self, module: str = "__main__") -> None:
        self._module = module
        self._lines: list[str] = []
        self._bound: dict[str, Any] = {}
        self._future = False

    @property
    def text(self) -> str:
        """The source of everything collected."""
        return "\n".join([*([_FUTURE] if self._future else []), *self._lines]) + "\n"

    def define(self, target: type | FunctionType, name: str) -> str:
        """Take a class or function along by its source; returns the name that it has there.

        Raises:
            ModelNotBuildable: its source, or that of something it uses, cannot travel.
        """
        if name in self._bound:
            if self._bound[name] is not target:
                raise ModelNotBuildable(
                    f"Two things that the model uses are called {name!r}.", hint="Rename one of them."
                )
            return name
        text = source_of(target)
        self._bound[name] = target
        if isinstance(target, FunctionType):
            self._future |= bool(target.__code__.co_flags & __future__.annotations.compiler_flag)
        lambda_ = not isinstance(target, type) and target.__name__ == "<lambda>"
        if lambda_:
            text = f"{name} = {text}\n"
        scope = scope_of(target)
        for used in names_used(text):
            if used in scope and not _is_builtin(used, scope[used]):
                self.bind(used, scope[used], _called(target))
        self._lines.append(text)
        if not lambda_ and target.__name__ != name:
            self._lines.append(f"{name} = {target.__name__}")
        return name

    def bind(self, name: str, value: Any, where: str) -> None:
        """Give a value a name; `where` says who uses it."""
        if name in self._bound and self._bound[name] is value:
            return
        if isinstance(value, ModuleType):
            if not is_importable(value.__name__):
                raise _refused(name, value, where)
            as_ = "" if value.__name__ == name else f" as {name}"
            self._add(name, value, f"import {value.__name__}{as_}")
        elif _is_code(value) and (home := self._home_of(value)) is not None:
            module, _, outer = home[0], None, home[1].split(".")[0]
            alias = name if home[1] == outer else f"_{outer}"
            as_ = "" if outer == alias else f" as {alias}"
            self._add(name, value, f"from {module} import {outer}{as_}")
            if alias != name:
                self._lines.append(f"{name} = {home[1].replace(outer, alias, 1)}")
        elif isinstance(value, type | FunctionType):
            self.define(value, name)
        else:
            expression = self.expression(value, name, where)
            self._add(name, value, f"{name} = {expression}")

    def expression(self, value: Any, name: str, where: str) -> str:
        """Python that makes the value anew.

        Raises:
            ModelNotBuildable: nothing written down would.
        """
        for write in (_literal, self._containing, self._of_torch, self._of_class):
            written = write(value, name, where)
            if written is not None:
                return written
        if isinstance(value, ModuleType) or _is_code(value):
            return self._named(value, where)
        raise _refused(name, value, where)

    def _containing(self, value: Any, name: str, where: str) -> str | None:
        def inner(part: Any) -> str:
            return self.expression(part, name, where)

        if type(value) in _SEQUENCES:
            items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
            return f"{_SEQUENCES[type(value)]}([{', '.join(map(inner, items))}])"
        if type(value) is dict:
            pairs = cast("dict[Any, Any]", value).items()
            return f"{{{', '.join(f'{inner(key)}: {inner(part)}' for key, part in pairs)}}}"
        if isinstance(value, functools.partial):
            given = [*map(inner, (value.func, *value.args)), f"**{inner(value.keywords)}"]
            return f"{self._named(functools.partial, where)}({', '.join(given)})"
        return None

    def _of_torch(self, value: Any, name: str, where: str) -> str | None:
        if isinstance(value, torch.dtype):
            return f"{self._named(torch, where)}.{str(value).removeprefix('torch.')}"
        if isinstance(value, torch.device):
            return f"{self._named(torch, where)}.device({str(value)!r})"
        if isinstance(value, torch.Tensor | np.ndarray | np.generic):
            return self._numbers(value, name, where)
        return None

    def _of_class(self, value: Any, name: str, where: str) -> str | None:
        if isinstance(value, enum.Enum):
            return f"{self._named(type(value), where)}[{value.name!r}]"
        if isinstance(value, PurePath):
            return f"{self._named(type(value), where)}({str(value)!r})"
        is_data = dataclasses.is_dataclass(value) and not isinstance(value, type)
        return self._object(value, name, where) if is_data or isinstance(value, SimpleNamespace) else None

    def _object(self, value: Any, name: str, where: str) -> str:
        fields: Mapping[str, Any] = (
            {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
            if dataclasses.is_dataclass(value)
            else vars(value)
        )
        given = ", ".join(f"{key}={self.expression(part, name, where)}" for key, part in fields.items())
        return f"{self._named(type(value), where)}({given})"

    def _numbers(self, value: Any, name: str, where: str) -> str:
        if isinstance(value, np.generic):
            return self.expression(value.item(), name, where)
        if math.prod(value.shape) > _MOST_ELEMENTS or isinstance(value, torch.nn.Parameter):
            raise _refused(name, value, where)
        numbers = self.expression(value.tolist(), name, where)
        if isinstance(value, np.ndarray):
            return f"{self._named(np, where)}.array({numbers}, dtype={str(value.dtype)!r})"
        dtype = self.expression(value.dtype, name, where)
        return f"{self._named(torch, where)}.tensor({numbers}, dtype={dtype})"

    def _home_of(self, value: Any) -> tuple[str, str] | None:
        own = getattr(value, "__module__", None) == self._module and isinstance(value, type | FunctionType)
        return None if own else home_of(value)

    def _named(self, value: Any, where: str) -> str:
        """A name for code, its own unless that means something else already."""
        name = str(getattr(value, "__name__", "")).rpartition(".")[2]
        if not name.isidentifier():
            name = "function"
        while name in self._bound and self._bound[name] is not value:
            name += "_"
        self.bind(name, value, where)
        return name

    def _add(self, name: str, value: Any, line: str) -> None:
        if name in self._bound:
            raise ModelNotBuildable(
                f"Two things that the model uses are called {name!r}.", hint="Rename one of them."
            )
        self._bound[name] = value
        self._lines.append(line)


def _literal(value: Any, _name: str, _where: str) -> str | None:
    if value is None or type(value) in (bool, int, str, bytes):
        return repr(value)
    if type(value) is float:
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    return None


def _refused(name: str, value: Any, where: str) -> ModelNotBuildable:
    return ModelNotBuildable(
        f"{where} uses {name!r}, {kind_of(value)}, which cannot travel to the miners as source.",
        hint="Make it inside the model, or give it as an option.",
    )


def _called(target: type | FunctionType) -> str:
    kind = "class" if isinstance(target, type) else "function"
    return f"The {kind} {target.__qualname__}"


def _is_code(value: Any) -> bool:
    return isinstance(value, type | FunctionType | BuiltinFunctionType) or type(value).__name__ in (
        "builtin_function_or_method", "ufunc", "_OpNamespace", "OpOverloadPacket", "BooleanDispatch",
    )  # fmt: skip


def _is_builtin(name: str, value: Any) -> bool:
    return getattr(builtins, name, _is_builtin) is value or name.startswith("__")
