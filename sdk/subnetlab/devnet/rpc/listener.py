"""Accepting connections: at most so many, and only such that send a whole request in time.

A connection past the limit is answered 503 and closed. When the system has no descriptor left, accepting
pauses. What is said on a connection is the HTTP library's part.
"""

import asyncio
import logging
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Final, NamedTuple

from subnetlab.devnet.rpc.incoming import MAX_UNFINISHED_BYTES, Incoming, Unfinished
from subnetlab.devnet.rpc.posts import PlainPosts, Posts

log = logging.getLogger("subnetlab.devnet")
BACKLOG: Final = 128
ACCEPT_AGAIN_S: Final = 1.0
_READ_BYTES: Final = 64 * 2**10
_LINGER_S: Final = 0.2
_MAX_LINGERING: Final = 16
_OWN_PORTS: Final = range(20_000, 32_768)
"""Below the ports that Linux and macOS give to clients and to servers that name none."""
_TRIES: Final = 64


class Limits(NamedTuple):
    """What the clients of a node may take, in connections, seconds and bytes."""

    connections: int = 1024
    request_s: float = 30.0
    """From connecting, or from the answer before, to the end of a request by HTTP; over a WebSocket, how long
    a message that has begun may not go on."""
    send_s: float = 30.0
    """How long a client may read nothing while something is sent to it."""
    unfinished_bytes: int = MAX_UNFINISHED_BYTES
    """Of all messages together that have begun to arrive and are not whole."""


class Listener:
    """The open port and its connections."""

    def __init__(
        self, protocol: Callable[[], asyncio.Protocol], limits: Limits, posts: Posts | None = None
    ) -> None:
        """Give every accepted connection a protocol of its own, for all that `posts` does not answer."""
        self._protocol, self._limits, self.posts = protocol, limits, posts
        self._socket: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._deadlines: dict[asyncio.BaseTransport, float] = {}
        """By connection, the time until which its next request has to arrive."""
        self._unfinished = Unfinished(limits.unfinished_bytes)
        self._incoming: dict[asyncio.BaseTransport, Incoming] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._lingering: set[socket.socket] = set()

    def open(self, host: str, port: int) -> int:
        """Open the port and return its number; 0 picks a free one that stays free when the node is killed.

        Raises:
            OSError: it cannot be opened.
        """
        opened = _on_own_port(host) if port == 0 else socket.create_server((host, port), backlog=BACKLOG)
        opened.settimeout(0)
        self._socket = opened
        self._accepting = asyncio.get_running_loop().create_task(self._accept(opened))
        return int(opened.getsockname()[1])

    async def close(self) -> None:
        """Accept nothing more."""
        if self._accepting is not None:
            self._accepting.cancel()
            with suppress(asyncio.CancelledError):
                await self._accepting
        if self._timer is not None:
            self._timer.cancel()
        for one in (self._socket, *self._lingering):
            if one is not None:
                one.close()

    def incoming(self, transport: asyncio.BaseTransport | None) -> Incoming:
        """What has arrived on a connection and is not whole."""
        found = None if transport is None else self._incoming.get(transport)
        return found or Incoming(self._unfinished, lambda: None)  # the client has gone already

    def received(self, transport: asyncio.BaseTransport | None) -> None:
        """A request has arrived whole: its client is waited for no more."""
        if transport is not None and transport in self._deadlines:
            self._deadlines[transport] = inf
            self._incoming[transport].end()

    def answered(self, transport: asyncio.BaseTransport | None) -> None:
        """A request is answered: the next one has to arrive in time."""
        if transport is not None and transport in self._deadlines:
            self._deadlines[transport] = self._loop.time() + self._limits.request_s
            self._incoming[transport].end()

    def _abort_late(self) -> None:
        """Abort whose request has not arrived in time, and look again when the next one would be late."""
        now = self._loop.time()
        late = [transport for transport, deadline in self._deadlines.items() if deadline <= now]
        for transport in late:
            assert isinstance(transport, asyncio.Transport), "connections are of TCP"
            self._deadlines[transport] = inf
            transport.abort()
        self._unfinished.close_silent(now, self._limits.request_s)
        self._timer = None
        self._watch(min(self._deadlines.values(), default=inf))

    def _watch(self, earliest: float = inf) -> None:
        """Keep one timer while there are connections: no deadline set later is earlier than its time."""
        if self._timer is None and self._deadlines:
            latest = self._loop.time() + self._limits.request_s
            self._timer = self._loop.call_at(min(earliest, latest), self._abort_late)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(listening)
            except ConnectionError:
                continue
            except OSError as error:
                log.warning("No connection can be accepted: %s", error.strerror)
                await asyncio.sleep(ACCEPT_AGAIN_S)
                continue
            if len(self._deadlines) >= self._limits.connections:
                self._refuse(accepted)
                continue
            with suppress(OSError):  # the client is gone already
                await loop.connect_accepted_socket(lambda: _Counted(self, self._protocol()), accepted)

    def _refuse(self, accepted: socket.socket) -> None:
        """Answer 503; closing waits a moment, because a client that still sends would lose the answer."""
        text = f"This node serves at most {self._limits.connections} connections at once.\n".encode()
        head = f"HTTP/1.1 503 Service Unavailable\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
        log.warning("A connection was refused: %d are open.", self._limits.connections)
        accepted.settimeout(0)
        with suppress(OSError):
            accepted.send(head.encode() + text)
            accepted.shutdown(socket.SHUT_WR)
        if len(self._lingering) < _MAX_LINGERING:
            self._lingering.add(accepted)
            asyncio.get_running_loop().call_later(_LINGER_S, self._let_go, accepted)
        else:
            accepted.close()

    def _let_go(self, accepted: socket.socket) -> None:
        self._lingering.discard(accepted)
        with suppress(OSError):
            accepted.recv(_READ_BYTES)
        accepted.close()

    def made(self, transport: asyncio.BaseTransport) -> Incoming:
        """Count a connection in and wait for its first request."""
        assert isinstance(transport, asyncio.Transport), "connections are of TCP"
        self._deadlines[transport] = self._loop.time() + self._limits.request_s
        self._incoming[transport] = made = self._unfinished.made(transport.abort)
        self._watch()
        return made

    def lost(self, transport: asyncio.BaseTransport) -> None:
        """Count a connection out."""
        if transport in self._deadlines:
            del self._deadlines[transport]
            self._unfinished.lost(self._incoming.pop(transport))


