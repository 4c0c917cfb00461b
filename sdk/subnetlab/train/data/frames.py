"""Polars frames as arrays: numeric columns side by side, text and categories as one number per value.

All columns but the target are features unless some are named. One column of text and no target is text to
train a language model on.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from subnetlab.errors import DataInvalid
from subnetlab.train.data.arrays import TARGET, Arrays, as_array

Names: TypeAlias = "str | Sequence[str] | None"

FEATURES: Final = "x"
_TARGETS: Final = ("target", "label", "labels", "y", "class")
"""Names that are taken for the target where none is given."""
_MOST_TEXTS: Final = 256


def _is_text(kind: pl.DataType) -> bool:
    return isinstance(kind, pl.String | pl.Categorical | pl.Enum)


def chosen(columns: Sequence[str], features: Names, target: Names) -> tuple[list[str], list[str]]:
    """The names of features and targets.

    Raises:
        DataInvalid: a name is not among the columns, or is both.
    """
    targets = _listed(target) or [name for name in _TARGETS if name in columns][:1]
    rest = [name for name in columns if name not in targets]
    wanted = rest if features is None else _listed(features)
    if target is None and features is not None:
        targets = [name for name in targets if name not in wanted]
    unknown = [name for name in (*wanted, *targets) if name not in columns]
    if unknown:
        raise DataInvalid(
            f"The data has no column {unknown[0]!r}.",
            hint=f"It has {', '.join(map(repr, columns[:20]))}{' …' if len(columns) > 20 else ''}.",
        )
    both = [name for name in targets if name in wanted]
    if both or not wanted:
        what = f"{both[0]!r} is a feature and the target" if both else "No column is left to learn from"
        raise DataInvalid(f"{what}.", hint="Name them apart: features=[…], target=…")
    return wanted, targets


def collected(frame: "pl.DataFrame | pl.LazyFrame") -> pl.DataFrame:
    """A frame that is in memory.

    Raises:
        DataInvalid: the query of a lazy frame fails.
    """
    if isinstance(frame, pl.DataFrame):
        return frame
    try:
        return frame.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataInvalid(
            f"The lazy frame cannot be collected: {first}.", hint="Collect it in a cell."
        ) from error


def text_column(frame: pl.DataFrame, features: Names, target: Names) -> str | None:
    """The one column of text that is all there is to learn from, without a target."""
    wanted, targets = chosen(frame.columns, features, target)
    if targets or len(wanted) != 1 or frame.schema[wanted[0]] != pl.String:
        return None
    return wanted[0]


def arrays_of(frame: pl.DataFrame, features: Names, target: Names, like: Arrays | None = None) -> Arrays:
    """The features and the target of a frame.

    Args:
        frame: one row per item.
        features: columns to learn from; all others unless given.
        target: what to foretell; several names are foretold together.
        like: the training data, whose encoding evaluation data takes.

    Raises:
        DataInvalid: a column is unknown, holds nulls, or holds what a model cannot take.
    """
    wanted, targets = chosen(frame.columns, features, target)
    counted = frame.select([*wanted, *targets]).null_count().row(0, named=True)
    holed = [f"{name!r} ({count:,})" for name, count in counted.items() if count]
    if holed:
        raise DataInvalid(
            f"Columns with nulls: {', '.join(holed)}.",
            hint="Fill them, or leave the rows out: frame.drop_nulls().",
        )
    nested = [name for name in wanted if isinstance(frame.schema[name], pl.List | pl.Array)]
    inputs = {name: as_array(frame[name].to_list(), name) for name in nested}
    flat = [name for name in wanted if name not in nested]
    names: dict[str, tuple[str, ...]] = {}
    if flat and FEATURES in inputs:
        raise DataInvalid(
            f"The column {FEATURES!r} holds lists, and {flat[0]!r} and other single numbers become the input "
            f"{FEATURES!r} too.",
            hint=f"Rename the column {FEATURES!r}, or name the features without the others: "
            f"features=[{FEATURES!r}].",
        )
    if flat:
        known = like.names.get(FEATURES, ()) if like else None
        parts = [_encoded(frame[name], known) for name in flat]
        names[FEATURES] = tuple(name for _, found in parts for name in found)
        inputs[FEATURES] = np.concatenate([part for part, _ in parts], axis=1)
    return Arrays(
        inputs=inputs,
        target=_target(frame, targets),
        target_name=targets[0] if targets else TARGET,
        names=names,
    )


def _listed(names: Names) -> list[str]:
    if names is None:
        return []
    found: list[Any] = [names] if isinstance(names, str) or not hasattr(names, "__iter__") else list(names)
    if not all(isinstance(name, str) for name in found):
        raise DataInvalid(
            f"{found!r} names no columns.", hint='Columns are named by text, as in target="price".'
        )
    return found


def _encoded(series: pl.Series, known: tuple[str, ...] | None) -> tuple[NDArray[Any], list[str]]:
    """One column as an array of shape (N, values), and the name of each value."""
    kind, name = series.dtype, series.name
    if _is_text(kind):
        return _one_hot(series.cast(pl.String), known)
    if kind.is_numeric() or kind == pl.Boolean:
        return series.cast(pl.Float64).to_numpy()[:, None], [name]
    hint = "Turn a date into numbers, such as frame['day'].dt.ordinal_day()." if kind.is_temporal() else ""
    raise DataInvalid(
        f"Column {name!r} holds {kind}; a model takes numbers.", hint=hint or "Convert it, or drop it."
    )


def _one_hot(series: pl.Series, known: tuple[str, ...] | None) -> tuple[NDArray[Any], list[str]]:
    name, found = series.name, sorted(series.unique().to_list())
    if known is not None:
        prefix = f"{name}="
        values = [text.removeprefix(prefix) for text in known if text.startswith(prefix)]
        strange = sorted(set(found) - set(values))
        if strange:
            raise DataInvalid(
                f"The evaluation data has a value of {name!r} that training has not: {strange[0]!r}.",
                hint="Leave those rows out, or encode the column yourself.",
            )
        found = values
    if len(found) > _MOST_TEXTS:
        raise DataInvalid(
            f"Column {name!r} holds {len(found):,} different texts; at most {_MOST_TEXTS} are encoded.",
            hint="Name the features without it, or train a language model on it alone.",
        )
    places = {text: place for place, text in enumerate(found)}
    encoded = np.zeros((len(series), len(found)), dtype=np.float32)
    encoded[np.arange(len(series)), [places[text] for text in series.to_list()]] = 1
    return encoded, [f"{name}={text}" for text in found]


def _target(frame: pl.DataFrame, targets: list[str]) -> NDArray[Any] | None:
    if not targets:
        return None
    if len(targets) > 1:
        if not all(frame.schema[name].is_numeric() for name in targets):
            raise DataInvalid("Several targets have to be numbers.", hint="Name one target of text.")
        return frame.select(targets).cast(pl.Float64).to_numpy()
    series = frame[targets[0]]
    if _is_text(series.dtype):
        return np.asarray(series.cast(pl.String).to_list(), dtype=str)
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return series.to_numpy() if series.dtype != pl.Decimal else series.cast(pl.Float64).to_numpy()
    if isinstance(series.dtype, pl.List | pl.Array):
        return as_array(series.to_list(), series.name)
    raise DataInvalid(
        f"The target {series.name!r} holds {series.dtype}.", hint="Give numbers, text, or yes and no."
    )
