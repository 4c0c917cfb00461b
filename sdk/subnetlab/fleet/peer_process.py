"""A peer as its supervisor sees it: a process, the pipe it reports through, and how it ended.

Reading never blocks, not even on a peer that was stopped in the middle of a word. Knows nothing of training.
"""

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.context import ForkServerContext
from typing import Any, Final, Literal

from subnetlab.errors import FleetStartFailed
from subnetlab.fleet.messages import Farewell, decode
from subnetlab.fleet.spec import PeerSeat
from subnetlab.record.events import Event

State = Literal["starting", "live", "finished", "gone"]
_EXIT_LIMIT_S: Final = 2.0
"""Between a peer's last words and the end of its process."""


class PeerProcess:
    """One started peer.

    Args:
        context: the running forkserver.
        seat: whom the process stands for.
        target: what it runs; called with `args` and then the writing end of its pipe and the time given.
        args: plain values.
        asked_at: `time.monotonic()` when the fleet was asked for.

    Raises:
        FleetStartFailed: the forkserver is gone.
    """

    def __init__(
        self,
        context: ForkServerContext,
        seat: PeerSeat,
        target: Callable[..., None],
        args: Sequence[Any],
        asked_at: float,
    ) -> None:
        self.seat = seat
        self.state: State = "starting"
        self.farewell: Farewell | None = None
        self._half = b""
        self._pipe, writing = context.Pipe(duplex=False)
        os.set_blocking(self._pipe.fileno(), False)
        self.process = context.Process(
            target=target, args=(*args, writing, asked_at), name=seat.name, daemon=True
        )
        try:
            self.process.start()
        except (EOFError, OSError) as error:
            raise FleetStartFailed(f"The {seat.name} could not be started: {error}.") from error
        finally:
            writing.close()

    def fileno(self) -> int:
        """The reading end of the pipe, for a selector."""
        return self._pipe.fileno()

    @property
    def running(self) -> bool:
        """Whether its pipe is still open."""
        return self.state in ("starting", "live")

    def read(self) -> list[Event]:
        """All events that have arrived; at the end of the pipe the state says how the peer ended."""
        data = bytearray(self._half)
        ended = False
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.fileno(), 1 << 16):
                data += piece
            ended = True
        *lines, self._half = bytes(data).split(b"\n")
        events: list[Event] = []
        for line in lines:
            message = decode(line)
            if isinstance(message, Farewell):
                self.farewell = message
            else:
                events += message
        if ended:
            self._end()
        return events

    def kill(self) -> list[Event]:
        """End the process at once; the events that still arrived."""
        self.process.kill()
        self.process.join(_EXIT_LIMIT_S)
        events = self.read()
        if self.running:
            self._end()
        return events

    def _end(self) -> None:
        self._pipe.close()
        self.process.join(_EXIT_LIMIT_S)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join(_EXIT_LIMIT_S)
        finished = self.farewell is not None and self.farewell.outcome == "finished"
        self.state = "finished" if finished else "gone"

    @property
    def cut_off(self) -> bool:
        """Whether it is gone through no fault of its own: killed, or left by chain, store or disk."""
        said = self.farewell
        return self.state == "gone" and (said is None or said.outcome == "cut_off")

    def reason(self) -> str:
        """Why the peer is gone, as one sentence."""
        if self.farewell is not None and self.farewell.reason:
            return self.farewell.reason
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"Its process was killed by {signal.Signals(-code).name}."
        return f"Its process ended without a word, with status {code}."


def end_all(peers: Sequence[PeerProcess], grace_s: float) -> list[Event]:
    """Tell every running peer to stop, let it finish its words, then kill who is left.

    Returns:
        The events that still arrived.
    """
    events: list[Event] = []
    deadline = time.monotonic() + grace_s
    with selectors.DefaultSelector() as waiting:
        for peer in peers:
            if peer.running:
                peer.process.terminate()
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
