"""The tries of one person at the exercises, as lines of a file below the home, for that person alone.

Answers are kept only where a class was joined, as far as JSON carries them and they are short: `report`
sends it the last ones, and it judges them again.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from subnetlab.record.files import make_private, open_log
from subnetlab.settings import home

_FILE: Final = "exercises.jsonl"
_MOST_BYTES: Final = 1_000_000
"""Only so much of the end of the file is read."""
_LONGEST_ANSWER: Final = 4_000
"""Letters; of a longer one only the try is kept."""


@dataclass(frozen=True, slots=True)
class Try:
    """One try: which exercise, whether it was right, which kind of mistake it was, and when."""

    exercise: str
    right: bool
    slip: str
    at: float
    answer: object = None
    """In JSON types, as `answer_to_json` makes it; None where it was not kept."""


def keep(exercise: str, *, right: bool, slip: str, answer: object = None) -> None:
    """Keep a try; a disk that takes nothing does not stop a lesson."""
    told: dict[str, object] = {
        "exercise": exercise,
        "right": right,
        "slip": slip,
        "at": round(time.time(), 3),
    }
    if answer is not None and len(json.dumps(answer)) <= _LONGEST_ANSWER:
        told["answer"] = answer
    line = json.dumps(told)
    with contextlib.suppress(OSError):
        descriptor = open_log(make_private(home()) / _FILE)
        try:
            os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)


def kept() -> list[Try]:
    """Every try that can be read, oldest first."""
    try:
        with (home() / _FILE).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_BYTES))
            data = file.read(_MOST_BYTES)
    except OSError:
        return []
    return list(_tries(data))


def _tries(data: bytes) -> Iterator[Try]:
    for line in data.splitlines():
        try:
            found: Any = json.loads(line)
        except ValueError:
            continue
        if not isinstance(found, dict):
            continue
        told = cast("dict[str, Any]", found)
        exercise, right, slip, at = (told.get(name) for name in ("exercise", "right", "slip", "at"))
        if isinstance(exercise, str) and isinstance(right, bool) and isinstance(at, int | float):
            word = slip if isinstance(slip, str) else ""
            yield Try(exercise, right, word, float(at), told.get("answer"))
