"""Models of one's own: an importable factory, or the source of a notebook cell for a fleet one owns.

Both run code that the manifest names, so a peer builds them only from a manifest it trusts;
`models.from_json` asks for that trust. The seam itself is `spec.ModelSpec`.
"""

import importlib
import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any, Final

from torch import nn

from subnetlab.errors import ModelNotBuildable
from subnetlab.text import kind_of
from subnetlab.train.models.cell import Cell

_FACTORY_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, OSError,
    RuntimeError, SyntaxError, TypeError, ValueError,
)  # fmt: skip
_IMPORTS: Final = "import torch\nfrom torch import nn\n"
"""What a cell may use without importing it."""
_CELL_MODULE: Final = "subnetlab_cell_model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Factory:
    """`path` is "package.module:callable"; it is called with `options` and returns a torch.nn.Module."""

    path: str
    seq_len: int | None = None
    """Tokens per sequence of a language model; None for other tasks."""
    vocab_size: int = 256
    options: dict[str, Any] = field(default_factory=dict[str, Any])

    def build(self) -> nn.Module:
        """Import the factory and call it.

        Raises:
            ModelNotBuildable: not importable here, or the factory failed or returned something else.
        """
        module_name, _, name = self.path.partition(":")
        if not name:
            raise ModelNotBuildable(
                f"{self.path!r} names no factory.", hint='Write "package.module:callable".'
            )
        if module_name == "__main__":
            raise ModelNotBuildable(
                f"{name!r} is defined in this notebook, which a miner process cannot import.",
                hint="Use subnetlab.models.source(factory, …), or move it into a module.",
            )
        return _called(imported(module_name, name), self.path, self.options)

    def to_json(self) -> dict[str, Any]:
        """The specification in JSON types."""
        return {
            "kind": "Factory", "path": self.path, "seq_len": self.seq_len,
            "vocab_size": self.vocab_size, "options": self.options,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`text` is Python source that defines the callable `name`; for fleets of one's own only."""

    text: str
    name: str
    seq_len: int | None = None
    """Tokens per sequence of a language model; None for other tasks."""
    vocab_size: int = 256
    options: dict[str, Any] = field(default_factory=dict[str, Any])

    def build(self) -> nn.Module:
        """Run the source in a namespace of its own and call the factory.

        Raises:
            ModelNotBuildable: the source failed, does not define the name, or returned something else.
        """
        namespace = run_source(self.text, self.name)
        if self.name not in namespace:
            raise ModelNotBuildable(
                f"The source does not define {self.name!r}.",
                hint="Name the class or function that returns the model: sl.models.source(make_model).",
            )
        return _called(namespace[self.name], self.name, self.options)

    def to_json(self) -> dict[str, Any]:
        """The specification in JSON types."""
        return {
            "kind": "Source", "text": self.text, "name": self.name, "seq_len": self.seq_len,
            "vocab_size": self.vocab_size, "options": self.options,
        }  # fmt: skip


def source(
    factory: Callable[..., nn.Module], *, seq_len: int | None = None, vocab_size: int = 256, **options: Any
) -> Source:
    """Take a function or class of a notebook along as source, with everything of other cells that it uses.

    Raises:
        ModelNotBuildable: Python does not know the source of `factory`, or of something that it uses.
    """
    if not isinstance(factory, type | FunctionType):
        raise ModelNotBuildable(
            f"The source of {factory!r} is not known.",
            hint="Define it with def or class in a cell or a module.",
        )
    cell = Cell(factory.__module__)
    name = cell.define(factory, "make_model" if factory.__name__ == "<lambda>" else factory.__name__)
    return Source(
        text=_IMPORTS + cell.text, name=name, seq_len=seq_len, vocab_size=vocab_size, options=options
    )


def imported(module_name: str, name: str) -> Any:
    """What a miner process imports under a module's name and a dotted name in it.

    Raises:
        ModelNotBuildable: it is not there.
    """
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ModelNotBuildable(
            f"'{module_name}:{name}' cannot be imported in a miner process: {error}.",
            hint="Install the package where the miners run.",
        ) from error
    return found


def run_source(text: str, name: str) -> dict[str, Any]:
    """What a text defines, run in a namespace of its own.

    Raises:
        ModelNotBuildable: it does not run by itself.
    """
    filename = f"<model {name}>"
    # The traceback of a failing model shows its own lines.
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    module = ModuleType(_CELL_MODULE)
    # Dataclasses look their module up by name while they are made.
    sys.modules[_CELL_MODULE] = module
    try:
        exec(compile(text, filename, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - only from trusted manifests
    except _FACTORY_ERRORS as error:
        raise ModelNotBuildable(
            f"The cell that defines {name!r} does not run by itself: {error}.",
            hint="Let the cell import everything it uses.",
        ) from error
    return module.__dict__


def _called(factory: Any, path: str, options: dict[str, Any]) -> nn.Module:
    try:
        model = factory(**options)
    except _FACTORY_ERRORS as error:
        raise ModelNotBuildable(
            f"{path!r} failed with {type(error).__name__}: {error}.",
            hint="Call it with the same options in a cell to see where.",
        ) from error
    if not isinstance(model, nn.Module):
        raise ModelNotBuildable(f"{path!r} returned {kind_of(model)}.", hint="Return a torch.nn.Module.")
    return model
