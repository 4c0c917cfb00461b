"""Which source fits what a person has in hand: one function for frames, arrays, data sets, files and text.

A pair `(x, y)` and a dict of arrays are tables, and so are frames and data sets whose items are pairs or
dicts. Flat whole numbers are one stream of tokens, whole numbers in rows are sequences of them.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from subnetlab.errors import DataInvalid, DatasetEmpty
from subnetlab.signatures import known_arguments
from subnetlab.text import capitalised, kind_of, with_article
from subnetlab.train.data import frames
from subnetlab.train.data.arrays import Arrays, as_array
from subnetlab.train.data.columns import Class
from subnetlab.train.data.dicts import columns_of, of_dict
from subnetlab.train.data.files import read_path
from subnetlab.train.data.frames import FEATURES, Names
from subnetlab.train.data.loaders import dataset_of
from subnetlab.train.data.spec import READ_ERRORS, Budget, DataSpec, items_of
from subnetlab.train.data.table import Table
from subnetlab.train.data.tokens import Items, WithEvaluation, text

_ARRAYS: Final = (np.ndarray, Tensor, pl.Series)
_MOST_PARTS: Final = 8
"""More arrays of different shapes are items that were not made alike, and are called that."""


@known_arguments("sl.data.of", places="A pair is one argument: sl.data.of((x, y)).")
def of(data: Any, *, eval_data: Any = None, features: Names = None, target: Names = None) -> DataSpec:
    """A source of training data, from whatever holds some.

    Args:
        data: a polars or pandas frame, arrays or tensors, a torch or Hugging Face data set, an iterable, a
            path, or a source of this package. A data loader gives its data set, without its order and
            batches; frames one after another are one frame. A feature of text becomes one number for each of
            its values, 0 or 1. Keys of a dict that the model's forward names as its parameters are inputs of
            their own, 1-D or not; else arrays of one number an item lie side by side in one input, as the
            columns of a frame do.
        eval_data: what the model is judged on, of the same kind; a tenth of the data unless given.
        features: columns to learn from, of a frame or a dict; all but the target unless given.
        target: the column to foretell; the one called target, label, labels, y or class unless given.

    Raises:
        DataInvalid: it is no data, or cannot be trained on as it is.
        DatasetEmpty: it holds nothing.
    """
    try:
        found = _of(data, features, target, None)
        if eval_data is None:
            return found
        like = found.arrays if isinstance(found, Table) else None
        held_out = _of(eval_data, features, target, like)
    except READ_ERRORS as error:
        if isinstance(error, DataInvalid):
            raise
        raise DataInvalid(
            f"The data cannot be read: {type(error).__name__}: {error}.",
            hint="Look at it in a cell: each item needs the same parts, each part one shape in all items, of "
            "numbers or text.",
        ) from error
    if isinstance(found, Table) and isinstance(held_out, Table):
        return Table(found.arrays, held_out.arrays, found.name)
    if isinstance(found, Table) or isinstance(held_out, Table):
        raise DataInvalid(
            "Training data and evaluation data are of two kinds: a table and tokens.", hint="Give both alike."
        )
    return WithEvaluation(found, held_out)


def _of(data: Any, features: Names, target: Names, like: Arrays | None) -> DataSpec:
    if isinstance(data, str | Path):
        data = read_path(data)
    if isinstance(data, DataLoader):
        data = dataset_of(cast("DataLoader[Any]", data))
    frame = _as_frame(data)
    if frame is not None:
        return _of_frame(frame, features, target, like, _named_classes(data, target))
    if isinstance(data, Mapping):
        return of_dict(cast("Mapping[Any, Any]", data), features, target, like)
    _no_parts(data)
    whole = _whole(data, like)
    if whole is not None:
        _no_columns(features, target, f"data given as {kind_of(data)}")
        return whole
    if not hasattr(data, "__iter__") and not (hasattr(data, "__len__") and hasattr(data, "__getitem__")):
        raise DataInvalid(
            f"{_called(data)} is no data to train on.",
            hint="Give a frame, arrays such as (x, y), a data set or a path; the model comes first.",
        )
    return _of_items(data, features, target, like)


def _whole(data: Any, like: Arrays | None) -> DataSpec | None:
    """Data that is given in one piece and has no columns; None of anything else."""
    if isinstance(data, DataSpec):
        return data
    if isinstance(data, pl.Series | np.ndarray | Tensor):
        return _of_array(as_array(data, "data"))
    if isinstance(data, tuple) and len(cast("tuple[Any, ...]", data)) == 2:
        return _of_pair(cast("tuple[Any, Any]", data), like)
    return text(bytes(data)) if isinstance(data, bytes | bytearray | memoryview) else None


def _no_parts(data: Any) -> None:
    """Refuse several arrays with a row per item, which would be read as so many items.

    Raises:
        DataInvalid: the arrays have one length and different dimensions, so that they are no items.
    """
    parts = cast("Sequence[Any]", data) if isinstance(data, tuple | list) else ()
    pair = isinstance(data, tuple) and len(parts) == 2
    if len(parts) < 2 or len(parts) > _MOST_PARTS or pair or not all(isinstance(p, _ARRAYS) for p in parts):
        return
    shapes = [tuple(part.shape) for part in parts]
    if len({len(shape) for shape in shapes}) > 1 and len({shape[:1] for shape in shapes}) == 1:
        listed = " and ".join(map(str, shapes))
        raise DataInvalid(
            f"The data is {kind_of(data)} of {len(parts)} arrays, of shapes {listed}; inputs and targets "
            "come as a pair (x, y) or by name.",
            hint='Give the pair, or a dict whose keys are the parameters of forward: {"num": …, "cat": …, '
            '"y": …}.',
        )


def _called(data: Any) -> str:
    return capitalised(kind_of(data))


def _no_columns(features: Names, target: Names, what: str) -> None:
    if features is not None or target is not None:
        raise DataInvalid(
            f"features= and target= name columns, and {what} has none.",
            hint="Give a pair (x, y), a dict of arrays or a frame.",
        )


def _as_frame(data: Any) -> pl.DataFrame | None:
    """A frame of polars, pandas or Hugging Face as one of polars; None of anything else."""
    if isinstance(data, pl.DataFrame | pl.LazyFrame):
        return frames.collected(data)
    if hasattr(data, "column_names") and hasattr(data, "to_polars"):
        found = data.to_polars()
        frame = found if isinstance(found, pl.DataFrame) else pl.concat(list(found))
        return None if any(isinstance(kind, pl.Struct | pl.Binary) for kind in frame.dtypes) else frame
    if type(data).__module__.partition(".")[0] == "pandas" and hasattr(data, "columns"):
        return pl.DataFrame({str(name): pl.Series(data[name].tolist()) for name in data.columns})
    return None


def _named_classes(data: Any, target: Names) -> tuple[Class, ...]:
    """The names of the classes that a Hugging Face data set keeps beside its numbers."""
    known: Any = getattr(data, "features", None)
    if not isinstance(known, Mapping):
        return ()
    _, targets = frames.chosen([str(name) for name in cast("Mapping[Any, Any]", known)], None, target)
    names = getattr(cast("Mapping[Any, Any]", known)[targets[0]], "names", None) if targets else None
    return tuple(cast("list[str]", names)) if isinstance(names, list) else ()


def _of_frame(
    frame: pl.DataFrame, features: Names, target: Names, like: Arrays | None, classes: tuple[Class, ...]
) -> DataSpec:
    if not len(frame):
        raise DatasetEmpty("The frame has no rows.", hint="Give some data to train on.")
    column = frames.text_column(frame, features, target)
    if column is not None:
        return text(*frame[column].drop_nulls().to_list(), name=column)
    found = frames.arrays_of(frame, features, target, like)
    if classes and found.target is not None and found.target.dtype.kind in "iu":
        found = Arrays(
            inputs=found.inputs, target=found.target, target_name=found.target_name, names=found.names,
            classes=classes,
        )  # fmt: skip
    return Table(found)


def _of_pair(pair: tuple[Any, Any], like: Arrays | None) -> DataSpec:
    """Inputs and targets: arrays, or a frame of features and what to foretell."""
    x, y = pair
    if isinstance(x, pl.DataFrame | pl.LazyFrame):
        found = frames.collected(x)
        encoded = frames.arrays_of(found, list(found.columns), None, like)
        inputs, names = encoded.inputs, encoded.names
    else:
        inputs, names = {FEATURES: as_array(x, FEATURES)}, {}
    values = _single(y.to_series() if isinstance(y, pl.DataFrame) and y.width == 1 else y)
    return Table(Arrays(inputs=inputs, target=values, target_name="y", names=names))


def _single(y: Any) -> NDArray[Any]:
    return as_array(y.to_list() if isinstance(y, pl.Series) else y, "y")


def _of_array(array: NDArray[Any]) -> DataSpec:
    if array.dtype.kind in "iu" and array.ndim <= 2:
        return Items(cast("Any", array))
    if array.dtype.kind in "US":
        return text(*(str(document) for document in array.reshape(-1)))
    if array.ndim < 2:
        raise DataInvalid(
            f"A single array of shape {array.shape} has no inputs and targets.", hint="Give a pair: (x, y)."
        )
    return Table(Arrays(inputs={FEATURES: array}))


def _of_items(data: Any, features: Names, target: Names, like: Arrays | None) -> DataSpec:
    """A list, a torch data set or an iterable, by what its first item is."""
    name = type(data).__name__
    items = items_of(data, name)
    first = next(items, None)
    if first is None:
        again = "A generator gives its items once; give a list." if hasattr(data, "__next__") else None
        raise DatasetEmpty(f"The data set {name!r} is empty.", hint=again or "Give some data to train on.")
    rest = itertools.chain([first], items)
    if _as_frame(first) is not None:
        return _of_frame(_chunks(rest, name), features, target, like, ())
    if isinstance(first, Mapping):
        return of_dict(columns_of(rest, name), features, target, like)
    _no_columns(features, target, with_article(name))
    if isinstance(first, tuple):
        return Table(_pairs(rest, name))
    if isinstance(first, str):
        return text(*_texts(rest, name), name=name)
    if isinstance(first, bytes | int | np.integer | Sequence) or as_array(first, name).dtype.kind in "iu":
        return Items(list(_counted(rest, name)), name)
    return Table(Arrays(inputs={FEATURES: np.stack([as_array(item, name) for item in _counted(rest, name)])}))


def _chunks(items: Iterator[Any], name: str) -> pl.DataFrame:
    """Frames given one after another, such as the chunks of a large file, as one frame.

    Raises:
        DataInvalid: one is no frame, or has other columns than the first.
    """
    budget, found = Budget(name), list[pl.DataFrame]()
    for number, item in enumerate(items):
        frame = _as_frame(item)
        if frame is None or frame.columns != (found or [frame])[0].columns:
            raise DataInvalid(
                f"Item {number} of {name!r} is no frame with the columns of the first.",
                hint="Give frames of the same columns.",
            )
        budget.take(int(frame.estimated_size()))
        found.append(frame)
    return pl.concat(found, how="vertical_relaxed")


def _counted(items: Iterator[Any], name: str) -> Iterator[Any]:
    """The items, as long as there is memory for them."""
    budget = Budget(name)
    for item in items:
        size = getattr(item, "nbytes", None)
        budget.take(size if isinstance(size, int) else 8 * len(item) if hasattr(item, "__len__") else 8)
        yield item


def _texts(items: Iterator[Any], name: str) -> list[str]:
    found = list(_counted(items, name))
    strange = next((item for item in found if not isinstance(item, str | bytes)), None)
    if strange is not None:
        raise DataInvalid(f"{name!r} holds text and {kind_of(strange)}.", hint="Give documents alone.")
    return found


def _pairs(items: Iterator[Any], name: str) -> Arrays:
    """Items given as tuples: inputs first, the target last; of a tuple of one, an input alone."""
    inputs: list[list[NDArray[Any]]] = []
    targets: list[Any] = []
    budget, width = Budget(name), 0
    for number, item in enumerate(items):
        width = width or len(item)
        if not isinstance(item, tuple) or len(item) != width or not width:
            raise DataInvalid(
                f"Item {number} of {name!r} is no tuple of {width} like the first.",
                hint="Let every item have the same parts, such as (features, target).",
            )
        arrays = [as_array(part, FEATURES) for part in (item[:-1] if width > 1 else item)]
        if number and [a.shape for a in arrays] != [a[0].shape for a in inputs]:
            found, first = arrays[0].shape, inputs[0][0].shape
            raise DataInvalid(
                f"Item {number} of {name!r} has shape {found}, the first has {first}.",
                hint="Pad or cut the items to one shape.",
            )
        inputs = inputs or [[] for _ in arrays]
        for column, array in zip(inputs, arrays, strict=True):
            column.append(array)
            budget.take(array.nbytes)
        if width > 1:
            targets.append(item[-1])
    names = [FEATURES] if len(inputs) == 1 else [f"{FEATURES}{place}" for place in range(len(inputs))]
    stacked = {key: np.stack(column) for key, column in zip(names, inputs, strict=True)}
    return Arrays(inputs=stacked, target=as_array(_plain(targets), "y") if targets else None, target_name="y")


def _plain(values: list[Any]) -> Any:
    """Targets as one list that numpy can read at once."""
    return [value.detach().cpu().numpy() if isinstance(value, Tensor) else value for value in values]
