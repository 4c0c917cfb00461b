"""The life of a peer process: it reports over a pipe, says how it ended, and never outlives its supervisor.

What a peer does is `fleet.role`'s; here is only how a process begins and ends. SIGTERM ends it in order; an
exception becomes its last words, with the traceback in the supervisor's log; the end of the supervisor ends
it at once, whatever it was doing.
"""

import contextlib
import errno
import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final

from subnetlab.errors import NodeUnreachable, StoreUnreachable, SubnetLabError
from subnetlab.fleet.messages import Farewell, Message, encode
from subnetlab.record.events import Event, PeerReady, Stepped

_NICENESS: Final = 5
"""Peers leave the processor to the notebook, the node and the supervisor where these want it."""
_ORPHANED: Final = 3
"""Exit status of a peer whose supervisor is gone."""


class PeerStopped(BaseException):
    """SIGTERM arrived; not an `Exception`, so that nothing on the way up mistakes it for a failure."""


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

    def __call__(self, event: Event) -> None:
        """Report one event."""
        self._waiting.append(event)
        if not isinstance(event, Stepped) or time.monotonic() - self._sent >= self._every_s:
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._send(waiting)
        self._sent = time.monotonic()

    def farewell(self, farewell: Farewell) -> None:
        """Send what waits and the last words; silence where the supervisor no longer listens."""
        with contextlib.suppress(OSError):
            self.flush()
            self._send(farewell)
            self._pipe.close()

    def _send(self, message: Message) -> None:
        left = memoryview(encode(message) + b"\n")
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
        threading.Thread(target=_die_with_supervisor, name="supervisor watch", daemon=True).start()
        with contextlib.suppress(OSError):
            os.nice(_NICENESS)
        return self._report

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the last words are being said
        if error is None:
            self._report.farewell(Farewell(outcome="finished", reason=""))
        elif isinstance(error, PeerStopped):
            self._report.farewell(Farewell(outcome="stopped", reason="It was told to stop."))
        else:
            away = _away(error)
            # What to do next is the supervisor's to say where something else is away.
            bare = away and isinstance(error, SubnetLabError)
            reason = str(error.args[0]) if bare else sentence(error)
            self._report.farewell(Farewell(outcome="cut_off" if away else "failed", reason=reason))
        return isinstance(error, PeerStopped)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise PeerStopped


def _die_with_supervisor() -> None:
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        supervisor.join()
        os._exit(_ORPHANED)


def _away(error: BaseException) -> bool:
    """Whether the peer did nothing wrong, and could go on once something else is back."""
    full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    return full or isinstance(error, NodeUnreachable | StoreUnreachable)


def sentence(error: BaseException) -> str:
    """An exception as one sentence that a person can act on."""
    if isinstance(error, SubnetLabError):
        return str(error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "The disk is full."
    if isinstance(error, MemoryError):
        return "The machine is out of memory."
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else f"{type(error).__name__}."


def run_peer(run_folder: str, index: int, pipe: Connection, asked_at: float) -> None:
    """The whole life of one peer; the target of its process.

    Args:
        run_folder: holds `manifest.json` and `fleet.json`.
        index: the peer's place in the spec's seats.
        pipe: the writing end towards the supervisor.
        asked_at: `time.monotonic()` when the fleet was asked for.
    """
    with PeerLife(pipe) as report:
        from subnetlab.fleet.role import take_seat  # noqa: PLC0415 - torch stays out of the supervisor

        run = take_seat(Path(run_folder), index, report)
        uid = run.uid
        report(PeerReady(uid=uid, pid=os.getpid(), seconds=round(time.monotonic() - asked_at, 3)))
        run.work()
