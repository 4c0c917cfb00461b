"""Connections of a run's owner to a peer on another machine: both ends, carried by calls of the peer's actor.

The supervisor passes connections on to a forked peer by descriptor, which no cluster can. Here each is one
stream from the actor and one call for each piece to it; nothing of them is read on the way.
"""

import contextlib
import itertools
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any, Final

_PIECE: Final = 1 << 16
MOST: Final = 8
"""Connections of one actor at a time: each holds one of its threads."""


class Doors:
    """The actor's end: every connection is handed over to the peer's own process as a socket."""

    def __init__(self) -> None:
        self._door, self.theirs = socket.socketpair()
        """`theirs` is what `worker.cells.open_door` takes."""
        self._open: dict[int, socket.socket] = {}
        self._numbers = itertools.count(1)

    def open(self) -> int:
        """Make one connection; its number, 0 where too many are open."""
        if len(self._open) >= MOST:
            return 0
        ours, peers = socket.socketpair()
        with peers:
            socket.send_fds(self._door, [b"c"], [peers.fileno()])
        number = next(self._numbers)
        self._open[number] = ours
        return number

    def says(self, number: int) -> Iterator[bytes]:
        """What the peer writes into a connection, to its end."""
        with self._open[number] as ours:
            try:
                while piece := ours.recv(_PIECE):
                    yield piece
            finally:
                del self._open[number]

    def hears(self, number: int, piece: bytes) -> None:
        """What the owner wrote; nothing at the end."""
        ours = self._open.get(number)
        with contextlib.suppress(OSError):
            if ours is not None and piece:
                ours.sendall(piece)
            elif ours is not None:
                ours.shutdown(socket.SHUT_WR)


def carry(ray: Any, actor: Any, caller: socket.socket) -> None:
    """The supervisor's end: carry a connection in threads until one side hangs up; returns at once."""
    ours = socket.socket(fileno=os.dup(caller.fileno()))
    ours.settimeout(None)
    threading.Thread(target=_carry, args=(ray, actor, ours), name="cell", daemon=True).start()


def _carry(ray: Any, actor: Any, ours: socket.socket) -> None:
    with ours, contextlib.suppress(ray.exceptions.RayError, OSError):
        number: int = ray.get(actor.open_cell.remote())
        if not number:
            return
        stream = actor.cell_says.options(num_returns="streaming").remote(number)
        threading.Thread(
            target=_hear, args=(ray, actor, number, ours), name="cell's code", daemon=True
        ).start()
        for reference in stream:
            ours.sendall(ray.get(reference))
        ours.shutdown(socket.SHUT_RDWR)  # which ends the other thread too


def _hear(ray: Any, actor: Any, number: int, ours: socket.socket) -> None:
    with contextlib.suppress(ray.exceptions.RayError):
        with contextlib.suppress(OSError):
            while piece := ours.recv(_PIECE):
                ray.get(actor.cell_hears.remote(number, piece))  # calls of one actor overtake each other
        ray.get(actor.cell_hears.remote(number, b""))
