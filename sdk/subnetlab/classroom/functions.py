"""Calling the function that a student handed in, in a process that can do nothing but compute.

The function runs in `compute_only.py`, which knows the arguments and not the right answers. What it may take
is bounded there in memory and processor time, here in seconds.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

from subnetlab.classroom import compute_only
from subnetlab.errors import ClassError

_LIMIT_S: Final = 20.0
_MOST_SAID: Final = 100_000


class NotCalled(ClassError):
    """A student's function could not be called here; it is judged neither right nor wrong."""


class FunctionFailed(ClassError):
    """A student's function raised an error, or ended otherwise than by returning."""


def called(source: str, name: str, calls: Sequence[Sequence[object]]) -> list[Any]:
    """What a function returned for each list of arguments, in JSON types.

    Raises:
        FunctionFailed: it raised, took too long or too much, or did something else than compute.
        NotCalled: this machine cannot keep a function to computing, or its arguments do not travel.
    """
    try:
        asked = json.dumps({"source": source, "name": name, "calls": [list(one) for one in calls]})
    except TypeError:
        raise NotCalled("The exercise's own numbers are tensors, so the function was not called.") from None
    with tempfile.TemporaryFile() as said:
        try:
            subprocess.run(  # noqa: S603 - our own program
                [sys.executable, "-s", "-P", "-B", str(Path(compute_only.__file__))], input=asked.encode(),
                stdout=said, stderr=subprocess.DEVNULL, timeout=_LIMIT_S, check=False, cwd="/",
                env={"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise FunctionFailed("The function took too long.") from None
        said.seek(0)
        closed, told = _told(said.read(_MOST_SAID))
    if not closed:
        raise NotCalled("This machine cannot keep a function to computing, so it was not called.")
    if not told:
        raise FunctionFailed("The function did something else than compute, or took too much.")
    if told.get("failed") == "NameError":
        raise NotCalled("The function uses names of the notebook that are not in it.")
    returned = told.get("returned")
    if not isinstance(returned, list) or len(cast("list[Any]", returned)) != len(calls):
        raise FunctionFailed(f"The function raised {str(told.get('failed', 'an error'))[:40]}.")
    return cast("list[Any]", returned)


def _told(data: bytes) -> tuple[bool, dict[str, Any]]:
    """Whether the doors were closed, and what was said of the function after that, if anything."""
    first, _, rest = data.partition(b"\n")
    return _object(first).get("closed") is True, _object(rest)


def _object(data: bytes) -> dict[str, Any]:
    try:
        found: Any = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
