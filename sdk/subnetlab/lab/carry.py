"""Carry several paid steps through although the waiting cell is interrupted.

The steps run in a thread; the caller waits and answers their questions, so that a person is asked where they
type. An interrupt before the first payment answers no. After it, the steps go on to their end and the
interrupt is raised then; a second interrupt does not wait.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from subnetlab.errors import SubnetLabError
from subnetlab.network.confirm import Confirm, Spend

T = TypeVar("T")
_LOOK_S = 0.1


class _Question:
    """A spend that waits for its answer."""

    def __init__(self, spend: Spend) -> None:
        self.spend, self.yes, self.answered = spend, False, threading.Event()

    def answer(self, *, yes: bool) -> None:
        self.yes = yes
        self.answered.set()


class _Asker:
    """Passes the questions of the steps to the thread that waits for them."""

    def __init__(self, asked: Confirm) -> None:
        self._asked = asked
        self._questions: queue.SimpleQueue[_Question | None] = queue.SimpleQueue()
        self.interrupted = threading.Event()

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return self._asked.interactive

    def ask(self, spend: Spend) -> bool:
        """Ask the thread that waits; no once that was interrupted."""
        question = _Question(spend)
        self._questions.put(question)
        while not question.answered.wait(_LOOK_S):
            if self.interrupted.is_set():
                return False
        return question.yes

    def answer_until(self, done: "Future[T]") -> None:
        """Answer questions until the steps are done; an interrupt ends this at once."""
        while not done.done():
            try:
                question = self._questions.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            if question is not None:
                question.answer(yes=not self.interrupted.is_set() and self._asked.ask(question.spend))

    def wake(self, _: object) -> None:
        """End the wait for a question: there will be none."""
        self._questions.put(None)


def carried_through(steps: Callable[[Confirm], T], asked: Confirm) -> T:
    """Run `steps` to their end in a thread and return what they return.

    Args:
        steps: given who confirms their spends.
        asked: who is asked, in the thread that calls this.

    Raises:
        KeyboardInterrupt: the caller was interrupted; the steps stopped before their first payment, or are
            done.
    """
    asker = _Asker(asked)
    thread = ThreadPoolExecutor(1, thread_name_prefix="paid steps")
    done = thread.submit(steps, asker)
    done.add_done_callback(asker.wake)
    thread.shutdown(wait=False)
    try:
        asker.answer_until(done)
    except KeyboardInterrupt:
        asker.interrupted.set()
        asker.answer_until(done)
    error = done.exception()
    if asker.interrupted.is_set() and (error is None or isinstance(error, SubnetLabError)):
        raise KeyboardInterrupt(str(error or "")) from error
    return done.result()
