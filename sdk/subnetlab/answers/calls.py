"""Call a person's functions in a process of their own: within a time limit and a size, and never in ours.

A function that hangs, exits or eats the processor ends with its process, and the next call starts another.
What it remembers between calls lives as long as that process. Lines of JSON go both ways; no pickle.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self, cast

from subnetlab.answers.values import NotAValue, read

_START_LIMIT_S: Final = 60.0
"""Importing what a function uses may take so long."""
_NUMBER_BYTES: Final = 64
_ENVELOPE: Final = 1024
_CHUNK: Final = 1 << 16
_MOST_SAID: Final = 200


class FunctionFailed(RuntimeError):
    """A function returned nothing that counts; its text follows a subject, as in "it raised KeyError"."""

    def __init__(self, message: str, *, reason: Literal["raised", "too_slow", "unfit", "ended"]) -> None:
        """Keep how it failed beside the words."""
        super().__init__(message)
        self.reason = reason


class Calls:
    """Functions by name, and the process that runs them; started with the first call.

    Args:
        functions: the code of each, as `train.tasks.code.Code.to_json` writes it.
        folder: where they run, and may keep files.
    """

    def __init__(self, functions: Mapping[str, dict[str, Any]], folder: Path) -> None:
        self._functions, self._folder = dict(functions), folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Define the functions, unless they are.

        Raises:
            FunctionFailed: the source of one does not run by itself.
        """
        if self._process is not None and self._process.poll() is None:
            return
        self._process = _started(self._folder)
        told = self._exchange({"define": self._functions}, time.monotonic() + _START_LIMIT_S, _ENVELOPE)
        if "defined" not in told:
            self.close()
            raise FunctionFailed(f"it does not run by itself: {_said(told)}", reason="raised")

    def call(
        self, name: str, *given: object, deadline: float, limit: int, random: str = "", number: bool = False
    ) -> Any:
        """What a function returns.

        Args:
            name: of the function.
            given: its arguments, JSON values.
            deadline: `time.monotonic()` by which it must have returned; starting it does not count.
            limit: the most bytes that what it returns may take as JSON.
            random: what its random numbers follow from; empty if it takes none.
            number: whether it returns a number, as Python counts numbers.

        Raises:
            FunctionFailed: it raised, was too slow, ended its process, or returned something else.
        """
        asked_at = time.monotonic()
        self.start()
        deadline += time.monotonic() - asked_at
        asked: dict[str, Any] = {"call": name, "given": given, "limit": limit, "number": number}
        told = self._exchange(
            {**asked, **({"random": random} if random else {})}, deadline, limit + _ENVELOPE
        )
        if "unfit" in told:
            raise FunctionFailed(f"what it returned {_cut(told['unfit'])}", reason="unfit")
        if "value" not in told:
            raise FunctionFailed(f"it raised {_said(told)}", reason="raised")
        return told["value"]

    def number(self, name: str, *given: object, deadline: float, random: str = "") -> float:
        """What a function returns, as a finite number; arguments and errors as `call`."""
        return float(
            self.call(name, *given, deadline=deadline, limit=_NUMBER_BYTES, random=random, number=True)
        )

    def close(self) -> None:
        """End the process, with all that it started."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        for end in (process.stdin, process.stdout):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.close()
        process.wait()

    def _exchange(self, asked: dict[str, Any], deadline: float, limit: int) -> dict[str, Any]:
        """Send a line and read one; whatever else happens ends the process."""
        process = self._process
        assert process is not None
        try:
            line = _exchanged(process, json.dumps(asked).encode() + b"\n", deadline, limit)
            told: object = read(line, limit)
        except NotAValue as error:
            self.close()
            raise FunctionFailed(f"what it returned {error}", reason="unfit") from None
        except FunctionFailed:
            self.close()
            raise
        return cast("dict[str, Any]", told) if isinstance(told, dict) else {}


def _started(folder: Path) -> "subprocess.Popen[bytes]":
    folder.mkdir(parents=True, exist_ok=True)
    found = os.pathsep.join(str(Path(path).resolve()) for path in sys.path)
    command = [sys.executable, "-m", "subnetlab.answers.call_process"]
    return subprocess.Popen(  # noqa: S603 - this Python, no shell
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        env={"OMP_NUM_THREADS": "1", **os.environ, "PYTHONPATH": found}, bufsize=0,
    )  # fmt: skip


def _exchanged(process: "subprocess.Popen[bytes]", line: bytes, deadline: float, limit: int) -> bytes:
    """Write a line and read the next, both before the deadline.

    Raises:
        FunctionFailed: neither came to its end by then, the process ended, or its line has no end.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    left, found = memoryview(line), b""
    for end in (process.stdin, process.stdout):
        os.set_blocking(end.fileno(), False)
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdin, selectors.EVENT_WRITE)
        waiting.register(process.stdout, selectors.EVENT_READ)
        while not found.endswith(b"\n"):
            if len(found) > limit:
                raise NotAValue(f"has more than {limit:,} bytes")
            ready = waiting.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise FunctionFailed("it took longer than its time limit", reason="too_slow")
            for key, _ in ready:
                if key.fileobj is process.stdin:
                    with contextlib.suppress(BrokenPipeError):
                        left = left[os.write(process.stdin.fileno(), left) :]
                    if not left:
                        waiting.unregister(process.stdin)
                elif chunk := os.read(process.stdout.fileno(), _CHUNK):
                    found += chunk
                else:
                    raise FunctionFailed("it ended its own process", reason="ended")
    return found


def _said(told: Mapping[str, Any]) -> str:
    """What was raised, in the words of the error; a stranger's text, and so cut."""
    said = _cut(told.get("said", ""))
    kind = _cut(told.get("raised", "an error"))
    return f"{kind}: {said}" if said else kind


def _cut(text: object) -> str:
    return str(text)[:_MOST_SAID]
