"""Tell a person what a call waits for, once it waits for longer than a second.

A terminal gets a line that is taken away when the wait is over. A notebook gets an output that our kernel
empties again (`show_with`), or, on a kernel without our pages, a line that stays. A script whose output goes
to a file or a pipe gets nothing. Standard library only; the callers say what is waited for.
"""

import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from time import monotonic
from typing import Protocol, TextIO

PATIENCE_S = 1.0
"""What is over sooner is not worth a word."""
_COLUMNS = 100


class Line(Protocol):
    """Where a wait is told."""

    def show(self, what: str, detail: str) -> None:
        """Tell what is waited for; `detail` changes while it is."""
        ...

    def clear(self) -> None:
        """Take it away again, where that can be done."""
        ...


class TerminalLine:
    """A line of a terminal, written over itself and taken away at the end."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, what: str, detail: str) -> None:
        """Write over what was there."""
        self._write(f"\r{sentence(what, detail)[:_COLUMNS]:<{_COLUMNS}}")

    def clear(self) -> None:
        """Leave the line as it was before."""
        self._write(f"\r{'':<{_COLUMNS}}\r")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


class LastingLine:
    """A line for each thing that is waited for, in a notebook whose kernel cannot take it away."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._told = out, ""

    def show(self, what: str, detail: str) -> None:  # noqa: ARG002  (it would be a line each time)
        """Write what was not told yet."""
        if what != self._told:
            self._told = what
            self._out.write(f"{sentence(what, '')}\n")
            self._out.flush()

    def clear(self) -> None:
        """Leave it there."""


def sentence(what: str, detail: str) -> str:
    """What a line says."""
    return f"Waiting for {what} … {detail}".rstrip()


def _usual() -> Line | None:
    """A line where a person looks: at a terminal, or at a prompt (`sys.ps1`, which notebooks have too)."""
    out: TextIO | None = sys.stderr
    if out is None:  # pythonw has none
        return None
    if out.isatty():
        return TerminalLine(out)
    return LastingLine(out) if hasattr(sys, "ps1") else None


_line: Callable[[], Line | None] = _usual


def show_with(line: Callable[[], Line | None] | None) -> None:
    """Tell waits by a line of this kind from now on; None goes back to the usual one."""
    global _line  # noqa: PLW0603  (one process has one person to tell)
    _line = line or _usual


class _Notice:
    """What one thread waits for now, the innermost last, told by a thread of its own after a second."""

    def __init__(self, line: Line) -> None:
        self._line, self._over, self._turn = line, threading.Event(), threading.Lock()
        self._stack: list[tuple[object, str]] = []
        self._detail, self._shown = "", False

    def push(self, key: object, what: str) -> None:
        with self._turn:
            self._stack.append((key, what))
            self._detail = ""

    def drop(self, key: object) -> None:
        with self._turn:
            self._stack = [entry for entry in self._stack if entry[0] is not key]
            self._detail = ""

    def say(self, detail: str) -> None:
        with self._turn:
            self._detail = detail

    def run(self) -> None:
        began, pause = monotonic(), PATIENCE_S
        while not self._over.wait(pause):
            with self._turn:
                if not self._over.is_set() and self._stack:
                    self._shown = True
                    self._line.show(self._stack[-1][1], self._detail or f"{monotonic() - began:.0f} s")

    def end(self) -> None:
        self._over.set()
        with self._turn:
            if self._shown:
                self._line.clear()


_NOTICE: ContextVar[_Notice | None] = ContextVar("subnetlab_waiting", default=None)


@contextmanager
def waiting(what: str) -> Generator[Callable[[str], None]]:
    """Name what the block waits for; what it gives is called with how far that is, as often as one likes.

    Blocks inside a block name what is waited for more exactly. Works as a decorator too.
    """
    if (outer := _NOTICE.get()) is not None:
        with _named(outer, what) as say:
            yield say
    elif (line := _line()) is None:
        yield lambda _detail: None
    else:
        notice = _Notice(line)
        token = _NOTICE.set(notice)
        # In a copy of the context: a notebook sends an output to the cell that the context names.
        thread = threading.Thread(target=copy_context().run, args=(notice.run,), name="waiting", daemon=True)
        try:
            with _named(notice, what) as say:
                thread.start()
                yield say
        finally:
            _NOTICE.reset(token)
            notice.end()


@contextmanager
def _named(notice: _Notice, what: str) -> Generator[Callable[[str], None]]:
    key = object()
    notice.push(key, what)
    try:
        yield notice.say
    finally:
        notice.drop(key)
