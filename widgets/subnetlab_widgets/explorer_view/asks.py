"""A queue of what pages ask: one question is answered at a time, and of each page only its newest waits."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

MOST_PAGES: Final = 16
"""Pages whose questions wait; of more, the one that waits longest is dropped."""


class Asks:
    """A queue of one question per page in front of one function.

    Args:
        answer: called with a question, on a daemon thread that lives only while there is something to do.
    """

    def __init__(self, answer: Callable[[dict[str, Any]], None]) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._busy = False

    def put(self, page: str, question: dict[str, Any]) -> None:
        """Ask this for a page, in place of what it asked before and was not begun."""
        with self._lock:
            self._waiting[page] = question
            while len(self._waiting) > MOST_PAGES:
                self._waiting.popitem(last=False)
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._run, name="subnetlab-explorer", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy = False
                    return
                _, question = self._waiting.popitem(last=False)
            try:
                self._answer(question)
            except BaseException:
                with self._lock:
                    self._busy = False  # the next question gets a thread of its own
                raise
