"""Named arrays whose first axis counts items: what frames, arrays and data sets become before they are rows.

Takes numpy arrays, torch tensors, polars series and nested lists. What has no numbers in it, and numbers
that are not finite, are refused by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subnetlab.errors import DataInvalid
from subnetlab.train.data.columns import MOST_CLASSES, Class, Column
from subnetlab.train.data.spec import READ_ERRORS, is_tensor

TARGET = "target"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrays:
    """One part of a table before it is encoded."""

    inputs: Mapping[str, NDArray[Any]]
    target: NDArray[Any] | None = None
    target_name: str = TARGET
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """What the numbers of an input's vector are, by input."""
    classes: tuple[Class, ...] = ()
    """What the whole numbers of the target are, where the data says so itself."""
    by_key: "Arrays | None" = None
    """The same data with every key of a dict as an input of its own, where `inputs` holds some as one."""

    @property
    def count(self) -> int:
        """Items."""
        return len(next(iter(self.inputs.values())))


def as_array(value: Any, name: str) -> NDArray[Any]:
    """A numpy array of numbers, text or yes and no, from whatever holds some.

    Raises:
        DataInvalid: it has no regular shape, or holds nulls or other objects.
    """
    try:
        if is_tensor(value):
            value = value.detach().cpu()
            value = value.float() if value.is_floating_point() else value
        found = np.asarray(value.to_numpy() if hasattr(value, "to_numpy") else value)
        if found.dtype.kind == "O":
            found = _of_objects(found, name)
    except READ_ERRORS as error:
        raise DataInvalid(
            f"{name!r} is no array: {error}.", hint="Give arrays or lists in which all items have one shape."
        ) from error
    if found.dtype.kind not in "biufUS":
        raise DataInvalid(
            f"{name!r} holds {found.dtype}; a model takes numbers.", hint="Convert it to numbers or text."
        )
    return found


def _of_objects(found: NDArray[Any], name: str) -> NDArray[Any]:
    """Objects that are all text, or all arrays of one shape."""
    values: list[Any] = found.reshape(-1).tolist()
    missing = sum(value is None for value in values)
    if missing:
        raise DataInvalid(f"{name!r} holds {missing} nulls.", hint="Fill them or leave those items out.")
    if all(isinstance(value, str) for value in values):
        return found.astype(str)
    if found.ndim == 0:
        return found  # an object that is no array
    return np.stack([as_array(value, name) for value in values])


def checked(arrays: Arrays) -> Arrays:
    """The same, once every array has as many items as the others and none is empty.

    Raises:
        DataInvalid: lengths differ, or an item holds nothing.
    """
    every = dict(arrays.inputs) | ({} if arrays.target is None else {arrays.target_name: arrays.target})
    for name, array in every.items():
        if array.ndim == 0:
            raise DataInvalid(
                f"{name!r} is a single {array.dtype}.", hint="Give an array with an item a row."
            )
        if 0 in array.shape[1:]:
            raise DataInvalid(
                f"The items of {name!r} have shape {array.shape[1:]}: they hold nothing.",
                hint="Leave this array out, or give each item at least one number.",
            )
    lengths = {name: len(array) for name, array in every.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name!r} has {length:,}" for name, length in lengths.items())
        raise DataInvalid(
            f"The arrays have different lengths: {listed}.", hint="Give one row per item in each."
        )
    return arrays


def input_column(name: str, array: NDArray[Any], names: tuple[str, ...]) -> tuple[Column, NDArray[Any]]:
    """An input as it is stored: bytes as they are, whole numbers as integers, all else as 32-bit floats.

    Raises:
        DataInvalid: it holds text, or numbers that are not finite as 32-bit floats.
    """
    if array.dtype.kind in "US":
        raise DataInvalid(
            f"The input {name!r} holds text.",
            hint="Encode it as numbers, or give a polars frame, whose columns of text are encoded.",
        )
    stored = array if array.dtype == np.uint8 else _integers(array) if array.dtype.kind in "iu" else None
    stored = _floats(name, array, names) if stored is None else stored
    return Column(name=name, dtype=_code(stored), shape=stored.shape[1:], names=names), stored


