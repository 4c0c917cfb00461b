"""A peer as its supervisor sees it: what it said, where it is, and how it ended.

Reading never blocks, not even on a peer that was stopped in the middle of a word. Knows nothing of training,
nor of where the peer runs: that is its `launcher.PeerHandle`'s.
"""

import contextlib
import logging
import os
import selectors
import socket
import time
from collections.abc import Sequence

from subnetlab.fleet.launcher import PeerHandle
from subnetlab.fleet.messages import Farewell, Working, decode
from subnetlab.fleet.spec import PeerSeat
from subnetlab.fleet.work_limit import WorkLimit
from subnetlab.record.events import Event, PeerReady, PeerStatus, RunStatus

log = logging.getLogger(__name__)


class SupervisedPeer:
    """One started peer.

    Args:
        seat: uid, hotkey and role of the peer.
        handle: what its launcher returned.
        start_limit_s: how long the peer may take to come up, as `WorkLimit` counts.
    """

    def __init__(self, seat: PeerSeat, handle: PeerHandle, start_limit_s: float) -> None:
        self.seat, self._handle = seat, handle
        self.status = PeerStatus.STARTING
        self.farewell: Farewell | None = None
        self.ended_at = float("inf")
        """`time.monotonic()` when its pipe came to an end."""
        self.start_limit = WorkLimit(start_limit_s, time.monotonic())
        self._half = b""
        self._killed_because = ""
        self._left_no_words = ""
        self._may_return = True

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._handle.pid

    def fileno(self) -> int:
        """The reading end of the pipe, for a selector."""
        return self._handle.fileno()

    @property
    def running(self) -> bool:
        """Whether its pipe is still open."""
        return self.status in (PeerStatus.STARTING, PeerStatus.LIVE)

    def read(self) -> list[Event]:
        """All events that have arrived; at the end of the pipe the status says how the peer ended."""
        data = bytearray(self._half)
        ended = False
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.fileno(), 1 << 16):
                data += piece
            ended = True
        *lines, self._half = bytes(data).split(b"\n")
        events: list[Event] = []
        for line in lines:
            events += self._told(line)
        if ended:
            self._release()
        return events

    def _told(self, line: bytes) -> list[Event]:
        try:
            message = decode(line)
        except ValueError:  # cut off in the middle of a word
            log.warning("The %s said what cannot be read.", self.seat.name)
            return []
        if isinstance(message, Farewell):
            self.farewell = message
        elif isinstance(message, Working):
            self.start_limit.worked(message.cpu_s, time.monotonic())
        else:
            if any(isinstance(event, PeerReady) for event in message):
                self.status = PeerStatus.LIVE
            return message
        return []

    def pause(self) -> None:
        """Stop the process until `go_on`.

        Raises:
            FleetError: it cannot be stopped here.
        """
        self._handle.pause()

    def go_on(self) -> None:
        """Let a paused process go on."""
        self._handle.go_on()

    def pass_on(self, caller: socket.socket) -> None:
        """Hand a connection of the run's owner over.

        Raises:
            FleetError: the peer takes none.
        """
        self._handle.pass_on(caller)

    def terminate(self) -> None:
        """Ask the peer to end in order."""
        self._handle.terminate()

    def kill(self, reason: str = "", *, for_good: bool = False) -> list[Event]:
        """End the process at once; the events that still arrived.

        Args:
            reason: why, for people.
            for_good: whether starting the peer again would change nothing.
        """
        self._killed_because, self._may_return = reason, not for_good
        self._handle.kill()
        events = self.read()
        if self.running:
            self._release()
        return events

    def _release(self) -> None:
        self._left_no_words, self.ended_at = self._handle.close(), time.monotonic()
        finished = self.farewell is not None and self.farewell.outcome is RunStatus.FINISHED
        self.status = PeerStatus.ENDED if finished else PeerStatus.GONE

    @property
    def interrupted(self) -> bool:
        """Whether it is gone through no fault of its own: killed, or left by chain, store or disk."""
        said = self.farewell
        ended = said is None or said.outcome is RunStatus.INTERRUPTED
        return self.status is PeerStatus.GONE and self._may_return and ended

    @property
    def lost(self) -> bool:
        """Whether its process ended without a word, and not at its supervisor's hand."""
        return self.status is PeerStatus.GONE and self.farewell is None and not self._killed_because

    @property
    def failed_as(self) -> RunStatus:
        """The status of a run that this peer's end has ended."""
        diverged = self.farewell is not None and self.farewell.outcome is RunStatus.DIVERGED
        return RunStatus.DIVERGED if diverged else RunStatus.FAILED

    def reason(self) -> str:
        """Why the peer is gone, as one sentence."""
        said = self.farewell.reason if self.farewell is not None else ""
        return self._killed_because or said or self._left_no_words


def end_all(peers: Sequence[SupervisedPeer], grace_s: float) -> list[Event]:
    """Tell every running peer to stop, let it finish its words, then kill who is left.

    Returns:
        The events that still arrived.
    """
    events: list[Event] = []
    deadline = time.monotonic() + grace_s
    with selectors.DefaultSelector() as waiting:
        for peer in peers:
            if peer.running:
                peer.terminate()
                waiting.register(peer.fileno(), selectors.EVENT_READ, peer)
        while waiting.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                events += key.data.read()
                if not key.data.running:
                    waiting.unregister(key.fd)
    for peer in peers:
        if peer.running:
            events += peer.kill()
    return events
