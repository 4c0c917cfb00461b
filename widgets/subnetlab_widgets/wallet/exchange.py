"""Questions from the kernel to whichever page holds the wallet: one at a time, each answered at most once.

Every open page hears a question. A page that has the wallet claims it, and the first claim is granted: only
that page asks the person, however many are open. The id of a question is used once, and only the granted
page may answer it, so an answer that a page repeats, or saved from before, changes nothing. A page that was
reloaded in the middle loses its grant: what only signs is asked again; what the wallet sends by itself is
not, because it may be on its way already.
"""

import contextlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Any

from subnetlab.errors import NodeUnreachable, WalletRefused, WalletSilent
from subnetlab.network.stages import sending
from subnetlab.text import REASON, plain

ANSWER_WITHIN_S = 240.0
"""How long a person may take; shorter than the wait for a block, so that this ends first."""
SILENT_AFTER_S = 6.0
"""A granted page says every second that it still holds the question; one that is silent so long is gone."""
REJECTED = 4001
"""EIP-1193: the person refused."""


@dataclass(slots=True, kw_only=True)
class Question:
    """One question, from being put to being over."""

    method: str
    params: dict[str, Any]
    sends: bool
    """Whether the wallet itself sends what it signs, so that asking twice could send twice."""
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    holder: str = ""
    """The page it was granted to; empty before."""
    held_at: float = 0.0
    answer: "Future[Any]" = field(default_factory=Future[Any])

    @property
    def asked(self) -> dict[str, Any]:
        """As a page hears it."""
        return {"k": "ask", "id": self.id, "method": self.method, "params": self.params}


class Exchange:
    """The questions of one widget.

    Args:
        send: sends a message to every page; called from any thread.
        changed: called with the method that is being asked, or "" when there is none.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        send: Callable[[dict[str, Any]], None],
        changed: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send, self._changed, self._clock = send, changed, clock
        self._lock = threading.RLock()
        self._queue: deque[Question] = deque()

    def put(self, method: str, params: dict[str, Any], *, sends: bool = False) -> Question:
        """Ask the pages, after what is being asked already; `question.answer` is the future answer."""
        question = Question(method=method, params=params, sends=sends)
        with self._lock:
            self._queue.append(question)
            if len(self._queue) == 1:
                self._begin()
        return question

    def ask(
        self, method: str, params: dict[str, Any], *, sends: bool = False, within_s: float = ANSWER_WITHIN_S,
        begun: Callable[[Callable[[], None]], None] | None = None,
    ) -> Any:  # fmt: skip
        """Ask the pages and wait, in any thread but the one that hears them.

        `begun` is told, as soon as pages are asked, how to take the question back from another thread.

        Raises:
            WalletRefused: the person or the wallet said no; nothing was signed.
            WalletSilent: no page with this wallet answered in time.
            NodeUnreachable: the wallet was asked to send it, and whether it did is not known.
        """
        question = self.put(method, params, sends=sends)
        if begun is not None:
            begun(lambda: self.take_back(question))
        try:
            return question.answer.result(within_s)
        except TimeoutError:
            raise self.given_up(question) from None
        except BaseException:  # its own answer was an error, or the cell that waits was interrupted
            self.forget(question)
            if question.sends and question.holder:
                sending()  # the wallet has it, and may send it still
            raise

    def given_up(self, question: Question) -> Exception:
        """Stop waiting for a question; what to say of it."""
        asked = bool(question.holder)
        self.forget(question)
        if question.sends and asked:
            return _unknown()
        if asked:
            return WalletSilent("The wallet in the page gave no answer in time; nothing was signed.")
        return WalletSilent("No open page with this wallet answered; nothing was signed.")

    def forget(self, question: Question) -> None:
        """Take a question back; an answer that comes later is ignored."""
        self._over(question)

    def take_back(self, question: Question) -> None:
        """Forget a question, and tell the thread that waits for it."""
        self.forget(question)
        asked = question.sends and bool(question.holder)
        _end(question, error=_unknown() if asked else WalletSilent("The question was taken back."))

    def hear(self, content: dict[str, Any]) -> None:
        """Take what a page says about a question; anything malformed, late or repeated is dropped."""
        kind, page = content.get("k"), content.get("page")
        with self._lock:
            question = self._queue[0] if self._queue else None
            if question is None:
                return
            if kind == "hello":  # a page that has just been opened; the others know this id
                self._send(question.asked)
            elif not isinstance(page, str) or not page:
                return
            elif kind == "bye" and page == question.holder:
                self._lose(question)
            elif content.get("id") == question.id:
                self._about(question, str(kind), page, content)

    def _about(self, question: Question, kind: str, page: str, content: dict[str, Any]) -> None:
        if kind == "claim":
            gone = self._clock() - question.held_at > SILENT_AFTER_S
            if question.holder and question.holder != page and gone and not self._lose(question):
                return
            if question.holder in ("", page):
                question.holder, question.held_at = page, self._clock()
            self._send({"k": "go", "id": question.id, "page": question.holder})
        elif page == question.holder and kind == "holding":
            question.held_at = self._clock()
        elif page == question.holder and kind == "answer":
            self._over(question)
            _settle(question, content)

    def _lose(self, question: Question) -> bool:
        """The granted page is gone; whether the question may be granted to another one."""
        question.holder = ""
        if not question.sends:
            self._send(question.asked)
            return True
        self._over(question)
        _end(question, error=_unknown())
        return False

    def _begin(self) -> None:
        question = self._queue[0]
        self._changed(question.method)
        self._send(question.asked)

    def _over(self, question: Question) -> None:
        with self._lock:
            if question not in self._queue:
                return
            first = self._queue[0] is question
            self._queue.remove(question)
            self._send({"k": "over", "id": question.id})
            if first and self._queue:
                self._begin()
            elif not self._queue:
                self._changed("")


def _settle(question: Question, content: dict[str, Any]) -> None:
    error = content.get("error")
    if not isinstance(error, dict):
        _end(question, result=content.get("result"))
        return
    words = plain(str(error.get("message") or "it gave no reason"), REASON).rstrip(".")
    if error.get("code") == REJECTED:
        _end(
            question,
            error=WalletRefused(
                f"Refused in the page: {words}. Nothing was signed.",
                hint="Run it again and say yes in the wallet's window, if it was meant.",
            ),
        )
    elif question.sends and error.get("asked"):
        _end(question, error=_unknown(words))
    else:
        _end(
            question,
            error=WalletRefused(
                f"The wallet did not do it: {words}.",
                hint="Look at the wallet's window: it may be locked, or show another account or network.",
            ),
        )


def _end(question: Question, *, result: Any = None, error: Exception | None = None) -> None:
    with contextlib.suppress(InvalidStateError):  # who asked has stopped waiting in this moment
        if error is not None:
            question.answer.set_exception(error)
        else:
            question.answer.set_result(result)


def _unknown(words: str = "its page was closed or gave no answer") -> NodeUnreachable:
    return NodeUnreachable(
        f"The wallet in the page was asked to send it, and whether it did is not known: {words}.",
        hint="Look at the wallet's own list and at the balance before trying again.",
    )
