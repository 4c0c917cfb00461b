"""Long work in turns: a function on a thread of its own that works only while its caller waits for it.

The two never run at once, so what they share needs no lock. The function says where it may be put off.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """One call of a function, carried on turn by turn.

    Args:
        work: the function; it calls `pause` of this object often.
        turn_s: how long a turn lasts, in seconds.
    """

    def __init__(self, work: Callable[[], T], turn_s: float) -> None:
        self._work, self._turn_s = work, turn_s
        self._until = 0.0
        self._turn, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name="turns", daemon=True)
        self._result: T | None = None
        self._error: BaseException | None = None
        self._ended = False

    def step(self, turn_s: float | None = None) -> bool:
        """Let the function work for a turn; whether it has ended."""
        if self._ended:
            return True
        self._until = time.monotonic() + (self._turn_s if turn_s is None else turn_s)
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._turn.release()
        self._back.acquire()
        return self._ended

    def result(self) -> T:
        """Let the function come to its end and return what it returns, or raise what it raises."""
        while not self.step(float("inf")):
            pass
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # pyright: ignore[reportReturnType] - it has ended

    def pause(self) -> None:
        """Wait for the next turn where this one is over; called by the function."""
        if time.monotonic() >= self._until:
            self._back.release()
            self._turn.acquire()

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            self._error = error
        self._ended = True
        self._back.release()
