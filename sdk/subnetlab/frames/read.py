"""From a run's folder to a frame."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from subnetlab.errors import ArgumentInvalid
from subnetlab.frames.rows import ROWS, Gathered
from subnetlab.frames.schema import NAMES, ROUND, polars_schema
from subnetlab.record.line import FILE_NAME, Entry
from subnetlab.record.reader import read
from subnetlab.text import plain

_OF_A_MODEL = ("dense_bytes", "aggregate_hash", "theta_hash")


def frame(source: Path | str | Iterable[Entry], name: str = "miners") -> pl.DataFrame:
    """One frame of a record.

    Args:
        source: a run's folder, a record file, or entries already read.
        name: one of `NAMES`; `SCHEMAS[name]` says what its columns mean.

    Raises:
        ArgumentInvalid: there is no frame of this name.
        RecordError: there is no record, or it is corrupt.
    """
    if name not in NAMES:
        raise ArgumentInvalid(
            f"There is no frame called {name!r}; there are {', '.join(NAMES)}.",
            hint='run.frame("miners"), for instance.',
        )
    return _build(Gathered(_entries(source)), name)


def frames(source: Path | str | Iterable[Entry]) -> dict[str, pl.DataFrame]:
    """All frames of a record, reading it once; errors as `frame`."""
    data = Gathered(_entries(source))
    return {name: _build(data, name) for name in NAMES}


def _entries(source: Path | str | Iterable[Entry]) -> Iterable[Entry]:
    if isinstance(source, str | Path):
        path = Path(source)
        return read(path / FILE_NAME if path.is_dir() else path)
    return source


def _build(data: Gathered, name: str) -> pl.DataFrame:
    schema = polars_schema(name)
    absent = not data.view.trains  # what a model has, a run of answers has not
    rows = (
        {column: _shown(column, row.get(column), nan_is_absent=absent) for column in schema}
        for row in ROWS[name](data)
    )
    return pl.DataFrame(list(rows), schema)


def _shown(column: str, value: object, *, nan_is_absent: bool) -> object:
    """A value as people read it: rounds from 1, and text that may be printed, also where a peer wrote it."""
    if nan_is_absent and (value != value or (column in _OF_A_MODEL and not value)):  # noqa: PLR0124 - NaN
        return None
    if column == ROUND and isinstance(value, int):
        return value + 1  # the record counts from 0
    return plain(value) if isinstance(value, str) else value