class _Counted(asyncio.Protocol):
    """A protocol whose beginning and end the listener sees."""

    def __init__(self, listener: Listener, inner: asyncio.Protocol) -> None:
        self._listener, self._inner = listener, inner
        self._transport: asyncio.BaseTransport | None = None
        self._incoming: Incoming | None = None
        self._plain: PlainPosts | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "connections are of TCP"
        self._transport = transport
        self._incoming = self._listener.made(transport)
        if self._listener.posts is not None:
            self._plain = PlainPosts(
                self._listener.posts, transport, received=lambda: self._listener.received(transport),
                answered=lambda: self._listener.answered(transport), hand_over=self._handed_over,
            )  # fmt: skip
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._listener.lost(self._transport)
        if self._plain is not None:
            self._plain.end()
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._incoming is not None:
            self._incoming.arrived(len(data))
        if self._plain is not None:
            self._plain.feed(data)
        else:
            self._inner.data_received(data)

    def _handed_over(self, data: bytes) -> None:
        self._plain = None
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        if self._plain is not None:
            self._plain.pause()
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._plain is not None:
            self._plain.resume()
        self._inner.resume_writing()


def _on_own_port(host: str) -> socket.socket:
    """A server on a free port that no other program is given by chance.

    A node that was killed is started again on its port: any client may have been given one of the system's
    own choice meanwhile.
    """
    for _ in range(_TRIES):
        with suppress(OSError):
            return socket.create_server((host, secrets.choice(_OWN_PORTS)), backlog=BACKLOG)
    return socket.create_server((host, 0), backlog=BACKLOG)
