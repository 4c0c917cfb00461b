"""Work on the newest of what arrives, one thing at a time.

However many messages a page sends, there is at most one thread and one item waiting: an older wish that was
not begun yet is dropped, because a newer one replaces it.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """A queue of length one in front of one function."""

    def __init__(self, work: Callable[[T], None], *, name: str) -> None:
        """Call `work` for what arrives, on a daemon thread that lives only while there is something to do."""
        self._work, self._name = work, name
        self._lock = threading.Lock()
        self._waiting: list[T] = []
        self._busy = False

    def put(self, item: T) -> None:
        """Want this, and nothing that was wanted before and not begun."""
        with self._lock:
            self._waiting = [item]
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy = False
                    return
                item = self._waiting.pop()
            try:
                self._work(item)
            except BaseException:
                with self._lock:
                    self._busy = False  # the next wish gets a thread of its own
                raise
