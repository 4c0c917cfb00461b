"""Tasks and answers: JSON values, bounded, also where a stranger made them.

Null, yes and no, whole numbers, finite floats, text, lists, and dicts with text as keys. What comes from
another peer is read here and nowhere else.
"""

import json
from math import isfinite
from typing import Any, Final, cast

from subnetlab.text import kind_of

MOST_DEPTH: Final = 32
_MOST_DIGITS: Final = 1000
"""Bits of a whole number are at most four times as many."""


class NotAValue(ValueError):
    """Something is no JSON value, or too large; its text is a sentence without a subject."""


def written(value: object, limit: int) -> bytes:
    """A value as canonical JSON.

    Raises:
        NotAValue: it is none, or takes more than `limit` bytes.
    """
    data = json.dumps(_plain(value, 0), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    found = data.encode("utf-8", errors="strict")
    if len(found) > limit:
        raise NotAValue(f"has {len(found):,} bytes, and {limit:,} are allowed")
    return found


def read(data: bytes, limit: int) -> Any:
    """Read a value that may be hostile.

    Raises:
        NotAValue: it is none, or takes more than `limit` bytes.
    """
    if len(data) > limit:
        raise NotAValue(f"has {len(data):,} bytes, and {limit:,} are allowed")
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotAValue("is no JSON value") from error
    return _plain(value, 0)


def _plain(value: object, depth: int) -> Any:
    """A value as JSON has it: tuples become lists."""
    if depth > MOST_DEPTH:
        raise NotAValue(f"is nested deeper than {MOST_DEPTH}")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if value.bit_length() > 4 * _MOST_DIGITS:
            raise NotAValue(f"holds a whole number of more than {_MOST_DIGITS} digits")
        return int(value)
    if isinstance(value, float):
        if not isfinite(value):
            raise NotAValue("holds NaN or infinity")
        return float(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return [_plain(part, depth + 1) for part in cast("list[object]", value)]
    if isinstance(value, dict):
        return {
            _key(key): _plain(part, depth + 1) for key, part in cast("dict[object, object]", value).items()
        }
    raise NotAValue(f"holds {kind_of(value)}, which is no JSON value")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise NotAValue(f"has {kind_of(key)} as a key; keys are text")
    return _text(key)


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotAValue("holds text that is no UTF-8") from None
    return str(text)
