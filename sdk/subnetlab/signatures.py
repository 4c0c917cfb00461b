"""A call whose arguments do not fit a function's signature, refused in a sentence that names the near word.

`known_arguments` wraps a public function, `known_fields` the constructor of a configuration. Only the names
and the number of arguments are looked at; what a value may be, each function says itself. `nearest_path`
finds what was meant by a name that the package does not have, and imports nothing for it.
"""

import ast
import difflib
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from subnetlab.errors import ArgumentInvalid

VERBS: Final = {
    "create_subnet": "net", "wallet": "net", "balance": "net", "stake": "net", "pay": "net", "seal": "net",
    "budget": "net", "holdings": "net", "subnet": "net", "train": "subnet", "register": "subnet",
    "set_weights": "subnet", "verify": "run", "explain": "run", "frame": "run",
}  # fmt: skip
"""Methods that are looked for on `sl`, by the variable of a notebook that has them."""

_P = ParamSpec("_P")
_R = TypeVar("_R")
_C = TypeVar("_C", bound=type[Any])

SYNONYMS: Final = {
    "epochs": "rounds", "n_rounds": "rounds", "num_rounds": "rounds", "steps": "rounds",
    "learning_rate": "lr", "rate": "lr", "batch": "batch_size", "bs": "batch_size",
    "loss_fn": "loss", "criterion": "loss", "optim": "optimizer", "opt": "optimizer",
    "random_state": "seed", "val_data": "eval_data", "validation_data": "eval_data", "test_data": "eval_data",
    "label": "target", "labels": "target", "y": "target", "n_miners": "miners", "num_miners": "miners",
    "workers": "miners", "url": "network", "endpoint": "network",
}  # fmt: skip
"""What other libraries call an argument, by the word here."""


def known_arguments(call: str, *, places: str = "") -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Refuse arguments that a function does not have before its body runs.

    Args:
        call: how people write it.
        places: what to do instead of giving more by place than it takes; its arguments are listed if empty.
    """

    def wrap(function: Callable[_P, _R]) -> Callable[_P, _R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def called(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            _check(signature, call, args, kwargs, places)
            return function(*args, **kwargs)

        return called

    return wrap


def known_fields(call: str) -> Callable[[_C], _C]:
    """The same for the constructor of a class, a frozen dataclass for one."""

    def wrap(cls: _C) -> _C:
        cls.__init__ = known_arguments(call)(cls.__init__)
        return cls

    return wrap


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was meant, as other libraries spell it or by its letters; empty for none."""
    words = list(known)
    meant = SYNONYMS.get(word)
    close = [meant] if meant in words else difflib.get_close_matches(word, words, n=1)
    return close[0] if close else ""


def nearest_path(word: str, modules: Mapping[str, str], own: Sequence[str]) -> str:
    """The public name that was meant by `sl.word`, as people write it; empty for none.

    Args:
        word: what was asked for.
        modules: by public name, the package whose own public names are looked at as well.
        own: the public names of `sl` itself.
    """
    if word in VERBS:
        return f"{VERBS[word]}.{word}"
    below = {name: f"sl.{public}.{name}" for public, module in modules.items() for name in _declared(module)}
    if word in below:
        return below[word]
    for known in ({name: f"sl.{name}" for name in own if not name.startswith("_")}, below):
        by_letters = {name.lower(): path for name, path in known.items()}
        close = difflib.get_close_matches(word.lower(), by_letters, n=1, cutoff=0.75)
        if close:
            return by_letters[close[0]]
    return ""


def _declared(module: str) -> list[str]:
    """The `__all__` of a package of ours as it is written: importing it could load torch."""
    folder = Path(__file__).parents[1].joinpath(*module.split("."))
    for node in ast.parse((folder / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def unknown_option(call: str, word: str, known: Sequence[str]) -> ArgumentInvalid:
    """The error for an option that a call does not have."""
    near = nearest(word, known)
    hint = f"Did you mean {near}=?" if near else f"It takes {', '.join(known)}."
    return ArgumentInvalid(f"{call} has no option {word!r}.", hint=hint)


def _check(
    signature: inspect.Signature, call: str, args: tuple[Any, ...], kwargs: dict[str, Any], places: str
) -> None:
    """Compare the arguments with a signature.

    Raises:
        ArgumentInvalid: there are too many by place, one twice, one unknown, or one is missing.
    """
    parameters = signature.parameters
    named = [name for name, one in parameters.items() if one.kind is not one.VAR_KEYWORD and name != "self"]
    open_ended = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    for word in kwargs:
        if word not in named and not open_ended:
            raise unknown_option(call, word, named)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        hint = places if places and "too many" in str(error) else f"It takes {_written(signature)}."
        raise ArgumentInvalid(f"{call}: {error}.", hint=hint) from None


def _written(signature: inspect.Signature) -> str:
    """The arguments by place, then how the rest is given."""
    parameters = [one for name, one in signature.parameters.items() if name != "self"]
    placed = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    rest = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
    by_place = f"{', '.join(placed)} by place" if placed else "nothing by place"
    return f"{by_place} and by name {', '.join(rest)}" if rest else by_place
