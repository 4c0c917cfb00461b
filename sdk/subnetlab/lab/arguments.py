"""The plain arguments of `train`, checked before torch is loaded and anything is spent.

What a model, a data set and an optimizer may be, their own rooms say (`lab.plan`).
"""

from collections.abc import Mapping
from operator import index
from typing import Any, Final, cast

from subnetlab.errors import ArgumentInvalid
from subnetlab.fleet.local import LocalFleet

MOST_ROUNDS: Final = 1_000_000
MOST_BATCH: Final = 1 << 24
MOST_SEED: Final = 2**63 - 1


def count(name: str, value: object, *, least: int, most: int) -> int:
    """A whole number between two others, as Python's own.

    Raises:
        ArgumentInvalid: it is no whole number (yes and no are none, nor is 1.0), or out of range.
    """
    whole = f"Give a whole number from {least} to {most:,}, such as {name}={max(least, 3)}."
    if isinstance(value, bool):
        raise ArgumentInvalid(f"{name}={value!r} is no number.", hint=whole)
    try:
        found = index(cast("Any", value))
    except TypeError as error:
        shown = repr(value) if isinstance(value, int | float | str | None) else f"a {type(value).__name__}"
        raise ArgumentInvalid(f"{name}={shown[:60]} is no whole number.", hint=whole) from error
    if not least <= found <= most:
        shown = (
            str(found)
            if abs(found) < 10**12
            else f"{'-' if found < 0 else ''}2^{abs(found).bit_length() - 1}"
        )
        raise ArgumentInvalid(f"{name}={shown} is out of range.", hint=whole)
    return found


def flag(name: str, value: object) -> bool:
    """Yes or no.

    Raises:
        ArgumentInvalid: it is neither True nor False.
    """
    if not isinstance(value, bool):
        raise ArgumentInvalid(
            f"{name} is a {type(value).__name__}.", hint=f"Give {name}=True or {name}=False."
        )
    return value


def a_fleet(value: object) -> LocalFleet:
    """The fleet, the usual one if none is given.

    Raises:
        ArgumentInvalid: it is something else.
    """
    if value is None:
        return LocalFleet()
    if not isinstance(value, LocalFleet):
        raise ArgumentInvalid(
            f"fleet is a {_named(value)}.", hint="Give sl.LocalFleet(miners=…, validators=…)."
        )
    return value


def a_prompt(value: object) -> "str | list[int] | None":
    """Text, or tokens as whole numbers; None for the beginning that suits the data.

    Raises:
        ArgumentInvalid: it is something else.
    """
    if value is None or isinstance(value, str):
        return value
    try:
        tokens = cast(
            "list[Any]", cast("Any", value).tolist() if hasattr(value, "tolist") else list(cast("Any", value))
        )
    except TypeError:
        tokens = None
    if tokens is None or not all(type(token) is int for token in tokens):
        raise ArgumentInvalid(
            f"prompt is a {_named(value)}.", hint="Give text, or tokens such as prompt=[3, 1, 4]."
        )
    return tokens


def own_metrics(value: object) -> "dict[str, Any]":
    """Functions by name.

    Raises:
        ArgumentInvalid: it is no dict of named functions.
    """
    if value is None:
        return {}
    whole = isinstance(value, Mapping) and all(
        isinstance(name, str) and name and callable(one)
        for name, one in cast("Mapping[Any, Any]", value).items()
    )
    if not whole:
        raise ArgumentInvalid(
            f"metrics is a {_named(value)} and no dict of named functions.",
            hint='Give metrics={"name": function}, each a function of outputs and targets.',
        )
    return dict(cast("Mapping[str, Any]", value))


def _named(value: object) -> str:
    return f"class ({value.__name__})" if isinstance(value, type) else type(value).__name__
