"""Cells that the owner of a run sends to one of its peers, over connections that the supervisor hands over.

A peer opens no port and no socket of its own: what comes in at the run's control socket (mode 0600, with the
supervisor's token) is passed on to the peer, connection by connection. A cell runs in a thread beside the
training, one after the other in the order they came, and its names stay for later cells. Nothing of it goes
on record: a run records the same, bit for bit, unless a cell changes what training uses. Closing the
connection interrupts the cell.
"""

import contextlib
import json
import queue
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from subnetlab.fleet.cells import MOST_CODE
from subnetlab.fleet.worker.running_cell import Outcome, RunningCell, route_streams

_GRACE_S: Final = 2.0
"""How long an interrupted cell may take to end before the next one is run beside it."""
_SEND_LIMIT_S: Final = 30.0
_TOO_LONG: Final = Outcome(
    status="error", ename="ValueError", evalue=f"A cell holds at most {MOST_CODE} bytes."
)
_NOT_RUN: Final = Outcome(status="interrupted", ename="KeyboardInterrupt", evalue="It was not begun.")


class _Asked:
    """One connection: the code that comes over it, and what is said back."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        connection.settimeout(_SEND_LIMIT_S)
        self._sending, self._changing = threading.Lock(), threading.Lock()
        self._text = b""
        self.code: str | None = None
        self._running: RunningCell | None = None
        self._interrupted = False

    def read(self) -> list[dict[str, Any]] | None:
        """What has come, message by message; None at the end, or where it cannot be read."""
        try:
            piece = self.connection.recv(1 << 16)
            *lines, self._text = (self._text + piece).split(b"\n")
            found = [json.loads(line) for line in lines]
        except (OSError, ValueError, RecursionError):
            return None
        if not piece or not all(isinstance(message, dict) for message in found):
            return None
        return found

    @property
    def too_long(self) -> bool:
        """Whether a message goes on for longer than a cell may."""
        return len(self._text) > MOST_CODE

    def say(self, message: dict[str, Any]) -> None:
        """Send one message.

        Raises:
            OSError: the caller is gone.
        """
        with self._sending:
            self.connection.sendall(json.dumps(message).encode() + b"\n")

    def run(self, names: dict[str, Any]) -> None:
        """Run the cell and say how it ended."""
        with self._changing:
            if not self._interrupted:
                self._running = RunningCell(self.code or "", names, send=self.say)
        self.end(self._running.wait(_GRACE_S) if self._running is not None else _NOT_RUN)

    def end(self, outcome: Outcome) -> None:
        """Say how it ended, and hang up."""
        with contextlib.suppress(OSError):
            self.say({"done": asdict(outcome)})
        with contextlib.suppress(OSError):  # a cell that was abandoned prints into nothing
            self.connection.shutdown(socket.SHUT_RDWR)

    def interrupt(self) -> None:
        """Break the cell off, or never begin it."""
        with self._changing:
            if not self._interrupted and self._running is not None:
                self._running.interrupt()
            self._interrupted = True


class Cells:
    """What a peer's process runs for its owner.

    Args:
        door: over which the supervisor hands connections over; its end ends the listening.
    """

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self.names: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
        self.seen: Callable[[], dict[str, Any]] = dict
        """Asked before each cell for what it sees beside the names of earlier cells."""
        self._waiting: queue.SimpleQueue[_Asked] = queue.SimpleQueue()
        self._listens = selectors.DefaultSelector()
        self._works = False
        threading.Thread(target=self._listen, name="cells", daemon=True).start()

    def _listen(self) -> None:
        self._listens.register(self._door, selectors.EVENT_READ)
        while True:
            for key, _ in self._listens.select():
                if key.data is not None:
                    self._hear(key.data)
                elif not self._let_in():
                    return

    def _let_in(self) -> bool:
        try:
            said, descriptors, _, _ = socket.recv_fds(self._door, 1, 1)
        except OSError:
            return False
        for descriptor in descriptors:
            asked = _Asked(socket.socket(fileno=descriptor))
            self._listens.register(asked.connection, selectors.EVENT_READ, asked)
            with contextlib.suppress(OSError):
                asked.say({"ok": True})
        return bool(said)

    def _hear(self, asked: _Asked) -> None:
        messages = asked.read()
        if messages is None or asked.too_long:
            if messages is not None:
                asked.end(_TOO_LONG)
            asked.interrupt()
            self._listens.unregister(asked.connection)
            asked.connection.close()
            return
        for message in messages:
            if asked.code is None and isinstance(message.get("code"), str):
                asked.code = message["code"]
                self._take(asked)
            elif message.get("interrupt"):
                asked.interrupt()

    def _take(self, asked: _Asked) -> None:
        if not self._works:
            self._works = True
            route_streams()
            threading.Thread(target=self._work, name="cells in turn", daemon=True).start()
        self._waiting.put(asked)

    def _work(self) -> None:
        while True:
            asked = self._waiting.get()
            self.names |= self.seen()
            asked.run(self.names)


_OPEN: list[Cells] = []
"""One process is one peer, so there is one at most."""


def open_door(door: socket.socket) -> None:
    """Take cells from now on."""
    _OPEN.append(Cells(door))


def show(seen: Callable[[], dict[str, Any]]) -> None:
    """Say what each cell of this process sees; nothing where it takes none."""
    for cells in _OPEN:
        cells.seen = seen
