"""A function of one's own, a loss or a metric, as it travels in a manifest: its import path, or its source.

A peer runs the source only from a manifest it trusts, as it builds models of one's own.
"""

import importlib
import json
import linecache
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from subnetlab.errors import ManifestInvalid
from subnetlab.train.tasks.base import MODEL_ERRORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """`path` is "package.module:callable"; `text` is source that defines `defines`. One of them is given."""

    name: str
    path: str = ""
    text: str = ""
    defines: str = ""
    """What the source calls the function."""
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    """Arguments with which a class at `path` is made, `torch.nn.HuberLoss` for one."""

    def function(self) -> Callable[..., Any]:
        """The function itself, imported or run from its source once per process.

        Raises:
            ManifestInvalid: it is not there.
        """
        return _function(json.dumps(asdict(self), sort_keys=True))

    def to_json(self) -> dict[str, Any]:
        """The function in JSON types, without what is empty."""
        return {key: value for key, value in asdict(self).items() if value}


def from_json(told: Any) -> Code:
    """Read a function's description back.

    Raises:
        ManifestInvalid: it does not fit.
    """
    try:
        return Code(**dict(told))
    except (TypeError, ValueError) as error:
        raise ManifestInvalid(f"The description of a function does not fit: {error}.") from error


@lru_cache(maxsize=64)
def _function(told: str) -> Callable[..., Any]:
    code = Code(**json.loads(told))
    try:
        if code.path:
            module, _, name = code.path.partition(":")
            found: Any = importlib.import_module(module)
            for part in name.split("."):
                found = getattr(found, part)
            return found(**code.options) if isinstance(found, type) else found
        filename = f"<function {code.name}>"
        linecache.cache[filename] = (len(code.text), None, code.text.splitlines(keepends=True), filename)
        namespace: dict[str, Any] = {"__name__": "subnetlab_cell_function"}
        exec(compile(code.text, filename, "exec"), namespace)  # noqa: S102 - only from trusted manifests
        return namespace[code.defines]
    except (*MODEL_ERRORS, ImportError, SyntaxError) as error:
        raise ManifestInvalid(
            f"The function {code.name!r} is not at hand in this process: {type(error).__name__}: {error}.",
            hint="Let it import everything it uses.",
        ) from error
