"""One peer on a node of a Ray cluster: an actor whose stream carries what a forked peer says over its pipe.

Several methods run at a time, each in a thread of the actor; the peer itself is another thread. Its key comes
as an argument of a call from the supervisor's process to this one, and is kept nowhere else.
"""

import contextlib
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from subnetlab.fleet.cluster.relay import Doors
from subnetlab.fleet.worker import cells

RUN_REMOTE: Final = "subnetlab.fleet.worker.remote:RemotePeer"
"""What an actor holds, by its dotted path: it loads torch."""


class PeerActor:
    """The actor of one peer.

    Args:
        name: of the peer, which Ray puts before each line that it prints.
        environment: variables that must hold before torch is loaded.
    """

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self._name = name
        os.environ.update(environment)
        self._peer: Any = None
        self._spec = ""
        """The newest fleet that came by `take_spec`."""
        self._changing = threading.Lock()
        self._cells = Doors()

    def __repr__(self) -> str:
        return self._name

    def live(self, work: dict[str, Any], secrets: dict[str, Any]) -> Iterator[bytes]:
        """Start the peer and yield what it says, its process id and host first; ends with the peer.

        Args:
            work: the arguments of `worker.remote.RemotePeer` that anyone may read.
            secrets: `key`, the URI of the hotkey, and `environment`, the store's credentials.
        """
        reading, writing = Pipe(duplex=False)
        ray = import_module("ray")  # here and not above: a driver says first whether it is installed
        node = f"{socket.gethostname()} {ray.get_runtime_context().get_node_id()[:8]}"
        yield json.dumps({"pid": os.getpid(), "node": node}).encode()
        thread = threading.Thread(
            target=self._live, args=(work | {"node": node}, secrets, writing), name=self._name
        )
        thread.daemon = True
        thread.start()
        with reading:
            while piece := os.read(reading.fileno(), 1 << 16):
                yield piece

    def _live(self, work: dict[str, Any], secrets: dict[str, Any], writing: Connection) -> None:
        os.environ.update(secrets["environment"])
        sys.path[:0] = [folder for folder in work["python_path"] if Path(folder).is_dir()]
        cells.open_door(self._cells.theirs)
        module, _, name = RUN_REMOTE.partition(":")
        made = getattr(import_module(module), name)
        with self._changing:
            work["fleet"] = self._spec or work["fleet"]
            self._peer = made(work, secrets["key"], writing)
        self._peer.run()

    def stop(self) -> None:
        """Have the peer say that it was told to stop, which ends its stream."""
        if self._peer is not None:
            self._peer.stop()

    def take_spec(self, text: str) -> None:
        """Take a fleet in which peers have joined, before the open block of their first round is sealed."""
        with self._changing:
            self._spec = text
            if self._peer is not None:
                self._peer.take_spec(text)

    def open_cell(self) -> int:
        """See `relay.Doors.open`."""
        return self._cells.open()

    def cell_says(self, number: int) -> Iterator[bytes]:
        """See `relay.Doors.says`."""
        yield from self._cells.says(number)

    def cell_hears(self, number: int, piece: bytes) -> None:
        """See `relay.Doors.hears`."""
        self._cells.hears(number, piece)


def send_all(descriptor: int, data: bytes) -> None:
    """Write all bytes into a pipe; silence where its reader is gone."""
    left = memoryview(data)
    with contextlib.suppress(OSError):
        while left:
            left = left[os.write(descriptor, left) :]
