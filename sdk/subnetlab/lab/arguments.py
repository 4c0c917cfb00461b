"""The plain arguments of `train` and of a run's verbs, checked before torch is loaded and anything is spent.

What a model, a data set and an optimizer may be, their own rooms say (`lab.plan`).
"""

from collections.abc import Mapping, Sequence
from math import inf, isnan, nan
from numbers import Real
from operator import index
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal, cast

from subnetlab.errors import ArgumentInvalid, ManifestInvalid, NotYetSupported
from subnetlab.fleet.local import LocalFleet
from subnetlab.record.baselines import ALONE, budget
from subnetlab.text import kind_of

MOST_ROUNDS: Final = 1_000_000
MOST_BATCH: Final = 1 << 24
MOST_SEED: Final = 2**63 - 1
MOST_UID: Final = 2**16 - 1
MOST_NETUID: Final = 2**16 - 1
MOST_BLOCKS: Final = 100_000


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
        shown = repr(value) if isinstance(value, int | float | str | None) else kind_of(value)
        raise ArgumentInvalid(f"{name}={shown[:60]} is no whole number.", hint=whole) from error
    if not least <= found <= most:
        shown = (
            str(found)
            if abs(found) < 10**12
            else f"{'-' if found < 0 else ''}2^{abs(found).bit_length() - 1}"
        )
        raise ArgumentInvalid(f"{name}={shown} is out of range.", hint=whole)
    return found


def plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `train`, its numbers, prompt and metrics checked; errors as `count`."""
    return {
        **given,
        "rounds": count("rounds", given["rounds"], least=1, most=MOST_ROUNDS),
        "batch_size": count("batch_size", given["batch_size"], least=1, most=MOST_BATCH),
        "seed": count("seed", given["seed"], least=0, most=MOST_SEED),
        "prompt": a_prompt(given["prompt"]),
        "metrics": own_metrics(given["metrics"]),
    }


def flag(name: str, value: object) -> bool:
    """Yes or no.

    Raises:
        ArgumentInvalid: it is neither True nor False.
    """
    if not isinstance(value, bool):
        raise ArgumentInvalid(f"{name} is {kind_of(value)}.", hint=f"Give {name}=True or {name}=False.")
    return value


def share(name: str, value: object) -> float:
    """A share from 0 to 1.

    Raises:
        ArgumentInvalid: it is no number, or out of that range.
    """
    number = _number(value)
    if isnan(number) or not 0 <= number <= 1:
        shown = repr(value)[:60] if isinstance(value, int | float | str) else kind_of(value)
        raise ArgumentInvalid(f"{name}={shown} is no share.", hint=f"Give a number from 0 to 1: {name}=0.1.")
    return number


def flags(**values: object) -> tuple[bool, ...]:
    """Several of them by name; errors as `flag`."""
    return tuple(flag(name, value) for name, value in values.items())


def a_fleet(value: object) -> LocalFleet:
    """The fleet, the usual one if none is given.

    Raises:
        ArgumentInvalid: it is something else.
    """
    if value is None:
        return LocalFleet()
    if not isinstance(value, LocalFleet):
        raise ArgumentInvalid(
            f"fleet is {kind_of(value)}.", hint="Give sl.LocalFleet(miners=…, validators=…)."
        )
    return value


def for_own_fleet(*, baselines: Sequence[str], budget_tao: object, deterministic: bool) -> None:
    """Refuse what only a fleet of one's own has.

    Raises:
        NotYetSupported: one of it was asked for.
    """
    asked = {
        "baselines": bool(baselines),
        "budget_tao": budget_tao is not None,
        "deterministic": deterministic,
    }
    for name, given in asked.items():
        if given:
            raise NotYetSupported(
                f"{name} is for a fleet of one's own; the peers of an open fleet belong to others.",
                hint=f"Leave out {name}, or train with sl.LocalFleet().",
            )


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
            f"prompt is {kind_of(value)}.", hint="Give text, or tokens such as prompt=[3, 1, 4]."
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
            f"metrics is {kind_of(value)} and no dict of named functions.",
            hint='Give metrics={"name": function}, each a function of outputs and targets.',
        )
    return dict(cast("Mapping[str, Any]", value))


def baseline_names(names: Sequence[str] | None, *, default: bool) -> tuple[str, ...]:
    """Each baseline that was asked for, once.

    Raises:
        ManifestInvalid: no baseline is called so.
    """
    if names is None:
        return (ALONE,) if default else ()
    try:
        return tuple(
            dict.fromkeys(budget(name).name for name in ((names,) if isinstance(names, str) else names))
        )
    except (TypeError, ValueError) as error:
        raise ManifestInvalid(
            f"The baselines do not fit: {error}.", hint='baselines=("alone", "ddp")'
        ) from error


def seconds(name: str, value: object) -> float:
    """A number of seconds from 0 up; infinity waits for ever.

    Raises:
        ArgumentInvalid: it is no number, or negative.
    """
    number = _number(value)
    if isnan(number) or number < 0:
        shown = repr(value)[:60] if isinstance(value, int | float | str) else kind_of(value)
        raise ArgumentInvalid(
            f"{name}={shown} is no number of seconds.", hint=f"Give a number from 0 up, such as {name}=30."
        )
    return number


def a_sealing(value: object) -> "Literal['instant', 'manual'] | float":
    """When a development chain seals blocks: one of two words, or so many seconds between them.

    Raises:
        ArgumentInvalid: it is neither.
    """
    if isinstance(value, str) and value in ("instant", "manual"):
        return value
    number = _number(value)
    if not 0 < number < inf:
        shown = repr(value)[:60] if isinstance(value, int | float | str) else kind_of(value)
        raise ArgumentInvalid(
            f"sealing={shown} is no way to seal blocks.",
            hint='Give "instant", "manual" or the seconds between blocks.',
        )
    return number


def a_path(name: str, value: object) -> Path:
    """The path of a file or folder.

    Raises:
        ArgumentInvalid: it is no path, or an empty one.
    """
    if not isinstance(value, str | PathLike) or not str(cast("Any", value)).strip():
        shown = "empty" if isinstance(value, str) else kind_of(value)
        raise ArgumentInvalid(f"{name} is {shown}.", hint=f'Give a path, such as {name}="run.zip".')
    return Path(cast("Any", value)).expanduser()


def a_word(name: str, value: object, example: str) -> str:
    """Text.

    Raises:
        ArgumentInvalid: it is something else.
    """
    if not isinstance(value, str):
        raise ArgumentInvalid(f"{name} is {kind_of(value)}.", hint=f"Give text, such as {example}.")
    return value


def _number(value: object) -> float:
    """A real number as Python's own; NaN for yes, no and everything else."""
    if isinstance(value, bool):
        return nan
    return float(value) if isinstance(value, Real) else nan
