"""The life of a peer process: it reports over a pipe, says how it ended, and never outlives its supervisor.

What a peer does is `worker.role`'s; here is only how a process begins and ends. SIGTERM ends it in order; an
exception becomes its last words, with the traceback in the supervisor's log; the end of the supervisor ends
it at once, whatever it was doing.
"""

import contextlib
import os
import signal
import threading
import time
from multiprocessing.connection import Connection
from types import FrameType, TracebackType
from typing import Final

from subnetlab.fleet.messages import Farewell, Message, PeerStopped, Working, encode, farewell_after
from subnetlab.fleet.worker.watch import watch_supervisor
from subnetlab.record.events import Event, PeerReady, Stepped

_NICENESS: Final = 5
"""Peers leave the processor to the notebook, the node and the supervisor where these want it."""
_LOWEST: Final = 19


class Reporter:
    """Sends events to the supervisor; training steps in batches, everything else at once and in order.

    Args:
        pipe: the writing end.
        every_s: the most seconds a step's loss may wait for company.
    """

    def __init__(self, pipe: Connection, *, every_s: float = 0.1) -> None:
        self._pipe = pipe
        self._every_s = every_s
        self._waiting: list[Event] = []
        self._sent = time.monotonic()
        self._sending = threading.Lock()
        self.is_up = threading.Event()
        """Set once the peer has reported that it is ready."""

    def __call__(self, event: Event) -> None:
        """Report one event."""
        self._waiting.append(event)
        if not isinstance(event, Stepped) or time.monotonic() - self._sent >= self._every_s:
            self.flush()
        if isinstance(event, PeerReady):
            self.is_up.set()

    def flush(self) -> None:
        """Send what waits."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._send(waiting)
        self._sent = time.monotonic()

    def working(self, cpu_s: float) -> None:
        """Tell how much processor time was used so far; silence where the supervisor no longer listens."""
        with contextlib.suppress(OSError):
            self._send(Working(cpu_s=cpu_s))

    def farewell(self, farewell: Farewell) -> None:
        """Send what waits and the last words; silence where the supervisor no longer listens."""
        with contextlib.suppress(OSError):
            self.flush()
            self._send(farewell)
            self._pipe.close()

    def hang_up(self) -> None:
        """Close the pipe without a word."""
        self._pipe.close()

    def _send(self, message: Message) -> None:
        left = memoryview(encode(message) + b"\n")
        with self._sending:
            while left:
                left = left[os.write(self._pipe.fileno(), left) :]


class PeerLife:
    """A context manager around all that a peer process does.

    Example:
        with PeerLife(pipe) as report:
            report(PeerReady(uid=3, pid=os.getpid(), seconds=1.2))
    """

    def __init__(self, pipe: Connection) -> None:
        self._report = Reporter(pipe)

    def __enter__(self) -> Reporter:
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the person interrupts a cell, not the miners
        watch_supervisor(self._report.working, self._report.is_up)
        be_nice()
        return self._report

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the farewell is being sent
        self._report.is_up.set()
        self._report.farewell(farewell_after(error))
        return isinstance(error, PeerStopped)


def be_nice() -> None:
    """Leave the processor to what wants it more than a peer does."""
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)


def yield_processor() -> None:
    """Go on with what all other processes leave over: the rounds do not wait for this one."""
    with contextlib.suppress(OSError):
        os.nice(_LOWEST - _NICENESS)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise PeerStopped
