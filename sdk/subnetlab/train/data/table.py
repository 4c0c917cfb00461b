"""A table: arrays with one row per item, encoded, split and laid out as rows.

Without evaluation data of its own, every tenth row of a fixed shuffle is held out, so that rows that come
sorted by class are in both parts. The rows that are trained on stay shuffled: a miner's shard is a fair draw.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from subnetlab.errors import DataInvalid
from subnetlab.train.data.arrays import Arrays, checked, input_column, target_column, target_values
from subnetlab.train.data.columns import Column, row_bytes, row_dtype
from subnetlab.train.data.corpus import Corpus, table_in_memory
from subnetlab.train.data.spec import Budget, Readable

HELD_OUT_EVERY: Final = 10
_SPLIT_SEED: Final = 0


@dataclass(frozen=True, slots=True, eq=False)
class Table(Readable):
    """Inputs and perhaps a target, one row per item."""

    arrays: Arrays
    held_out: Arrays | None = None
    """Evaluation data; None holds out a tenth."""
    name: str = "table"

    def by_key(self) -> "Table":
        """The table with every key of the dict that it was given as an input of its own."""
        held_out = self.held_out and (self.held_out.by_key or self.held_out)
        return Table(self.arrays.by_key or self.arrays, held_out, self.name)

    def read(self) -> Corpus:
        """Encode and split the rows."""
        arrays = checked(self.arrays)
        stored: dict[str, NDArray[Any]] = {}
        columns: list[Column] = []
        for name, array in arrays.inputs.items():
            column, stored[name] = input_column(name, array, arrays.names.get(name, ()))
            columns.append(column)
        target = target_column(arrays)
        if target is not None:
            columns.append(target)
            stored[target.name] = target_values(target, arrays)
        layout = tuple(columns)
        if self.held_out is None:
            rows = self._rows(layout, stored)
            order = np.random.Generator(np.random.PCG64(_SPLIT_SEED)).permutation(len(rows))
            cut = max(1, len(rows) // HELD_OUT_EVERY) if len(rows) > 1 else 0
            return table_in_memory(self.name, rows[order[cut:]], rows[order[:cut]], layout)
        layout, evaluated = _fitted(layout, checked(self.held_out))
        train, validation = self._rows(layout, stored), self._rows(layout, evaluated)
        return table_in_memory(self.name, train, validation, layout)

    def _rows(self, columns: tuple[Column, ...], stored: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        count = len(next(iter(stored.values())))
        Budget(self.name).take(count * row_bytes(columns))
        rows = np.empty(count, dtype=row_dtype(columns))
        for column in columns:
            rows[column.name] = stored[column.name]
        return rows


def _fitted(
    columns: tuple[Column, ...], held_out: Arrays
) -> tuple[tuple[Column, ...], dict[str, NDArray[Any]]]:
    """Evaluation data in the columns of the training data, wide enough for both.

    Raises:
        DataInvalid: it has other columns, shapes or classes.
    """
    wider: list[Column] = []
    stored: dict[str, NDArray[Any]] = {}
    for column in columns:
        if column.target:
            stored[column.name] = values = target_values(column, held_out)
        elif column.name in held_out.inputs:
            _, values = input_column(column.name, held_out.inputs[column.name], column.names)
            stored[column.name] = values
        else:
            raise DataInvalid(
                f"The evaluation data has no column {column.name!r}.", hint="Give it the same columns."
            )
        if values.shape[1:] != column.shape:
            raise DataInvalid(
                f"Items of {column.name!r} have shape {column.shape} in the training data and "
                f"{values.shape[1:]} in the evaluation data.",
                hint="Prepare both in the same way.",
            )
        if column.names and held_out.names.get(column.name) != column.names:
            raise DataInvalid(
                f"The features of {column.name!r} differ between training and evaluation data.",
                hint="Give both the same columns in the same order.",
            )
        wider.append(_wide_enough(column, values))
    return tuple(wider), stored


def _wide_enough(column: Column, values: NDArray[Any]) -> Column:
    """The column with a dtype and classes that hold the evaluation data as well."""
    code = f"{'f' if values.dtype.kind == 'f' else values.dtype.kind}{values.dtype.itemsize}"
    order = ("u1", "i4", "i8", "f4")
    dtype = max(column.dtype, code, key=order.index)
    classes = column.classes
    if column.target and not column.coded and classes:
        classes = tuple(sorted({*classes, *np.unique(values).tolist()}))
    return Column(
        name=column.name, dtype=dtype, shape=column.shape, target=column.target, names=column.names,
        classes=classes, coded=column.coded,
    )  # fmt: skip
