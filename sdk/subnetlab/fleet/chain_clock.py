"""The chain's clock as a supervisor holds it: sealed by hand on a development chain, only watched elsewhere.

A development chain's sealing is set to manual while a run lasts, so that no block comes before the peers are
ready for it, and is set back to what it was afterwards. One run at a time holds `pacer_lock.PacerLock`.
"""

import contextlib
import os
import threading
import time
from typing import Literal, Protocol, TypeAlias, cast

from subnetlab.errors import DevnetOnly, NodeUnreachable
from subnetlab.fleet.pacer_lock import PacerLock
from subnetlab.network.chain import Block, Chain
from subnetlab.network.dev import DevControls

SealingMode: TypeAlias = Literal["instant", "manual"] | float
"""As `DevControls.set_sealing` takes it; a number is the seconds between blocks."""


class ChainClock(Protocol):
    """Where a supervisor's blocks come from."""

    def start(self) -> Block:
        """Take the clock and return the head.

        Raises:
            NodeUnreachable: the node does not answer.
        """
        ...

    def seal(self) -> Block:
        """Seal the next block, on a chain whose blocks do not come by themselves.

        Raises:
            NodeUnreachable: the node does not answer.
            DevnetOnly: this chain's blocks come by themselves.
        """
        ...

    def arrived(self) -> list[Block]:
        """Blocks that came by themselves since the last call, lowest first."""
        ...

    def fileno(self) -> int | None:
        """What becomes readable when a block came by itself; None where none does."""
        ...

    def stop(self, *, paused: bool = False) -> None:
        """Give the clock back as it was found; `paused` leaves time to who goes on with the run."""
        ...


class SealedClock:
    """A development chain whose blocks this supervisor seals.

    Args:
        endpoint: of the node.
        before: the sealing to return to; None takes what the node does now.
        lock: the right to seal this chain, as it was handed over; taken by `start` unless given.
        run: the run's name, for those who are refused meanwhile.
        answer_limit_s: after which a node that is frozen counts as gone.
    """

    def __init__(
        self,
        endpoint: str,
        before: SealingMode | None = None,
        *,
        lock: PacerLock | None = None,
        run: str = "a run",
        answer_limit_s: float = 30.0,
    ) -> None:
        self._controls = DevControls(endpoint, timeout_s=answer_limit_s)
        self.before: SealingMode | None = before
        self._lock, self._run = lock or PacerLock(endpoint), run

    def start(self) -> Block:
        """Stop the chain's own clock and return the head.

        Raises:
            ChainPaced: another run on this machine holds the clock.
            NodeUnreachable: the node does not answer.
        """
        self._lock.take(run=self._run)
        if self.before is None:
            self.before = as_mode(self._controls.info()["sealing"])
        self._controls.set_sealing("manual")
        head = self._controls.info()["head"]
        return Block(number=int(head["number"]), hash=str(head["hash"]))

    def seal(self) -> Block:
        """Seal one block, with whatever is in the pool."""
        return self._controls.seal()

    def arrived(self) -> list[Block]:
        """Nothing comes by itself."""
        return []

    def fileno(self) -> int | None:
        """Nothing to wait on."""
        return None

    def stop(self, *, paused: bool = False) -> None:
        """Let the chain's own clock run again, if this one holds it; a node that is gone needs nothing.

        A paused run must not miss rounds: until it goes on, blocks come only for what somebody submits.
        """
        if not self._lock.held:
            return
        if self.before is not None:
            with contextlib.suppress(NodeUnreachable):
                self._controls.set_sealing("instant" if paused else self.before)
        self._lock.release()


class WatchedClock:
    """Any other chain: blocks come by themselves and are told as they come.

    Args:
        chain: any peer's view; only its blocks are looked at.
        timeout_s: longest time without a block before the chain counts as gone.
    """

    def __init__(self, chain: Chain, timeout_s: float = 300.0) -> None:
        self._chain = chain
        self._timeout_s = timeout_s
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._blocks: list[Block | NodeUnreachable] = []
        self._stopping = False

    def start(self) -> Block:
        """The head; watching begins above it."""
        head = self._chain.wait_for(0, self._timeout_s)
        threading.Thread(target=self._watch, args=(head.number + 1,), name="blocks", daemon=True).start()
        return head

    def _watch(self, number: int) -> None:
        while not self._stopping:
            try:
                block: Block | NodeUnreachable = self._chain.wait_for(number, self._timeout_s)
            except NodeUnreachable as error:
                block = error
            self._blocks.append(block)
            with contextlib.suppress(OSError):
                os.write(self._writing, b".")
            if isinstance(block, NodeUnreachable):
                return
            number = block.number + 1

    def seal(self) -> Block:
        """Refused: the blocks of a public chain are sealed by its validators."""
        raise DevnetOnly("The blocks of this chain come by themselves.")

    def arrived(self) -> list[Block]:
        """What came since the last call.

        Raises:
            NodeUnreachable: no block came within the limit.
        """
        with contextlib.suppress(BlockingIOError):
            os.read(self._reading, 4096)
        blocks: list[Block] = []
        while self._blocks:
            block = self._blocks.pop(0)
            if isinstance(block, NodeUnreachable):
                raise block
            blocks.append(block)
        return blocks

    def fileno(self) -> int:
        """Readable when a block came."""
        return self._reading

    def stop(self, *, paused: bool = False) -> None:  # noqa: ARG002  (time is not ours to hold)
        """Stop watching; the thread ends with its process or with the next block."""
        self._stopping = True


def as_mode(described: object) -> SealingMode | None:
    """The mode as `DevControls.set_sealing` takes it, of what `dev_info` or a file says; None for nothing."""
    if isinstance(described, dict):
        return float(cast("dict[str, float]", described)["interval"])
    if described is None or isinstance(described, float | int):
        return described
    return "instant" if described == "instant" else "manual"


class Patience:
    """How long a node may be silent before a run gives it up: it may be restarting on the same port.

    Args:
        limit_s: seconds from the first failure to the last attempt.
        every_s: seconds between attempts.
    """

    def __init__(self, limit_s: float, every_s: float = 0.25) -> None:
        self._limit_s, self._every_s = limit_s, every_s
        self._since: float | None = None
        self.next_at = 0.0

    def failed(self, error: NodeUnreachable, asked_at: float | None = None) -> None:
        """Note a failure of what was asked at `asked_at` (`time.monotonic()`; just now unless given).

        Raises:
            NodeUnreachable: this one came after the limit.
        """
        now = time.monotonic()
        if self._since is None:
            self._since = now if asked_at is None else asked_at
        if now - self._since > self._limit_s:
            raise error
        self.next_at = now + self._every_s

    def worked(self) -> None:
        """The node answers again."""
        self._since, self.next_at = None, 0.0
