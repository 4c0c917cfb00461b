"""What every source of data answers, and how much of one is read."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeGuard, cast, runtime_checkable

from subnetlab.errors import DataInvalid
from subnetlab.train.data.corpus import Corpus, write

if TYPE_CHECKING:
    from torch import Tensor

MOST_ITEMS: Final = 1_000_000
"""Of an iterable that does not say how long it is."""
MOST_SIZED_ITEMS: Final = 100_000_000
MOST_BYTES: Final = 4 << 30
READ_ERRORS: Final = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, NotImplementedError, OSError,
    RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What a person's own data set raises when an item cannot be read."""


@runtime_checkable
class DataSpec(Protocol):
    """A source of tokens or rows, as a manifest describes it."""

    def read(self) -> Corpus:
        """Read everything into memory.

        Raises:
            DatasetEmpty: there is nothing to train on, or nothing to validate on.
            DataInvalid: what is there cannot be trained on.
        """
        ...

    def materialise(self, folder: Path) -> Corpus:
        """Write the data once where all peers of a run can map it, and map it."""
        ...

    def load(self) -> Corpus:
        """The corpus at hand, ready to train on."""
        ...


class Readable:
    """What all sources share: how a corpus that was read gets to disk."""

    __slots__ = ()

    def read(self) -> Corpus:
        """Read everything into memory."""
        raise NotImplementedError

    def materialise(self, folder: Path) -> Corpus:
        """Write the data once where all peers of a run can map it, and map it."""
        write(self.read(), folder)
        return Corpus.open(folder)

    def load(self) -> Corpus:
        """The corpus at hand, ready to train on."""
        return self.read()


def is_tensor(value: object) -> "TypeGuard[Tensor]":
    """Whether something is a torch tensor; does not load torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def items_of(items: Any, name: str) -> Iterator[Any]:
    """Every item of a list, a torch data set or an iterable, in order and bounded.

    Raises:
        DataInvalid: it has no items to iterate over, an item cannot be read, or there are too many.
    """
    number = 0
    try:
        for number, item in enumerate(_in_order(items)):
            if number >= MOST_SIZED_ITEMS or (number >= MOST_ITEMS and not hasattr(items, "__len__")):
                raise DataInvalid(
                    f"The data set {name!r} has not ended after {number:,} items.",
                    hint="Bound it with itertools.islice(data, n), or give a list.",
                )
            yield item
    except READ_ERRORS as error:
        raise DataInvalid(
            f"Reading item {number} or the next of the data set {name!r} failed with "
            f"{type(error).__name__}: {error}.",
            hint="Read all items in a cell to see where.",
        ) from error


class Budget:
    """Counts bytes that were read, and ends reading before memory does."""

    def __init__(self, name: str) -> None:
        self._name, self._read = name, 0

    def take(self, count: int) -> None:
        """Count some bytes more.

        Raises:
            DataInvalid: it is more than a run can hold.
        """
        self._read += count
        if self._read > MOST_BYTES:
            raise DataInvalid(
                f"The data set {self._name!r} is larger than {MOST_BYTES >> 30} GB.",
                hint="Train on a part of it.",
            )


def _in_order(items: Any) -> Iterable[Any]:
    # A map-style torch data set has __getitem__ and __len__ but need not end iteration by itself.
    if hasattr(items, "__len__") and hasattr(items, "__getitem__"):
        return (items[i] for i in range(len(items)))
    return cast("Iterable[Any]", iter(items))
