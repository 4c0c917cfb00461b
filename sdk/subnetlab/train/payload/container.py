"""The container of everything that travels: a safetensors file, read as if an enemy had written it.

Any safetensors reader opens what `write` makes. `read` itself accepts less: exactly the expected tensors, in
order, without gaps, of the expected type and at most the expected size, decided from a header of at most a
kilobyte before anything is allocated. Arrays it returns are views into the bytes. No pickle, no compression.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from subnetlab.errors import PayloadRejected

HEADER_LIMIT: Final = 1024
_PREFIX: Final = 8
_TYPES: Final[dict[str, np.dtype[Any]]] = {
    "U8": np.dtype("u1"), "F16": np.dtype("<f2"), "F32": np.dtype("<f4")
}  # fmt: skip
_NAMES: Final = {dtype: name for name, dtype in _TYPES.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """What one tensor of a container must be: its type, and how many values at least and at most."""

    dtype: str
    fewest: int
    most: int


def write(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bytes:
    """Put arrays into a container, in the given order (wide ones first keep them aligned)."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    blobs: list[bytes] = []
    end = 0
    for name, array in arrays.items():
        blobs.append(np.ascontiguousarray(array).tobytes())
        begin, end = end, end + len(blobs[-1])
        header[name] = {
            "dtype": _NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [begin, end]
        }  # fmt: skip
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _PREFIX)
    return b"".join([len(text).to_bytes(_PREFIX, "little"), text, *blobs])


def read(data: bytes, parts: Mapping[str, Part], form: str) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Take a container apart: flat arrays by name, and the metadata.

    Args:
        data: the bytes, as they came.
        parts: the tensors that must be there, in order, and no others.
        form: what the metadata must say under "form".

    Raises:
        PayloadRejected: anything else than `write` makes for these parts.
    """
    header, body = _header(data)
    described = metadata(data)
    header.pop("__metadata__")
    if described.get("form") != form:
        raise malformed(f"it is not a {form} container")
    if list(header) != list(parts):
        raise malformed(f"it holds {list(header)[:8]} instead of {list(parts)}")
    arrays: dict[str, NDArray[Any]] = {}
    end = 0
    for name, part in parts.items():
        begin, end = end, _end_of(name, header[name], part, end)
        if end > len(body):
            raise malformed(f"its tensor {name!r} is cut off")
        arrays[name] = np.frombuffer(body[begin:end], dtype=_TYPES[part.dtype])
    if end != len(body):
        raise malformed(f"{len(body) - end} bytes follow its last tensor")
    return arrays, cast("dict[str, str]", described)


def metadata(data: bytes) -> dict[str, Any]:
    """What a container says about itself, before any of its tensors is looked at.

    Raises:
        PayloadRejected: it has no readable header, or none with metadata.
    """
    found = _header(data)[0].get("__metadata__")
    if not isinstance(found, dict):
        raise malformed("it says nothing about itself")
    return cast("dict[str, Any]", found)


def malformed(why: str) -> PayloadRejected:
    """The error for bytes that are not what they should be."""
    return PayloadRejected(f"The payload is malformed: {why}.", reason="malformed")


def finite(array: NDArray[Any], most: float) -> NDArray[Any]:
    """The array itself, if every value is finite and at most `most` in magnitude.

    Raises:
        PayloadRejected: with reason `not_finite` or `huge`.
    """
    if not np.isfinite(array).all():
        raise PayloadRejected("The payload holds NaN or infinity.", reason="not_finite")
    if array.size and float(np.abs(array).max()) > most:
        raise PayloadRejected(f"The payload holds a value above {most:g}.", reason="huge")
    return array


def _header(data: bytes) -> tuple[dict[str, Any], memoryview]:
    if len(data) < _PREFIX:
        raise malformed("it is shorter than a header")
    length = int.from_bytes(data[:_PREFIX], "little")
    if length > min(HEADER_LIMIT, len(data) - _PREFIX):
        raise malformed(f"its header claims {length} bytes")
    try:
        # A kilobyte cannot nest deeply enough to exhaust the stack, nor hold a number too long to parse.
        header = json.loads(data[_PREFIX : _PREFIX + length], object_pairs_hook=_no_twins)
    except (ValueError, RecursionError):
        raise malformed("its header is not JSON") from None
    if not isinstance(header, dict):
        raise malformed("its header is not an object")
    return cast("dict[str, Any]", header), memoryview(data)[_PREFIX + length :]


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name occurs twice")
    return result


def _end_of(name: str, entry: Any, part: Part, begin: int) -> int:
    """Where a tensor ends, after checking its header entry against what must be there."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise malformed(f"its entry of {name!r} is incomplete")
    shape, offsets = entry["shape"], entry["data_offsets"]
    whole = isinstance(shape, list) and all(type(n) is int and 0 <= n <= part.most for n in shape)
    if entry["dtype"] != part.dtype or not whole or len(shape) > 2:
        raise malformed(f"its tensor {name!r} has another type or shape")
    count = 1
    for n in shape:
        count *= n
    if not part.fewest <= count <= part.most:
        raise malformed(f"its tensor {name!r} has {count} values")
    end = begin + count * _TYPES[part.dtype].itemsize
    if offsets != [begin, end] or any(type(n) is not int for n in offsets):
        raise malformed(f"its tensor {name!r} lies elsewhere than it should")
    return end
