"""Dicts of arrays, and items that are dicts, as tables: numbers side by side in one input, or an input a key.

Which of the two a model wants is not known while the data is read, so a table keeps both
(`Arrays.by_key`) and `tasks.inputs` chooses by what the model's forward takes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from subnetlab.errors import DataInvalid, DatasetEmpty
from subnetlab.train.data import frames
from subnetlab.train.data.arrays import TARGET, Arrays, as_array
from subnetlab.train.data.frames import FEATURES, Names
from subnetlab.train.data.spec import Budget, DataSpec
from subnetlab.train.data.table import Table


def of_dict(data: Mapping[Any, Any], features: Names, target: Names, like: Arrays | None = None) -> DataSpec:
    """A table of arrays by name; those with one value an item become one vector of features.

    Args:
        data: arrays by name, each with an item a row.
        features: the names to learn from; all but the target unless given.
        target: the name to foretell; several are foretold together.
        like: the training data, whose encoding of text evaluation data takes.

    Raises:
        DataInvalid: a name is unknown, or an array cannot be trained on.
        DatasetEmpty: there is no array.
    """
    columns = {str(name): value for name, value in data.items()}
    if not columns:
        raise DatasetEmpty("The dict of arrays is empty.", hint="Give some data to train on.")
    if isinstance(next(iter(columns.values())), Mapping):  # a Hugging Face DatasetDict, a dict of dicts
        raise DataInvalid("A dict of dicts is no data.", hint="Give arrays by name.")
    wanted, targets = frames.chosen(list(columns), features, target)
    found = {name: as_array(columns[name], name) for name in (*wanted, *targets)}
    if len(targets) > 1:
        values = np.stack([found[name] for name in targets], axis=1)
    else:
        values = found[targets[0]] if targets else None
    told = Arrays(inputs={}, target=values, target_name=targets[0] if targets else TARGET)
    flat = [name for name in wanted if found[name].ndim == 1]
    kept = {name: found[name] for name in wanted}
    if not flat or len({len(array) for array in found.values()}) > 1:
        return Table(replace(told, inputs=kept))
    by_key = _by_key(told, kept, like)
    deep = {name: array for name, array in kept.items() if name not in flat}
    if FEATURES in deep:  # the vector would take its place
        return Table(by_key)
    one = _encoded({name: found[name] for name in flat}, like)
    return Table(replace(told, inputs={**one.inputs, **deep}, names=one.names, by_key=by_key))


def _by_key(told: Arrays, kept: Mapping[str, NDArray[Any]], like: Arrays | None) -> Arrays:
    """Every array as the input it is called; of text, one number for each of its values."""
    inputs, names = dict(kept), dict[str, tuple[str, ...]]()
    for name, array in kept.items():
        if array.ndim == 1 and array.dtype.kind in "US":
            one = _encoded({name: array}, like)
            inputs[name], names[name] = one.inputs[FEATURES], one.names[FEATURES]
    return replace(told, inputs=inputs, names=names)


def _encoded(flat: Mapping[str, NDArray[Any]], like: Arrays | None) -> Arrays:
    """Arrays with one value an item, side by side as the columns of a frame are."""
    frame = pl.DataFrame({name: pl.Series(array) for name, array in flat.items()})
    return frames.arrays_of(frame, list(flat), None, like)


def columns_of(rows: Iterator[Any], name: str) -> dict[str, list[Any]]:
    """Rows given as dicts, as columns.

    Raises:
        DataInvalid: a row has other keys than the first.
    """
    columns: dict[str, list[Any]] = {}
    budget = Budget(name)
    for number, row in enumerate(rows):
        if not number:
            columns = {str(key): [] for key in row}
        if not isinstance(row, Mapping) or {str(key) for key in cast("Mapping[Any, Any]", row)} != set(
            columns
        ):
            raise DataInvalid(
                f"Row {number} has other keys than the first: {', '.join(map(repr, columns))}.",
                hint="Give every row the same keys.",
            )
        for key, value in cast("Mapping[Any, Any]", row).items():
            columns[str(key)].append(value)
            budget.take(int(getattr(value, "nbytes", 8)))
    return columns
