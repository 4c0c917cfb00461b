"""Whether an event that was read back has the types it was declared with; for records of strangers.

Python does not check a dataclass's fields. Numbers and text are those that a frame can hold: 64 bits with a
sign, and Unicode that can be written. What a newer version added is not looked at, and `Any` is any JSON.
"""

import re
from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, cast, get_args, get_origin, get_type_hints

from subnetlab.record.events import EpochPaid, Event, PeersJoined, RunStarted

_LARGEST: Final = 1 << 63
"""A frame's integers end here; no height, count or amount of a chain comes near."""
_NAME: Final = re.compile(r"[\w.-]{1,100}")
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def validate_event(event: Event) -> None:
    """Check the fields of one event, and what they say where nothing else would notice.

    Raises:
        ValueError: a field holds something else than declared, or something no run has; LookupError and
            TypeError likewise, where a part is missing.
    """
    hints = _hints(type(event))
    for field in fields(event):
        if not _fits(getattr(event, field.name), hints[field.name]):
            raise ValueError(f"{event.kind} says something impossible as its {field.name}.")
    if isinstance(event, RunStarted):
        _validate_start(event)
    if isinstance(event, PeersJoined):
        _validate_seats(event.seats)
    if isinstance(event, EpochPaid):
        columns = [value for name in EpochPaid.__slots__ if isinstance(value := getattr(event, name), list)]
        if len({len(column) for column in columns}) != 1:
            raise ValueError("an epoch's columns differ in length.")


def _validate_start(event: RunStarted) -> None:
    if not _NAME.fullmatch(event.run_id):
        raise ValueError("its run has a name that no run has.")
    steps = (event.manifest.get("strategy") or {}).get("inner_steps") or 1
    if int(steps) < 1 or int(event.manifest.get("rounds") or 0) < 0:
        raise ValueError("it plans less than nothing.")
    _validate_seats(event.seats)


def _validate_seats(seats: list[dict[str, Any]]) -> None:
    for seat in seats:
        if type(seat["uid"]) is not int or not isinstance(seat["hotkey"], str):
            raise ValueError("a seat has no uid or no hotkey.")
        if not _WORD.fullmatch(str(seat["role"])) or not _WORD.fullmatch(str(seat.get("attacker") or "none")):
            raise ValueError("a seat has a role that is no word.")


@cache
def _hints(kind: type[Event]) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: object, hint: Any) -> bool:
    origin, of = get_origin(hint), get_args(hint)
    if hint is Any:
        return _bounded(value)
    if origin in (Literal, UnionType):
        return value in of if origin is Literal else any(_fits(value, each) for each in of)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, of[0]) for item in cast("list[object]", value))
    if origin is dict:
        return isinstance(value, dict) and all(
            _fits(key, of[0]) and _fits(item, of[1])
            for key, item in cast("dict[object, object]", value).items()
        )
    if hint is float:
        return type(value) is float or _is_int(value)
    plain = {int: _is_int, str: _is_text}.get(hint)
    return plain(value) if plain else type(value) is hint


def _bounded(value: object) -> bool:
    """JSON without numbers and text that no frame holds."""
    if isinstance(value, list):
        return all(map(_bounded, cast("list[object]", value)))
    if isinstance(value, dict):
        members = cast("dict[object, object]", value)
        return all(map(_is_text, members)) and all(map(_bounded, members.values()))
    return _is_int(value) or _is_text(value) or isinstance(value, float | bool | NoneType)


def _is_text(value: object) -> bool:
    """Text without half a surrogate pair, which JSON can spell and UTF-8 cannot."""
    return type(value) is str and not _SURROGATE.search(value)


def _is_int(value: object) -> bool:
    return type(value) is int and -_LARGEST <= value < _LARGEST
