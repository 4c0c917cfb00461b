"""How far a spend has come between a person's yes and its last block, told where it happens.

What signs asks `current_spend` what it signs. `sending` is called before the first byte leaves: an interrupt
before that has spent nothing, one after it may have. `reached` passes the stages on to the listeners of the
context. Context variables carry it, because the SDK signs and sends on a thread of its own.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from subnetlab.network.confirm import Spend

Stage = Literal["signed", "in a block"]


@dataclass(slots=True)
class Submission:
    """A spend on its way from the yes to the chain."""

    spend: Spend
    leaves: Callable[[], None]
    """Called once, right before it may have left."""
    sent: bool = False
    """Whether a node or a wallet may have it."""


_SUBMITTED: ContextVar[Submission | None] = ContextVar("subnetlab_spend", default=None)
_LISTENER: ContextVar[Callable[[Stage], None] | None] = ContextVar("subnetlab_progress", default=None)


@contextmanager
def submitting(spend: Spend, leaves: Callable[[], None] = lambda: None) -> Generator[Submission]:
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


def sending() -> None:
    """Note that what this context submits is about to leave; the first time counts."""
    submission = _SUBMITTED.get()
    if submission is not None and not submission.sent:
        submission.sent = True
        submission.leaves()


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
