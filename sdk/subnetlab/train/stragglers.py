"""Reading what several miners put into places of their own, without waiting for the slowest of them.

All are read side by side. A place that answers drop by drop could hold a round up for as long as the largest
payload takes at the slowest speed that is read at all; so reads that are under way when a block of the round
has come are ended, once at least as many have arrived whole and the others had several times as long as the
middle one of these took. Half of the places or more that drip are waited for as long as each is read.
Who has delivered is decided by no clock: it is what the round's record names, which peers follow.
"""

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Generic, TypeVar

from subnetlab.network.chain import Chain
from subnetlab.store.patience import Cancellation
from subnetlab.train.manifest import RoundHeights

S = TypeVar("S")
T = TypeVar("T")

_SIDE_BY_SIDE: Final = 256
"""Miners read at a time: as many as a subnet has uids, so that the slow ones keep no place from others."""
_AT_LEAST_S: Final = 3.0
"""No place is given up sooner: a block may come at any moment after the first read began."""
_TIMES: Final = 3.0
"""How many times as long as the middle one of those that arrived the others are given at least."""
_LOOK_S: Final = 0.5
"""Between looks at the chain, once only stragglers are awaited."""


@dataclass(frozen=True, slots=True)
class Until:
    """The block from which on stragglers are waited for no longer."""

    chain: Chain
    height: int

    @classmethod
    def judged(cls, chain: Chain, heights: RoundHeights) -> "Until":
        """For a validator: half of the blocks between beacon and close, the rest is for its work."""
        return cls(chain, heights.beacon + max(1, (heights.close - heights.beacon) // 2))

    @classmethod
    def followed(cls, chain: Chain, heights: RoundHeights) -> "Until":
        """For a peer that follows a round without its aggregate: half of the blocks up to the next one."""
        return cls(chain, heights.close + max(1, (heights.next_open - heights.close) // 2))

    def is_over(self) -> bool:
        """Whether that block has come.

        Raises:
            NodeUnreachable: the node does not answer.
        """
        return self.chain.wait_for(0, 0.0).number >= self.height


@dataclass(slots=True)
class Reads(Generic[T]):
    """Reads that go on side by side."""

    until: Until | None
    arrived: Callable[[T], bool]
    """Whether a read brought something whole."""
    cancellation: Cancellation = field(default_factory=Cancellation)
    began: float = field(default_factory=time.monotonic)
    took_s: list[float] = field(default_factory=list[float])
    """Seconds until each of those that arrived was there, the quickest first."""

    def made(self, read: Callable[[], T]) -> T:
        """Make one of the reads, in its thread."""
        with self.cancellation.governing():
            return read()

    def finish(self, futures: "Sequence[Future[T]]") -> None:
        """Wait until all are done, or those that are not count as stragglers."""
        pending = set(futures)
        while pending:
            done, pending = wait(pending, self._until_next_look(len(pending)), FIRST_COMPLETED)
            took = time.monotonic() - self.began
            failed = [one for one in done if one.exception() is not None]
            self.took_s += [took for one in done if one not in failed and self.arrived(one.result())]
            if failed or (self.may_end(len(pending)) and self.until is not None and self.until.is_over()):
                return

    def may_end(self, pending: int) -> bool:
        """Whether so many others count as stragglers, once the block has come."""
        return pending > 0 and time.monotonic() - self.began >= self._least_s(pending)

    def _least_s(self, pending: int) -> float:
        """Seconds that so many others are given at least."""
        if len(self.took_s) < pending:
            return math.inf
        return max(_AT_LEAST_S, _TIMES * self.took_s[len(self.took_s) // 2])

    def _until_next_look(self, pending: int) -> float | None:
        if self.until is None or self._least_s(pending) == math.inf:
            return None
        return max(self._least_s(pending) - (time.monotonic() - self.began), _LOOK_S)


def read_all(
    read: Callable[[S], T], those: Sequence[S], until: Until | None, *, arrived: Callable[[T], bool]
) -> list[T | None]:
    """What is read of each; None of a straggler.

    Args:
        read: reads of one; what it raises ends all reads.
        those: of whom.
        until: when stragglers are waited for no longer; None: as long as each place is read.
        arrived: whether what was read is something whole.
    """
    reads = Reads[T](until, arrived)
    threads = ThreadPoolExecutor(min(_SIDE_BY_SIDE, max(1, len(those))), "fetch")
    try:
        futures = [threads.submit(reads.made, partial(read, one)) for one in those]
        reads.finish(futures)
        return [future.result() if future.done() else None for future in futures]
    finally:
        reads.cancellation.cancel()
        threads.shutdown(wait=False, cancel_futures=True)
