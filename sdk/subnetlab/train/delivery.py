"""The way of a payload through its round: stored, committed, and opened after the deadline.

Where a strategy fixes its payload before its last steps, all of this happens while they are taken, and the
round is followed meanwhile; after them a miner waits only for what is left. None of it touches the model that
is being trained.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

from subnetlab.train.payload.seal import Sealed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RoundWork:
    """A round's payload and loss, and the seconds that they cost."""

    payload: bytes
    loss: float
    compute_s: float
    compress_s: float


@dataclass(slots=True)
class Delivery:
    """One payload on its way; its times are those of `time.perf_counter`."""

    sealed: Sealed
    worked: RoundWork
    began: float
    stored: float = 0.0
    submitted: float = 0.0
    included: float = 0.0
    """When the block of the deadline was there."""

    def waits(self, trained: float) -> dict[str, float]:
        """What a miner waited for after its last step, which was done at `trained`, as fields of `Mined`."""
        began = max(self.began, trained)
        stored, submitted, included = (max(began, at) for at in (self.stored, self.submitted, self.included))
        return {
            "store_s": stored - began, "chain_s": submitted - stored, "wait_s": included - submitted
        }  # fmt: skip


def beside(call: Callable[[], T], name: str) -> "Future[T]":
    """Make a call in a thread that keeps no process alive; the future holds its result, or what it raised."""
    made: Future[T] = Future()

    def raised(_kind: object, error: BaseException | None, _trace: object) -> bool:
        if error is not None:
            made.set_exception(error)
        return True

    def run() -> None:
        with ExitStack() as stack:
            stack.push(raised)
            made.set_result(call())

    threading.Thread(target=run, name=name, daemon=True).start()
    return made
