"""Where tokens come from: the standard library, text of one's own, or any torch data set.

Every source answers `read()` with training and validation tokens; `materialise` writes them once for all
peers of a run. Every tenth document (file, line block or item) is held out for validation.
"""

import hashlib
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.errors import DatasetEmpty, ManifestInvalid
from subnetlab.settings import home
from subnetlab.train.data.corpus import Corpus, in_memory, write

HELD_OUT_EVERY: Final = 10
_NOT_LIBRARY: Final = ("/test", "/site-packages", "/dist-packages", "/idle_test", "/__pycache__")


class DataSpec(Protocol):
    """A source of tokens, as a manifest describes it."""

    def read(self) -> Corpus:
        """Read everything into memory.

        Raises:
            DatasetEmpty: there is nothing to train on, or nothing to validate on.
        """
        ...

    def materialise(self, folder: Path) -> Corpus:
        """Write the tokens once where all peers of a run can map them, and map them."""
        ...

    def load(self) -> Corpus:
        """The corpus at hand, ready to train on."""
        ...


class _Readable:
    """What all sources share: how a corpus that was read gets to disk."""

    __slots__ = ()

    def read(self) -> Corpus:
        """Read everything into memory."""
        raise NotImplementedError

    def materialise(self, folder: Path) -> Corpus:
        """Write the tokens once where all peers of a run can map them, and map them."""
        write(self.read(), folder)
        return Corpus.open(folder)

    def load(self) -> Corpus:
        """The corpus at hand, ready to train on."""
        return self.read()


@dataclass(frozen=True, slots=True)
class Stdlib(_Readable):
    """The Python standard library's own source without its tests; about 10 MB, always installed.

    Another Python version has another text, and so another root.
    """

    limit_bytes: int = 0
    """Read at most about this much; 0 reads all."""

    def read(self) -> Corpus:
        """Read every library file in path order (about half a second)."""
        library = Path(sysconfig.get_paths()["stdlib"])
        paths = sorted(
            (path for path in library.rglob("*.py") if _of_library(path.relative_to(library))),
            key=lambda path: path.relative_to(library).as_posix(),
        )
        documents: list[bytes] = []
        total = 0
        for path in paths:
            documents.append(path.read_bytes())
            total += len(documents[-1])
            if 0 < self.limit_bytes <= total:
                break
        source = {"kind": "Stdlib", "limit_bytes": self.limit_bytes}
        return _split(f"stdlib-{sys.version_info.major}.{sys.version_info.minor}", documents, source)

    def load(self) -> Corpus:
        """Map the corpus from the home folder, made on first use."""
        version = f"{sys.version}|{sysconfig.get_paths()['stdlib']}|{self.limit_bytes}"
        folder = home() / "data" / f"stdlib-{hashlib.blake2b(version.encode(), digest_size=8).hexdigest()}"
        if not (folder / "data.json").exists():
            return self.materialise(folder)
        return Corpus.open(folder)


@dataclass(frozen=True, slots=True)
class Text(_Readable):
    """Documents given as bytes or text."""

    documents: tuple[bytes, ...]
    name: str = "text"

    def read(self) -> Corpus:
        """Join the documents; a single one is cut, its last tenth held out."""
        return _split(self.name, self.documents, {})


@dataclass(frozen=True, slots=True)
class Items(_Readable):
    """Any torch data set (or list) of token sequences: tensors, arrays, lists of integers, bytes or text."""

    items: Iterable[Any]
    name: str = "items"
    vocab_size: int = 256

    def read(self) -> Corpus:
        """Flatten every item to tokens and join them."""
        dtype = np.uint8 if self.vocab_size <= 2**8 else np.uint16 if self.vocab_size <= 2**16 else np.int32
        arrays = [_tokens(item, self.vocab_size, dtype) for item in _iterate(self.items)]
        return _split_arrays(self.name, arrays, {}, dtype)


def stdlib(limit_bytes: int = 0) -> Stdlib:
    """The Python standard library as a corpus: real text that needs no download."""
    return Stdlib(limit_bytes)


def text(*documents: str | bytes, name: str = "text") -> Text:
    """Documents of one's own."""
    return Text(tuple(d.encode() if isinstance(d, str) else d for d in documents), name)


def dataset(items: Iterable[Any], *, name: str = "dataset", vocab_size: int = 256) -> Items:
    """A torch data set, a Hugging Face column or any list whose items are token sequences or text."""
    return Items(items, name, vocab_size)


def from_json(source: dict[str, Any]) -> DataSpec:
    """The source that a data manifest names.

    Raises:
        ManifestInvalid: the data of this run cannot be made again from its description.
    """
    if source.get("kind") != "Stdlib":
        raise ManifestInvalid(
            "The data of this run cannot be made again here.", hint="Use the data folder of the run."
        )
    return Stdlib(int(source.get("limit_bytes", 0)))


def _of_library(path: PurePath) -> bool:
    return not any(part in f"/{path.as_posix()}" for part in _NOT_LIBRARY)


def _split(name: str, documents: Sequence[bytes], source: dict[str, Any]) -> Corpus:
    arrays = [np.frombuffer(document, dtype=np.uint8) for document in documents]
    return _split_arrays(name, arrays, source, np.uint8)


def _split_arrays(
    name: str, arrays: Sequence[NDArray[Any]], source: dict[str, Any], dtype: type[np.integer[Any]]
) -> Corpus:
    filled = [array for array in arrays if len(array)]
    if not filled:
        raise DatasetEmpty(f"The data set {name!r} is empty.", hint="Give some text to train on.")
    if len(filled) < HELD_OUT_EVERY:
        whole = np.concatenate(filled)
        cut = len(whole) - max(1, len(whole) // HELD_OUT_EVERY)
        train, held_out = [whole[:cut]], [whole[cut:]]
    else:
        train = [a for i, a in enumerate(filled) if i % HELD_OUT_EVERY != HELD_OUT_EVERY - 1]
        held_out = filled[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]
    empty = np.empty(0, dtype=dtype)
    return in_memory(name, np.concatenate([empty, *train]), np.concatenate([empty, *held_out]), source)


def _iterate(items: Any) -> Iterable[Any]:
    # A map-style torch data set has __getitem__ and __len__ but need not end iteration by itself.
    if hasattr(items, "__len__") and hasattr(items, "__getitem__"):
        return (items[i] for i in range(len(items)))
    return items


def _tokens(item: Any, vocab_size: int, dtype: type[np.integer[Any]]) -> NDArray[Any]:
    if isinstance(item, tuple):  # (input, label) pairs: the input is what a language model reads
        item = item[0]
    if isinstance(item, str):
        item = item.encode()
    if isinstance(item, bytes):
        return np.frombuffer(item, dtype=np.uint8).astype(dtype)
    if isinstance(item, Tensor):
        item = item.detach().cpu().numpy()
    array = np.asarray(item).reshape(-1)
    if array.dtype.kind not in "iu" or (len(array) and (array.min() < 0 or array.max() >= vocab_size)):
        raise DatasetEmpty(
            f"An item holds {array.dtype} values that are no tokens below {vocab_size}.",
            hint="Give integers below vocab_size=…, bytes or text.",
        )
    return array.astype(dtype)
