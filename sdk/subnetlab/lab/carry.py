"""Carry several paid steps through although the waiting cell is interrupted.

The steps run in a thread; the caller waits and answers their questions, so that a person is asked where they
type. An interrupt before the first payment answers no. After it, the steps go on to their end and the
interrupt is raised then; a second interrupt does not wait.
"""

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

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


class _Carried(Generic[T]):
    """The steps in their thread; to them it is who confirms a spend."""

    def __init__(self, steps: Callable[[Confirm], T], asked: Confirm) -> None:
        self._steps, self._asked = steps, asked
        self._questions: queue.SimpleQueue[_Question | None] = queue.SimpleQueue()
        self._interrupted, self._done = threading.Event(), threading.Event()
        self._results: list[T] = []
        self._errors: list[BaseException] = []

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return self._asked.interactive

    def ask(self, spend: Spend) -> bool:
        """Ask the thread that waits; no once that was interrupted."""
        question = _Question(spend)
        self._questions.put(question)
        while not question.answered.wait(_LOOK_S):
            if self._interrupted.is_set():
                return False
        return question.yes

    def run(self) -> None:
        """Take all steps; the target of the thread."""
        try:
            self._results.append(self._steps(self))
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            self._errors.append(error)
        finally:
            self._done.set()
            self._questions.put(None)  # the wait for a question is over

    def outcome(self) -> T:
        """Wait for the end, answering questions; raise what the steps raised, or the interrupt."""
        try:
            self._answer_until_done()
        except KeyboardInterrupt:
            self._interrupted.set()
            self._answer_until_done()
        error = self._errors[0] if self._errors else None
        if self._interrupted.is_set() and (error is None or isinstance(error, SubnetLabError)):
            raise KeyboardInterrupt(str(error or "")) from error
        if error is not None:
            raise error
        return self._results[0]

    def _answer_until_done(self) -> None:
        while not self._done.is_set():
            try:
                question = self._questions.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            if question is not None:
                question.answer(yes=not self._interrupted.is_set() and self._asked.ask(question.spend))


def carried_through(steps: Callable[[Confirm], T], asked: Confirm) -> T:
    """Run `steps` to their end in a thread and return what they return.

    Args:
        steps: given who confirms their spends.
        asked: who is asked, in the thread that calls this.

    Raises:
        KeyboardInterrupt: the caller was interrupted; the steps stopped before their first payment, or are
            done.
    """
    carried = _Carried(steps, asked)
    threading.Thread(target=carried.run, name="paid steps", daemon=True).start()
    return carried.outcome()
