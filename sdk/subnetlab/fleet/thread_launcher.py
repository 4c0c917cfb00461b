"""Peers and calls in threads of this process: the launcher in memory, with which a supervisor is tested.

A thread cannot be killed from outside: a killed peer is cut off from its supervisor at once, and ends where
it next reports or looks at its `stop` event.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from os import getpid, set_blocking
from typing import Any, TypeAlias

from subnetlab.errors import FleetError, FleetStartFailed
from subnetlab.fleet.launcher import Answer
from subnetlab.fleet.messages import PeerStopped, farewell_after
from subnetlab.fleet.spec import PeerSeat
from subnetlab.fleet.worker.life import Reporter

Work: TypeAlias = Callable[[Reporter, threading.Event], None]
"""What a peer does, with what it reports through and the event that asks it to end."""


class ThreadLauncher:
    """Starts peers by their uid.

    Args:
        peers: the work of each uid.
        functions: what `call` finds under a dotted path.
    """

    def __init__(
        self, peers: Mapping[int, Work], functions: Mapping[str, Callable[..., Answer]] | None = None
    ) -> None:
        self._peers, self._functions = peers, functions or {}

    def start(self, seat: PeerSeat) -> "ThreadPeer":
        """Start the work of a seat's uid in a thread.

        Raises:
            FleetStartFailed: the uid has no work.
        """
        if seat.uid not in self._peers:
            raise FleetStartFailed(f"There is no work for the {seat.name}.")
        return ThreadPeer(seat.name, self._peers[seat.uid])

    def call(self, function: str, *args: Any, idle_limit_s: float = 60.0) -> Answer:  # noqa: ARG002
        """Call a function here; a thread is not given up."""
        return self._functions[function](*args)


class ThreadPeer:
    """A peer as a thread: a `launcher.PeerHandle`."""

    def __init__(self, name: str, work: Work) -> None:
        self._pipe, writing = Pipe(duplex=False)
        set_blocking(self._pipe.fileno(), False)
        self._stop = threading.Event()
        self._killed = False
        self._thread = threading.Thread(target=self._live, args=(work, writing), name=name, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """This process's own id."""
        return getpid()

    def fileno(self) -> int:
        """The reading end of its pipe."""
        return self._pipe.fileno()

    def terminate(self) -> None:
        """Set the peer's event."""
        self._stop.set()

    def kill(self) -> None:
        """Set the peer's event, and listen to it no more."""
        self._killed = True
        self._stop.set()

    def pause(self) -> None:
        """A thread cannot be stopped.

        Raises:
            FleetError: always.
        """
        raise FleetError(
            "A peer in a thread cannot be paused.",
            hint="Start the run with fleet=sl.LocalFleet(…): its peers are processes.",
        )

    def go_on(self) -> None:
        """It was never paused."""

    def pass_on(self, caller: socket.socket) -> None:  # noqa: ARG002 - the seam's
        """A thread runs no cells: its names are this process's.

        Raises:
            FleetError: always.
        """
        raise FleetError(
            "A peer in a thread runs no cells.",
            hint="Start the run with fleet=sl.LocalFleet(…): its peers are processes.",
        )

    def close(self) -> str:
        """Close the pipe."""
        self._pipe.close()
        return "It was killed." if self._killed else "It ended without a word."

    def _live(self, work: Work, writing: Connection) -> None:
        report = Reporter(writing)
        with _LastWords(report, lambda: self._killed):
            work(report, self._stop)
            if self._stop.is_set():
                raise PeerStopped


class _LastWords(contextlib.AbstractContextManager["_LastWords"]):
    """Turns how the work ended into a farewell, as the end of a process does; a killed peer says none."""

    def __init__(self, report: Reporter, is_killed: Callable[[], bool]) -> None:
        self._report, self._is_killed = report, is_killed

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if self._is_killed():
            self._report.hang_up()
        else:
            self._report.farewell(farewell_after(error))
        return True
