"""A corpus on disk: two files that any number of processes map at once, and what proves them.

`write` makes the folder once, `Corpus.open` maps it in microseconds; pages are shared between peers. The
manifest holds the tree hash of all shards, so two peers with one root train on the same bytes. A file holds
tokens, or rows of named columns (`columns`). What an item of the data is, a window of tokens or a row, the
run's task says (`tasks.base`).
Shapes: B sequences, T tokens (each sequence carries one token more, the last target).
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from subnetlab.errors import DatasetEmpty, ManifestInvalid, ManifestOfAnotherVersion
from subnetlab.record.files import make_private, open_plain, read_plain, write_private
from subnetlab.train.data.columns import Column, columns_from_json, row_bytes, row_dtype
from subnetlab.train.hashing import merkle_root, shard_hash

if TYPE_CHECKING:
    from torch import Tensor

SHARD_TOKENS: Final = 65_536
_SHARD_BYTES: Final = 1 << 22
"""Of a table: rows are hashed in shards of about this size."""
ROWS: Final = "rows"
"""The `dtype` of a table; its columns have dtypes of their own."""
_DTYPES: Final = {"u1": np.uint8, "u2": np.uint16, "i4": np.int32, "f4": np.float32}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataManifest:
    """What fixes the data of a run; `root` covers the training shards, then the validation shards."""

    name: str
    source: dict[str, Any] = field(default_factory=dict[str, Any])
    """How to make the corpus again, where that is possible."""
    dtype: str
    train_tokens: int
    """Tokens, or rows of a table; so are the next two numbers."""
    validation_tokens: int
    shard_tokens: int
    root: str
    columns: tuple[Column, ...] = ()
    """Of a table; none for tokens."""
    words: tuple[str, ...] = ()
    """The text of each token, in the order of their numbers, where tokens are not bytes."""

    @property
    def shards(self) -> int:
        """Training shards, the last one perhaps shorter."""
        return -(-self.train_tokens // self.shard_tokens)

    def to_json(self) -> dict[str, Any]:
        """The manifest in JSON types; fields that only some data has are left out where they are empty."""
        found = asdict(self)
        return {key: value for key, value in found.items() if value or key not in ("columns", "words")}

    @property
    def numpy_dtype(self) -> "np.dtype[Any]":
        """How one token or one row lies in the files."""
        if self.columns:
            return row_dtype(self.columns)
        return np.dtype(_DTYPES[self.dtype]).newbyteorder("<")

    @property
    def inputs(self) -> tuple[Column, ...]:
        """The columns that a model is given."""
        return tuple(column for column in self.columns if not column.target)

    @property
    def target(self) -> Column | None:
        """The column that a model is to foretell, if there is one."""
        return next((column for column in self.columns if column.target), None)

    @staticmethod
    def from_json(data: dict[str, Any]) -> "DataManifest":
        """Read it back.

        Raises:
            ManifestInvalid: a field is missing, unknown, or out of range.
        """
        try:
            columns = columns_from_json(data["columns"]) if data.get("columns") else ()
            fields: dict[str, Any] = {**data, "columns": columns, "words": tuple(data.get("words", ()))}
            manifest = DataManifest(**fields)
        except (TypeError, AttributeError) as error:
            raise ManifestOfAnotherVersion(f"The data's description does not fit: {error}.") from error
        numbers = (manifest.train_tokens, manifest.validation_tokens, manifest.shard_tokens)
        known = manifest.dtype == ROWS if manifest.columns else manifest.dtype in _DTYPES
        if not known or any(type(n) is not int or n < 1 for n in numbers):
            raise ManifestInvalid(
                "The data's description has impossible sizes.",
                hint="The run's manifest is damaged: start the run anew, or ask its owner.",
            )
        return manifest


@dataclass(frozen=True, slots=True)
class Corpus:
    """Training and validation tokens or rows, mapped or in memory."""

    manifest: DataManifest
    train: NDArray[Any]
    validation: NDArray[Any]

    @staticmethod
    def open(folder: Path) -> "Corpus":
        """Map a folder that `write` made.

        Raises:
            DatasetEmpty: there is no corpus in the folder, or its files are shorter than they should be.
        """
        try:
            manifest = DataManifest.from_json(json.loads(read_plain(folder / "data.json")))
        except (OSError, ValueError, RecursionError) as error:
            raise DatasetEmpty(
                f"{folder} holds no whole corpus: {error}.",
                hint="Delete that folder, and start the run again: it writes its data anew.",
            ) from error
        return Corpus.mapped(folder, manifest)

    @staticmethod
    def mapped(folder: Path, manifest: DataManifest) -> "Corpus":
        """Map the files of a folder as a manifest describes them, whatever lies beside them.

        Raises:
            DatasetEmpty: the files are missing, or shorter than they should be.
        """
        try:
            dtype = manifest.numpy_dtype
            with open_plain(folder / "train.bin") as file:
                train = np.memmap(file, dtype=dtype, mode="r", shape=(manifest.train_tokens,))
            with open_plain(folder / "validation.bin") as file:
                validation = np.memmap(file, dtype=dtype, mode="r", shape=(manifest.validation_tokens,))
        except (OSError, ValueError) as error:
            raise DatasetEmpty(
                f"{folder} holds no whole corpus: {error}.",
                hint="Delete that folder, and start the run again: it writes its data anew.",
            ) from error
        return Corpus(manifest, train, validation)

    def part(self, part: Literal["train", "validation"]) -> NDArray[Any]:
        """One of the two arrays by its name."""
        return self.train if part == "train" else self.validation

    def shard_hashes(self) -> list[bytes]:
        """The hash of every shard, training shards first: the leaves of the tree that the manifest fixes."""
        return _leaves(self.train, self.validation, self.manifest.shard_tokens)

    def root(self) -> str:
        """The root of the data as it is, 64 hex digits."""
        return merkle_root(self.shard_hashes()).hex()

    def verify(self) -> None:
        """Hash every shard again.

        Raises:
            ManifestInvalid: the files do not hold what the manifest says.
        """
        found = self.root()
        if found != self.manifest.root:
            raise ManifestInvalid(
                f"This corpus has root {found[:12]}…, the manifest says {self.manifest.root[:12]}….",
                hint="Take the data of the run, or start a run with the data at hand.",
            )


def sequences(tokens: NDArray[Any], offsets: NDArray[np.int64], seq_len: int) -> "tuple[Tensor, Tensor]":
    """Cut sequences out of a token file: inputs x_BT and the tokens that follow them, y_BT."""
    import torch  # noqa: PLC0415  (data is read and written without it)

    cut = np.asarray(tokens[offsets[:, None] + np.arange(seq_len + 1)])
    both = torch.from_numpy(cut.astype(np.int64))
    return both[:, :-1], both[:, 1:]


def in_memory(
    name: str,
    train: NDArray[Any],
    validation: NDArray[Any],
    source: dict[str, Any] | None = None,
    words: tuple[str, ...] = (),
) -> Corpus:
    """Describe two token arrays as a corpus.

    Raises:
        DatasetEmpty: one of them has no tokens.
        ValueError: the values are neither bytes, 16-bit or 32-bit integers nor 32-bit floats.
    """
    dtype = next((code for code, kind in _DTYPES.items() if train.dtype == kind), None)
    if dtype is None or validation.dtype != train.dtype:
        raise ValueError(
            f"values must be uint8, uint16, int32 or float32, not {train.dtype} and {validation.dtype}"
        )
    if not len(train) or not len(validation):
        raise DatasetEmpty(f"The data set {name!r} is empty.", hint="Give some text to train on.")
    manifest = DataManifest(
        name=name,
        source=source or {},
        dtype=dtype,
        train_tokens=len(train),
        validation_tokens=len(validation),
        shard_tokens=SHARD_TOKENS,
        root=_root(train, validation, SHARD_TOKENS),
        words=words,
    )
    return Corpus(manifest, train, validation)


def table_in_memory(
    name: str, train: NDArray[Any], validation: NDArray[Any], columns: tuple[Column, ...]
) -> Corpus:
    """Describe two arrays of rows, whose dtype is `columns.row_dtype`, as a corpus.

    Raises:
        DatasetEmpty: one of them has no rows.
    """
    if not len(train) or not len(validation):
        raise DatasetEmpty(
            f"The data set {name!r} has {len(train)} rows to train on and {len(validation)} to validate on.",
            hint="Give more rows, or eval_data of your own.",
        )
    shard = max(1, min(SHARD_TOKENS, _SHARD_BYTES // row_bytes(columns)))
    manifest = DataManifest(
        name=name,
        dtype=ROWS,
        train_tokens=len(train),
        validation_tokens=len(validation),
        shard_tokens=shard,
        root=_root(train, validation, shard),
        columns=columns,
    )
    return Corpus(manifest, train, validation)


def write(corpus: Corpus, folder: Path) -> None:
    """Write a corpus so that others can map it; the description comes last and makes the folder whole."""
    make_private(folder)
    files = {"train.bin": corpus.train, "validation.bin": corpus.validation}
    for name, tokens in files.items():
        write_private(folder / name, np.ascontiguousarray(tokens).tobytes())
    write_private(folder / "data.json", describe(corpus.manifest))


def describe(manifest: DataManifest) -> bytes:
    """The description that makes a folder of two files a corpus."""
    return json.dumps(manifest.to_json(), indent=1).encode()


def _leaves(train: NDArray[Any], validation: NDArray[Any], shard_tokens: int) -> list[bytes]:
    return [
        shard_hash(np.ascontiguousarray(tokens[start : start + shard_tokens]).tobytes())
        for tokens in (train, validation)
        for start in range(0, len(tokens), shard_tokens)
    ]


def _root(train: NDArray[Any], validation: NDArray[Any], shard_tokens: int) -> str:
    return merkle_root(_leaves(train, validation, shard_tokens)).hex()
