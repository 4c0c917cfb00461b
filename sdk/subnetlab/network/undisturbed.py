"""Keep the books in one go: an interrupt waits for the end of a block, except where the block lets it in.

An interrupt is a signal of the main thread that may come between any two steps, so an amount could be set
aside and never be given back. Other threads are never interrupted; nothing is done there.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any


class Gate:
    """Let an interrupt in, inside `with gate:`, where money may be asked about or waited for."""

    def __init__(self, before: Callable[[int, FrameType | None], Any] | None) -> None:
        """Keep the handler that interrupts; None where none will."""
        self._before, self._open = before, False
        self._held: tuple[int, FrameType | None] | None = None

    def __enter__(self) -> None:
        """Raises KeyboardInterrupt where one has waited."""
        self._open = True
        self.let_in()

    def __exit__(self, *_: object) -> None:
        self._open = False

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal: at once where the gate is open, else keep it."""
        if not self._open:
            self._held = number, frame
            return
        self._open = False  # whatever it raises ends the block, which keeps its books undisturbed again
        if self._before is not None:
            self._before(number, frame)
        self._open = True

    def let_in(self) -> None:
        """Raise what was kept."""
        held, self._held = self._held, None
        if held is not None and self._before is not None:
            self._open = False
            self._before(*held)


class undisturbed:  # noqa: N801 - it is used as a word: `with undisturbed() as gate:`
    """Hold interrupts back for the length of a block; what came meanwhile is raised at its end."""

    def __init__(self) -> None:
        self._before: Any = None
        if threading.current_thread() is threading.main_thread():
            self._before = signal.getsignal(signal.SIGINT)
        self._gate = Gate(self._before if callable(self._before) else None)

    def __enter__(self) -> Gate:
        if callable(self._before):
            signal.signal(signal.SIGINT, self._gate.interrupt)
        return self._gate

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if callable(self._before):
            signal.signal(signal.SIGINT, self._before)
        if not isinstance(error, KeyboardInterrupt):
            self._gate.let_in()