def target_column(arrays: Arrays) -> Column | None:
    """The target as it is stored; text and yes or no become the places of their classes, in sorted order.

    Raises:
        DataInvalid: there are too many classes of text.
    """
    array, name = arrays.target, arrays.target_name
    if array is None:
        return None
    if array.dtype.kind == "f":
        return Column(name=name, dtype="f4", shape=array.shape[1:], target=True)
    found = np.unique(array) if array.ndim == 1 else np.empty(0, dtype=array.dtype)
    if array.dtype.kind in "iu":
        classes = arrays.classes or (tuple(found.tolist()) if len(found) <= MOST_CLASSES else ())
        dtype = _code(_integers(array))
        coded = bool(arrays.classes)
        return Column(
            name=name, dtype=dtype, shape=array.shape[1:], target=True, classes=classes, coded=coded
        )
    if array.ndim > 1 or len(found) > MOST_CLASSES:
        what = f"{len(found):,} different texts" if array.ndim == 1 else f"text of shape {array.shape[1:]}"
        raise DataInvalid(
            f"The target {name!r} holds {what}; a run has at most {MOST_CLASSES:,} classes.",
            hint="Give one number or one of a few texts per item.",
        )
    classes = tuple(value.decode() if isinstance(value, bytes) else value for value in found.tolist())
    return Column(name=name, dtype="i4", target=True, classes=classes, coded=True)


def target_values(column: Column, arrays: Arrays) -> NDArray[Any]:
    """What is stored of a target; text as its place among the classes of the column.

    Raises:
        DataInvalid: a class occurs that training does not know, or a number is not finite.
    """
    array, name = arrays.target, column.name
    if array is None:
        raise DataInvalid(f"The evaluation data has no target {name!r}.", hint="Give it the same columns.")
    if column.dtype == "f4":
        return _floats(name, array, ())
    if array.dtype.kind in "iu":
        return _integers(array)
    if array.dtype.kind == "f":
        raise DataInvalid(
            f"{name!r} holds fractions in one part of the data and classes in the other.",
            hint="Give both parts the same kind of numbers: whole ones for classes, fractions for amounts.",
        )
    texts = array.astype(str) if array.dtype.kind != "S" else np.char.decode(array)
    known = {str(value): place for place, value in enumerate(column.classes)}
    strange = sorted(set(texts.tolist()) - set(known))
    if strange:
        raise DataInvalid(
            f"The evaluation data has a class of {name!r} that training has not: {strange[0]!r}.",
            hint="Leave those items out, or add some to the training data.",
        )
    return np.array([known[text] for text in texts.tolist()], dtype=np.int32)


def _floats(name: str, array: NDArray[Any], names: tuple[str, ...]) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        stored = array.astype(np.float32)
    bad = ~np.isfinite(stored)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        what = names[place[1]] if names and len(place) == 2 else name
        raise DataInvalid(
            f"{what!r} holds {int(bad.sum()):,} numbers that are not finite as 32-bit floats; the first is "
            f"in item {place[0]}.",
            hint="Leave those items out, fill them, or scale them.",
        )
    return stored


def _integers(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype == np.uint64 and len(array) and array.max() > np.iinfo(np.int64).max:
        raise DataInvalid(
            "The data holds whole numbers above 2^63 - 1.", hint="Give smaller ones, or floats."
        )
    small = not array.size or (array.min() >= -(2**31) and array.max() < 2**31)
    return array.astype(np.int32 if small else np.int64)


def _code(array: NDArray[Any]) -> str:
    return {"uint8": "u1", "int32": "i4", "int64": "i8", "float32": "f4"}[array.dtype.name]
