"""Token files from documents: text as bytes or characters, and data sets whose items are token sequences.

Every tenth document is held out; of fewer than ten, the last tenth of all tokens. A flat list or array of
whole numbers is one stream of tokens.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from subnetlab.errors import DataInvalid, DatasetEmpty
from subnetlab.signatures import known_arguments
from subnetlab.text import kind_of
from subnetlab.train.data.corpus import Corpus, in_memory
from subnetlab.train.data.spec import Budget, DataSpec, Readable, is_tensor, items_of

HELD_OUT_EVERY: Final = 10
_MOST_TOKEN: Final = 2**31 - 1
_MOST_CHARACTERS: Final = 65_536
_LONGEST_PATH: Final = 1_000
_PATH: Final = re.compile(
    r"(?:~?/|\.{1,2}/|[A-Za-z]:[\\/]).*|.*\.(?:txt|md|csv|tsv|json|jsonl|ndjson|parquet|arrow|npy|npz|py|html)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Text(Readable):
    """Documents given as bytes or text; tokens are bytes, or the characters that occur."""

    documents: tuple[bytes, ...]
    name: str = "text"
    characters: bool = False

    def read(self) -> Corpus:
        """Join the documents; a single one is cut, its last tenth held out."""
        if not self.characters:
            arrays = [np.frombuffer(document, dtype=np.uint8) for document in self.documents]
            return split(self.name, arrays, {})
        texts = [document.decode() for document in self.documents]
        words = tuple(sorted({character for text in texts for character in text}))
        if len(words) > _MOST_CHARACTERS:
            raise DataInvalid(
                f"The data set {self.name!r} has {len(words):,} different characters.",
                hint="Leave out characters=True: bytes, the usual tokens, know every character.",
            )
        places = {character: place for place, character in enumerate(words)}
        dtype = dtype_of(len(words))
        return split(
            self.name, [np.array([places[c] for c in text], dtype=dtype) for text in texts], {}, words
        )


@dataclass(frozen=True, slots=True)
class Items(Readable):
    """Any torch data set (or list) of token sequences: tensors, arrays, lists of integers, bytes or text."""

    items: Iterable[Any]
    name: str = "items"
    vocab_size: int | None = None
    """Tokens are below this; None takes the largest token for the last of the vocabulary."""

    def read(self) -> Corpus:
        """Flatten every item to tokens and join them."""
        arrays = self._arrays()
        most = max((int(array.max()) for array in arrays), default=0)
        least = min((int(array.min()) for array in arrays), default=0)
        vocab_size = self.vocab_size or most + 1
        if least < 0 or most >= min(vocab_size, _MOST_TOKEN):
            raise DataInvalid(
                f"The data set {self.name!r} holds {least if least < 0 else most}; its tokens have to be "
                f"whole numbers from 0 to {min(vocab_size, _MOST_TOKEN) - 1:,}.",
                hint="Give tokens below vocab_size=…, bytes or text.",
            )
        dtype = dtype_of(vocab_size)
        return split(self.name, [array.astype(dtype) for array in arrays], {})

    def _arrays(self) -> list[NDArray[Any]]:
        if isinstance(self.items, str | bytes | dict):
            what = "text" if isinstance(self.items, str) else f"single {type(self.items).__name__}"
            raise DataInvalid(f"A data set of tokens is no {what}.", hint='Give text with sl.data.text("…").')
        if (isinstance(self.items, np.ndarray) or is_tensor(self.items)) and self.items.ndim == 1:
            return [found for found in [_tokens(self.items, 0)] if len(found)]
        budget, arrays, flat = Budget(self.name), list[NDArray[Any]](), list[int]()
        for number, item in enumerate(items_of(self.items, self.name)):
            if isinstance(item, int | np.integer) or (is_tensor(item) and item.ndim == 0):
                flat.append(int(item))
                continue
            found = _tokens(item, number)
            budget.take(found.nbytes)
            if len(found):
                arrays.append(found)
        if flat and arrays:
            raise DataInvalid(
                f"The data set {self.name!r} holds single tokens and sequences of them.", hint="Give either."
            )
        if not flat and not arrays and hasattr(self.items, "__next__"):
            raise DatasetEmpty(
                f"The data set {self.name!r} is empty.", hint="A generator gives its items once; give a list."
            )
        return [_tokens(flat, 0)] if flat else arrays


@dataclass(frozen=True, slots=True)
class WithEvaluation(Readable):
    """Tokens to train on, and others to validate on."""

    train: DataSpec
    held_out: DataSpec

    def read(self) -> Corpus:
        """All of the one source beside all of the other."""
        train, held_out = self.train.load(), self.held_out.load()
        if train.manifest.columns or held_out.manifest.columns:
            raise DataInvalid(
                "Training data and evaluation data are of two kinds.", hint="Give both in the same way."
            )
        words, parts = train.manifest.words, [_whole(train), _whole(held_out)]
        if words != held_out.manifest.words:
            parts[1] = _in_words_of(words, held_out.manifest.words, parts[1])
        dtype = np.promote_types(parts[0].dtype, parts[1].dtype).type
        name = train.manifest.name
        return in_memory(name, parts[0].astype(dtype), parts[1].astype(dtype), None, words)


@known_arguments("sl.data.text")
def text(*documents: str | bytes, name: str = "text", characters: bool = False) -> Text:
    """Documents of one's own; tokens are bytes, or with `characters` the characters that occur in them.

    Raises:
        DataInvalid: a document is neither text nor bytes.
    """
    given = cast("tuple[object, ...]", documents)
    paths = [isinstance(one, str) and _is_written_like_a_path(one) for one in given]
    for document in given:
        if isinstance(document, Path) or (paths and all(paths)):
            raise DataInvalid(
                f"{str(document)!r} is a path, and a document is text.",
                hint="Give the path itself as the data: subnet.train(model, path). Text that reads like a "
                "path is given as bytes.",
            )
        if not isinstance(document, str | bytes):
            raise DataInvalid(
                f"A document is text, not {kind_of(document)}.",
                hint="Give text, or a list of texts; numbers go into an array or a frame.",
            )
    return Text(tuple(_encoded(document) for document in documents), name, characters)


def _is_written_like_a_path(document: str) -> bool:
    """Whether a document is one word that names a file: by its beginning, its end, or that it is there."""
    if not document or len(document) > _LONGEST_PATH or any(letter.isspace() for letter in document):
        return False
    if _PATH.fullmatch(document):
        return True
    try:
        return Path(document).is_file()
    except (OSError, ValueError):
        return False


@known_arguments("sl.data.dataset")
def dataset(items: Iterable[Any], *, name: str = "dataset", vocab_size: int | None = None) -> Items:
    """A torch data set, a Hugging Face column or any list whose items are token sequences or text.

    A flat list or array of whole numbers is one stream of tokens.
    """
    return Items(items, name, vocab_size)


def dtype_of(vocab_size: int) -> type[np.integer[Any]]:
    """The smallest kind of integer that holds every token below `vocab_size`."""
    return np.uint8 if vocab_size <= 2**8 else np.uint16 if vocab_size <= 2**16 else np.int32


def split(
    name: str, arrays: Sequence[NDArray[Any]], source: dict[str, Any], words: tuple[str, ...] = ()
) -> Corpus:
    """Hold out every tenth document, or the end of few.

    Raises:
        DatasetEmpty: there is nothing in any of them.
    """
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
    return in_memory(name, np.concatenate(train), np.concatenate(held_out), source, words)


def _tokens(item: Any, number: int) -> NDArray[Any]:
    if isinstance(item, tuple):  # (input, label) pairs: the input is what a language model reads
        item = item[0] if item else []
    if isinstance(item, str):
        item = _encoded(item)
    if isinstance(item, bytes):
        return np.frombuffer(item, dtype=np.uint8)
    if is_tensor(item):
        item = item.detach().cpu().numpy()
    array = np.asarray(item).reshape(-1)
    if array.dtype.kind not in "iu" and len(array):
        raise DataInvalid(
            f"Item {number} holds {array.dtype} values that are no tokens.",
            hint="Give whole numbers, bytes or text.",
        )
    return array


def _encoded(document: str | bytes) -> bytes:
    if isinstance(document, bytes):
        return document
    try:
        return document.encode()
    except UnicodeEncodeError as error:
        raise DataInvalid(
            f"A document holds a character that no file can hold: {error.reason}.",
            hint='Clean it first: text.encode("utf-8", "replace").decode().',
        ) from error


def _whole(corpus: Corpus) -> NDArray[Any]:
    return np.concatenate([corpus.train, corpus.validation])


def _in_words_of(words: tuple[str, ...], own: tuple[str, ...], tokens: NDArray[Any]) -> NDArray[Any]:
    """Tokens of one vocabulary of characters in the numbers of another."""
    missing = sorted(set(own) - set(words))
    if missing or not own:
        what = f"the character {missing[0]!r}" if missing else "tokens"
        raise DataInvalid(
            f"The evaluation data holds {what} that the training data has not.",
            hint="Give both as text with the same characters.",
        )
    places = {word: place for place, word in enumerate(words)}
    return np.array([places[word] for word in own], dtype=dtype_of(len(words)))[tokens]
