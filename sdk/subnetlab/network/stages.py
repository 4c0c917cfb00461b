"""How far a spend has come between a person's yes and its last block, told where it happens.

What signs asks `current_spend` what it signs. `sending` is called before the first byte leaves: an interrupt
before that has spent nothing, one after it may have. `reached` passes the stages on to the listeners of the
context. Context variables carry it, because the SDK signs and sends on a thread of its own.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

from subnetlab.errors import NotConfirmed
from subnetlab.network.confirm import Spend
from subnetlab.network.undisturbed import undisturbed

Stage = Literal["signed", "in a block"]


@dataclass(slots=True)
class Submission:
    """A spend on its way from the yes to the chain."""

    spend: Spend
    leaves: Callable[["Submission"], None]
    """Called right before it may have left, and again where it leaves under another hash."""
    tx: str = ""
    """Its hash, `0x…`; empty where that is not known."""
    since: int = 0
    """Height of the chain right before; 0 where that was not asked."""
    _fate: dict[str, str] = field(default_factory=dict[str, str])
    _told: bool = False

    @property
    def sent(self) -> bool:
        """Whether a node or a wallet may have it."""
        return self._fate.get("is") == "sent"

    def give_up(self) -> bool:
        """See to it that it does not leave any more; whether that was in time."""
        return self._fate.setdefault("is", "given up") == "given up"

    def leave(self, tx: str, since: int) -> None:
        """Note that it is about to leave.

        Raises:
            NotConfirmed: it was given up.
        """
        before = self._fate.setdefault("is", "sent")  # one step: the first to come decides
        if before != "sent":
            raise NotConfirmed(
                "It was interrupted before it was sent; nothing was spent.",
                hint="Run it again, if it was meant.",
            )
        if not self._told or tx not in ("", self.tx):
            self._told, self.tx, self.since = True, tx, since
            self.leaves(self)


_SUBMITTED: ContextVar[Submission | None] = ContextVar("subnetlab_spend", default=None)
_LISTENER: ContextVar[Callable[[Stage], None] | None] = ContextVar("subnetlab_progress", default=None)


@contextmanager
def submitting(spend: Spend, leaves: Callable[[Submission], None] = lambda _: None) -> Generator[Submission]:
    """Sign and send inside the block; `leaves` is told right before it may have left."""
    submission = Submission(spend, leaves)
    before = _SUBMITTED.set(submission)
    try:
        yield submission
    finally:
        _SUBMITTED.reset(before)


def current_spend() -> Spend | None:
    """What is being signed in this context, for a signer that shows it to a person."""
    submission = _SUBMITTED.get()
    return None if submission is None else submission.spend


def leaves_first() -> bool:
    """Whether this context submits a spend that has not left before."""
    submission = _SUBMITTED.get()
    return submission is not None and not submission.sent


def sending(tx: str = "", since: int = 0) -> None:
    """Note that what this context submits is about to leave.

    Args:
        tx: its hash, `0x…`, where it is known.
        since: height of the chain before it, below which it cannot be.

    Raises:
        NotConfirmed: it was interrupted before, so it must not leave.
    """
    submission = _SUBMITTED.get()
    if submission is not None:
        with undisturbed():  # what has left is in the ledger
            submission.leave(tx, since)


@contextmanager
def listening(tell: Callable[[Stage], None]) -> Generator[None]:
    """Be told about what is submitted inside the block, on any thread; a listener around it is told first."""
    outer = _LISTENER.get()

    def both(stage: Stage) -> None:
        if outer is not None:
            outer(stage)
        tell(stage)

    before = _LISTENER.set(both)
    try:
        yield
    finally:
        _LISTENER.reset(before)


def listener() -> Callable[[Stage], None] | None:
    """Who is told in this context, for what tells it later and elsewhere."""
    return _LISTENER.get()


def reached(stage: Stage) -> None:
    """Tell that what this context submits has come so far."""
    tell = _LISTENER.get()
    if tell is not None:
        tell(stage)
