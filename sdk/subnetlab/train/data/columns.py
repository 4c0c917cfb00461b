"""The columns of a table on disk: what each item holds, and how text and classes were encoded.

A table is one array of fixed-size rows, so that any number of processes map it and one root hash proves it.
What a model is given of a row, a task says (`tasks.rows`).
"""

from dataclasses import asdict, dataclass
from math import prod
from typing import Any, Final, TypeAlias

import numpy as np

from subnetlab.errors import ManifestInvalid

Class: TypeAlias = str | int | bool
"""One class of a target: text, a whole number, or yes and no."""

DTYPES: Final = {"u1": np.uint8, "u2": np.uint16, "i4": np.int32, "i8": np.int64, "f4": np.float32}
MOST_CLASSES: Final = 1_000
_MOST_COLUMNS: Final = 1_000
_MOST_ROW_BYTES: Final = 1 << 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One named array; `shape` is that of a single item, () for a number."""

    name: str
    dtype: str
    shape: tuple[int, ...] = ()
    target: bool = False
    names: tuple[str, ...] = ()
    """What each number of a vector of features is: "age", or "city=Paris" for one of several texts."""
    classes: tuple[Class, ...] = ()
    """Of a target: the classes in the order of their numbers, or the few whole numbers that occur."""
    coded: bool = False
    """Whether the target holds places in `classes` instead of the classes themselves."""

    def to_json(self) -> dict[str, Any]:
        """The column in JSON types."""
        return asdict(self)


def columns_from_json(found: Any) -> tuple[Column, ...]:
    """Read the columns of a manifest back.

    Raises:
        ManifestInvalid: a field is missing, unknown or out of range.
    """
    try:
        columns = tuple(_column(column) for column in found)
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        raise ManifestInvalid(f"The columns of the data do not fit: {error}.") from error
    names = [column.name for column in columns]
    whole = all(
        type(column.name) is str
        and column.dtype in DTYPES
        and all(type(length) is int and 0 < length <= _MOST_ROW_BYTES for length in column.shape)
        for column in columns
    )
    if not whole or len(set(names)) < len(names) or not 0 < len(names) <= _MOST_COLUMNS:
        raise ManifestInvalid("The columns of the data have impossible names, kinds or shapes.")
    if row_bytes(columns) > _MOST_ROW_BYTES:
        raise ManifestInvalid(
            "One item of the data is larger than 256 MB.", hint="Cut it into smaller items."
        )
    return columns


def _column(told: dict[str, Any]) -> Column:
    several = {key: tuple(told[key]) for key in ("shape", "names", "classes") if key in told}
    fields: dict[str, Any] = {**told, **several}
    return Column(**fields)


def row_bytes(columns: tuple[Column, ...]) -> int:
    """The size of one item on disk."""
    return sum(np.dtype(DTYPES[column.dtype]).itemsize * prod(column.shape) for column in columns)


def row_dtype(columns: tuple[Column, ...]) -> "np.dtype[Any]":
    """How a row lies in the file, little-endian and without gaps."""
    return np.dtype([(c.name, np.dtype(DTYPES[c.dtype]).newbyteorder("<"), tuple(c.shape)) for c in columns])
