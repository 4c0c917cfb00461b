"""Where the processes of a run come from: the seam between a supervisor and the machines its peers run on.

A launcher starts a peer for a seat, and calls a function where torch is loaded; a supervisor knows no more.
`fork_launcher.ForkLauncher` forks both from one server on this machine; `thread_launcher.ThreadLauncher` runs
both in threads of this process, for tests of the supervisor.
"""

import socket
from typing import Any, Protocol

from subnetlab.fleet.spec import PeerSeat

Answer = dict[str, Any]
"""What a called function returns: JSON types."""


class PeerHandle(Protocol):
    """A started peer, as its launcher holds it."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    def fileno(self) -> int:
        """The reading end of its pipe, which does not block; at its end the peer has ended."""
        ...

    def terminate(self) -> None:
        """Ask the peer to end in order."""
        ...

    def kill(self) -> None:
        """End the peer at once."""
        ...

    def pause(self) -> None:
        """Stop the process until `go_on`, or until its supervisor ends.

        Raises:
            FleetError: it cannot be stopped here.
        """
        ...

    def go_on(self) -> None:
        """Let a paused process go on; harmless for one that is not paused."""
        ...

    def pass_on(self, caller: socket.socket) -> None:
        """Hand a connection of the run's owner over to the peer, which runs what comes over it.

        Raises:
            FleetError: the peer takes none, or is too busy to take one.
        """
        ...

    def close(self) -> str:
        """Release the peer, which is ended if it still runs; how it ended, as one sentence."""
        ...


class Launcher(Protocol):
    """Starts the peers of one run and calls functions for its supervisor."""

    def start(self, seat: PeerSeat) -> PeerHandle:
        """Start the peer of a seat and return at once; the peer reports `messages` on its pipe.

        Raises:
            FleetStartFailed: no process can be started.
        """
        ...

    def call(self, function: str, *args: Any, idle_limit_s: float = 60.0) -> Answer:
        """Call `package.module:function` where torch is loaded, and wait for what it returns.

        Args:
            function: dotted path; the function returns JSON types.
            args: plain values.
            idle_limit_s: the longest the call may go on without any work; a slow machine does not count.

        Raises:
            FleetError: the function failed, was killed, or did nothing within the limit.
            NodeUnreachable: the function needed the chain, which does not answer.
        """
        ...
