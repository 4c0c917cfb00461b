"""One cell of the owner's in a peer's process: its code runs in a thread, what it prints goes to who asked.

The names that cells assign stay for later cells. Everything a cell may raise, `SystemExit` too, is its
outcome and never the peer's. Output is text, bounded; what is not text is shown by its `repr`. Knows nothing
of sockets: `cells` brings the code and takes what comes of it.
"""

import ast
import contextlib
import ctypes
import linecache
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Literal, TextIO
from zlib import crc32

MOST_CHARACTERS: Final = 1_000_000
"""Of one stream, of a result and of a traceback; what a cell prints beyond them is counted and left out."""
_PIECE: Final = 8192
"""Characters of an unfinished line that are sent without waiting for its end."""
_CODE: Final = "<cell {digest:08x}>"
"""The file of a cell in tracebacks: the same in all peers, so that what fails alike reads alike."""
_HERE: Final = threading.local()

Stream = Literal["stdout", "stderr"]
Send = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a cell ended."""

    status: Literal["ok", "error", "interrupted", "abandoned"]
    result: str | None = None
    """The `repr` of its last expression, None where that is None or the cell ends otherwise."""
    ename: str = ""
    evalue: str = ""
    traceback: str = ""


ABANDONED: Final = Outcome(
    status="abandoned",
    ename="KeyboardInterrupt",
    evalue="It is in a call that Python cannot break off, and ends when that returns.",
)


class RunningCell:
    """A cell whose thread has been started.

    Args:
        code: Python source.
        names: what the cell sees and assigns.
        send: takes `{"stream": …, "text": …}`, and may raise `OSError` once the caller is gone.
    """

    def __init__(self, code: str, names: dict[str, Any], *, send: Send) -> None:
        self._code, self._names = code, names
        self._file = _CODE.format(digest=crc32(code.encode(errors="replace")))
        self._sinks: dict[Stream, _Sink] = {name: _Sink(name, send) for name in ("stdout", "stderr")}
        self._over_or_interrupted = threading.Event()
        self._outcome: Outcome | None = None
        self._thread = threading.Thread(target=self._run, name=self._file, daemon=True)
        self._thread.start()

    def interrupt(self) -> None:
        """Raise `KeyboardInterrupt` in the cell; harmless once it is over."""
        self._over_or_interrupted.set()
        if self._thread.ident is not None and self._thread.is_alive():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self._thread.ident), ctypes.py_object(KeyboardInterrupt)
            )

    def wait(self, grace_s: float) -> Outcome:
        """Wait for the end of the cell; once it is interrupted no longer than `grace_s`."""
        self._over_or_interrupted.wait()
        self._thread.join(grace_s)
        if self._thread.is_alive():
            return ABANDONED
        return self._outcome or Outcome(status="interrupted", ename="KeyboardInterrupt")

    def _run(self) -> None:
        _HERE.sinks = self._sinks
        # Twice, because an interrupt may come just after the cell's last statement.
        with _Edge(self._end), _Edge(self._end):
            result = self._execute()
            self._outcome = Outcome(status="ok", result=result)
        for sink in self._sinks.values():
            with contextlib.suppress(OSError):
                sink.close()
        self._over_or_interrupted.set()

    def _execute(self) -> str | None:
        linecache.cache[self._file] = (
            len(self._code),
            None,
            self._code.splitlines(keepends=True),
            self._file,
        )
        tree = ast.parse(self._code, self._file)
        last = tree.body[-1] if tree.body else None
        shown = isinstance(last, ast.Expr) and not self._code.rstrip().endswith(";")
        if shown:
            tree.body.pop()
        exec(compile(tree, self._file, "exec"), self._names)  # noqa: S102 - the owner's code in the owner's process
        if not (shown and isinstance(last, ast.Expr)):
            return None
        value: Any = eval(compile(ast.Expression(last.value), self._file, "eval"), self._names)  # noqa: S307
        if value is None:
            return None
        self._names["_"] = value
        return bounded(repr(value))

    def _end(self, error: BaseException) -> None:
        said = traceback.TracebackException(type(error), error, error.__traceback__)
        while said.stack and said.stack[0].filename != self._file:
            said.stack.pop(0)  # ours
        self._outcome = Outcome(
            status="interrupted" if isinstance(error, KeyboardInterrupt) else "error",
            ename=type(error).__name__,
            evalue=bounded(_text_of(error)),
            traceback=bounded("".join(said.format())),
        )


class _Edge(contextlib.AbstractContextManager["_Edge"]):
    """Where everything that a cell raises becomes its outcome."""

    def __init__(self, end: Callable[[BaseException], None]) -> None:
        self._end = end

    def __exit__(self, _kind: object, error: BaseException | None, _trace: TracebackType | None) -> bool:
        if error is not None:
            self._end(error)
        return True


def bounded(text: str) -> str:
    """The beginning of a text that is too long, and how much is left out."""
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}\n… {len(text) - MOST_CHARACTERS:,} more characters are left out"


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except (TypeError, ValueError, AttributeError, ArithmeticError, LookupError, RuntimeError):
        return "its message cannot be shown"


class _Sink:
    """One stream of one cell: whole lines at once, an unfinished line when it is long or the cell ends."""

    def __init__(self, name: Stream, send: Send) -> None:
        self._name, self._send = name, send
        self._waiting, self._length, self._left_out = "", 0, 0

    def write(self, text: str) -> None:
        """Take text; send what is due."""
        taken = text[: max(0, MOST_CHARACTERS - self._length)]
        self._length += len(taken)
        self._left_out += len(text) - len(taken)
        self._waiting += taken
        if "\n" in taken or "\r" in taken or len(self._waiting) > _PIECE:
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        if self._waiting:
            waiting, self._waiting = self._waiting, ""
            self._send({"stream": self._name, "text": waiting})

    def close(self) -> None:
        """Send the rest, and how much was left out."""
        if self._left_out:
            self._waiting += f"\n… {self._left_out:,} more characters are left out\n"
        self.flush()


class StreamOfThread:
    """Stands in for `sys.stdout` or `sys.stderr`: a cell's thread writes to its cell, others as before."""

    def __init__(self, name: Stream, below: TextIO) -> None:
        self._name: Stream = name
        self._below = below

    def _sink(self) -> _Sink | None:
        sinks: dict[Stream, _Sink] | None = getattr(_HERE, "sinks", None)
        return sinks[self._name] if sinks is not None else None

    def write(self, text: str) -> int:
        """Write as a text stream does."""
        sink = self._sink()
        if sink is None:
            return self._below.write(text)
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - a cell passes anything
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        sink.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush as a text stream does."""
        sink = self._sink()
        (self._below if sink is None else sink).flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._below, name)


def route_streams() -> None:
    """Let what a cell prints go to its cell from now on; harmless twice."""
    if not isinstance(sys.stdout, StreamOfThread):
        sys.stdout, sys.stderr = StreamOfThread("stdout", sys.stdout), StreamOfThread("stderr", sys.stderr)  # pyright: ignore[reportAttributeAccessIssue]
