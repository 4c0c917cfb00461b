"""What a connected network holds besides the object in a notebook: its connection, its node and its runs.

A cell `net = sl.connect()` that runs again gives the name to a new network. The old one is closed as soon as
no variable refers to it, unless a run goes on there; `close_all` closes the rest when a kernel ends.
"""

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from subnetlab.errors import SubnetLabError
from subnetlab.lab import embedded
from subnetlab.lab.resume import needed_nodes
from subnetlab.lab.run import Run

if TYPE_CHECKING:
    from subnetlab.lab.embedded import EmbeddedNode
    from subnetlab.network.client import NetworkClient

_STOP_LIMIT_S = 4.0
"""How long a run may take to end in order when its network is closed; Jupyter kills a kernel after five."""
_DROP_LIMIT_S = 2.0

_OPEN: "set[Opened]" = set()
"""Strong references: a node that still runs is never forgotten, even when its `Net` is."""


class Opened:
    """The resources of one `Net`; they never refer to the `Net` itself, so that it can be collected."""

    def __init__(self, client: "NetworkClient", node: "EmbeddedNode | None") -> None:
        self._client, self._node = client, node
        self._runs: list[Path] = []
        self._detached: list[Path] = []
        self.closed = False
        self.dropped = False
        self._closing = threading.Lock()
        _OPEN.add(self)

    def own(self, run_folder: Path, *, detach: bool) -> None:
        """Stop this run when the network is closed, or leave the node to it if it is detached."""
        (self._detached if detach else self._runs).append(run_folder)

    def close(self) -> None:
        """Stop the runs that are not detached, leave the network, and end the node unless a run needs it."""
        with self._closing:
            if self.closed:
                return
            self.closed = True
            _OPEN.discard(self)
        for folder in self._runs:
            with contextlib.suppress(SubnetLabError):
                Run(folder).stop(timeout=_STOP_LIMIT_S)
        self._client.close()
        if self._node is None:
            return
        if not all(Run(folder).ended for folder in self._detached):
            self._node.leave()
            return
        self._node.close()
        embedded.sweep(needed_nodes())
        if not self._node.folder.exists():
            self._client.forget_budget()

    def drop(self) -> None:
        """No variable holds the `Net` now: close it, or let a later `connect` do so if a run goes on."""
        self.dropped = True
        if not self._busy():
            # The garbage collector calls this in any thread, also in one that holds a lock of the client.
            # Closing may need that lock: another thread closes, and this one waits only a moment.
            closing = threading.Thread(target=self.close, name="close a dropped network")
            closing.start()
            closing.join(_DROP_LIMIT_S)

    def _busy(self) -> bool:
        folders = (*self._runs, *self._detached)
        return any(folder.is_dir() and not Run(folder).ended for folder in folders)


def close_dropped() -> None:
    """Close the networks that no variable holds and whose runs have ended since."""
    for opened in list(_OPEN):
        if opened.dropped:
            opened.drop()


def close_all() -> None:
    """Close every network that is still open; what a kernel does before it ends."""
    for opened in list(_OPEN):
        with contextlib.suppress(SubnetLabError):
            opened.close()
