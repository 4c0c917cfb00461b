"""Data in files: tables that polars reads, arrays of numpy, and text, alone or in folders.

A name that is neither a file nor a folder is refused with the word how text is given.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from subnetlab.errors import DataInvalid
from subnetlab.train.data.spec import READ_ERRORS, Budget

_TABLES: Final = {
    ".parquet": pl.scan_parquet, ".csv": pl.scan_csv, ".arrow": pl.scan_ipc, ".feather": pl.scan_ipc,
    ".ipc": pl.scan_ipc, ".ndjson": pl.scan_ndjson, ".jsonl": pl.scan_ndjson,
}  # fmt: skip
_SHOWN = 60


def read_path(path: Path | str) -> Any:
    """A lazy frame, an array, a dict of arrays, or a list of documents.

    Raises:
        DataInvalid: there is no such file, or it is of no known kind.
    """
    place = Path(path).expanduser()
    try:
        exists, is_folder = place.exists(), place.is_dir()
    except (OSError, ValueError):  # too long for a name, or with characters that no name has
        exists = is_folder = False
    if not exists:
        shown = str(path) if len(str(path)) <= _SHOWN else f"{str(path)[:_SHOWN]}…"
        raise DataInvalid(
            f"{shown!r} is no file or folder here.",
            hint='Text of your own is given with sl.data.text("…"), a file by its path.',
        )
    return _folder(place) if is_folder else _file(place)


def _file(path: Path) -> Any:
    suffix = path.suffix.lower()
    try:
        if suffix in _TABLES:
            return _TABLES[suffix](path)
        if suffix == ".tsv":
            return pl.scan_csv(path, separator="\t")
        if suffix == ".npy":
            return np.load(path, allow_pickle=False)
        if suffix == ".npz":
            with np.load(path, allow_pickle=False) as found:
                return {name: found[name] for name in found.files}
        return [_text(path, Budget(path.name))]
    except (*READ_ERRORS, pl.exceptions.PolarsError) as error:
        raise DataInvalid(f"{path} cannot be read: {error}.", hint="Open it in a cell.") from error


def _folder(path: Path) -> Any:
    """The tables of a folder as one, or all its text files, in the order of their names."""
    files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    kinds = {file.suffix.lower() for file in files}
    if len(kinds) == 1 and kinds <= set(_TABLES):
        return pl.concat([_file(file) for file in files])
    budget = Budget(path.name)
    return [_text(file, budget) for file in files]


def _text(path: Path, budget: Budget) -> bytes:
    budget.take(path.stat().st_size)
    found = path.read_bytes()
    try:
        found.decode()
    except UnicodeDecodeError as error:
        raise DataInvalid(
            f"{path} is no text in UTF-8.",
            hint="Tables are read from Parquet, CSV, Arrow and NDJSON, arrays from .npy and .npz.",
        ) from error
    return found
