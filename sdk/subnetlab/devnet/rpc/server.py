"""The one port: WebSocket and HTTP POST, loopback only.

A page in a browser could reach a loopback port, so a request must name a loopback Host and may not carry a
foreign Origin. SDK and btcli send no Origin. Other users of the machine can reach it too: `dev_` methods need
the token. Does no TLS.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from aiohttp import HttpVersion11, WSCloseCode, WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError

from subnetlab.devnet.rpc.connection import Connection, Outbox
from subnetlab.devnet.rpc.dispatch import answer_frame, begin_frame
from subnetlab.devnet.rpc.incoming import Incoming
from subnetlab.devnet.rpc.listener import Limits, Listener
from subnetlab.devnet.rpc.method import TOO_LARGE
from subnetlab.devnet.rpc.posts import Headers, Posts, Reply
from subnetlab.devnet.rpc.service import Service
from subnetlab.devnet.rpc.token import opens
from subnetlab.errors import PortTaken

HOST = "127.0.0.1"
MAX_FRAME_BYTES = 16 * 2**20
CLOSE_SECONDS = 0.5
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
TURN_S = 0.002
"""How long a WebSocket whose client sends request after request is answered before others have their turn."""
MOST_TAKEN_AT_ONCE = 32 * 2**10
"""A text so short, in bytes, is below what a transport holds before it lets writers wait."""
_HELD_URLS = 256
Send = Callable[[str], Awaitable[bool]]
"""Sends a text that was counted in; False where the client has gone or does not read."""
HTTP_LOG = logging.getLogger("subnetlab.devnet.http")
"""The library would log a client's bad header as it logs a fault of the node, with a traceback."""


def _in_one_line(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):  # its text quotes the header
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = "What a client sent was refused as no HTTP: %s.", (type(error).__name__,)
        record.exc_info = record.exc_text = None
    return True


HTTP_LOG.addFilter(_in_one_line)


class Server:
    """Speaks for a service on one port."""

    def __init__(
        self,
        service: Service,
        *,
        token: str,
        origins: frozenset[str] = frozenset(),
        limits: Limits | None = None,
    ) -> None:
        """Let who sends the token call `dev_` methods; allow foreign origins by name."""
        self._service, self._origins, self._token = service, origins, token
        self._limits = limits or Limits()
        self._runner: web.ServerRunner | None = None
        self._listener: Listener | None = None
        self._sockets: set[web.WebSocketResponse] = set()
        self.port = 0

    async def start(self, port: int) -> None:
        """Open the port; 0 picks a free one.

        Raises:
            PortTaken: another process holds it.
        """
        # Every path is one, so no application routes.
        server = web.Server(
            self._handle, request_factory=_request, access_log=None, logger=HTTP_LOG, auto_decompress=False
        )
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        assert self._runner.server is not None
        self._listener = Listener(self._runner.server, self._limits, Posts(self._begin, self._refused))
        try:
            self.port = self._listener.open(HOST, port)
        except OSError as error:
            await self._runner.cleanup()
            raise PortTaken(f"Port {port} cannot be opened: {error.strerror}.") from error

    async def stop(self) -> None:
        """Close every connection and the port."""
        if self._listener is not None:
            await self._listener.close()
        farewells = [socket.close(code=WSCloseCode.GOING_AWAY) for socket in self._sockets]
        await asyncio.gather(*farewells, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        assert self._listener is not None
        transport = request.transport
        self._service.used()
        try:
            refused = self._refused(request.headers)
            if refused is not None:
                return web.Response(status=403, text=refused)
            if request.headers.get("Upgrade", "").lower() == "websocket":
                self._listener.received(transport)
                return await self._websocket(request, self._listener.incoming(transport))
            if request.method != "POST":
                return web.Response(status=405, text="POST a JSON-RPC request, or connect a WebSocket.")
            if request.headers.get("Content-Encoding", "identity").lower() != "identity":
                return web.Response(status=415, text="A request is plain JSON, not compressed.")
            return await self._post(request, self._listener)
        finally:
            self._listener.answered(transport)

    def _begin(self, body: bytes) -> Reply | Awaitable[Reply]:
        self._service.used()
        return begin_frame(self._service, body, Connection())

    def _refused(self, headers: Headers) -> str | None:
        if _host(f"//{headers.get('Host', '')}") not in LOOPBACK:
            return "Host is not allowed: this node answers on loopback only."
        origin = headers.get("Origin")
        if origin is None or not _of_a_page(origin) or origin in self._origins or _host(origin) in LOOPBACK:
            return None
        return "Origin is not allowed."

    def _privileged(self, request: web.BaseRequest) -> bool:
        return opens(self._token, request.headers.get("Authorization"))

    async def _post(self, request: web.BaseRequest, listener: Listener) -> web.Response:
        listener.incoming(request.transport).begin()
        try:
            await _go_on(request)
            text = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.json_response(_too_large())
        except (ConnectionError, web.RequestPayloadError) as error:  # the client has gone in the middle
            error.__traceback__ = None  # the library keeps the error, and with its frames what had arrived
            return web.Response(status=400)
        listener.received(request.transport)
        connection = Connection(privileged=self._privileged(request))
        reply = await answer_frame(self._service, text, connection)
        if reply is None:
            return web.Response(status=204)
        return web.Response(text=reply, content_type="application/json")

    async def _websocket(self, request: web.BaseRequest, incoming: Incoming) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(
            max_msg_size=MAX_FRAME_BYTES, compress=False, timeout=CLOSE_SECONDS, autoping=False
        )
        await socket.prepare(request)

        def abort() -> None:
            if request.transport is not None:
                request.transport.abort()

        outbox = Outbox(self._service.unsent, abort)
        connection = Connection(outbox=outbox, privileged=self._privileged(request))
        self._sockets.add(socket)
        self._service.connections.add(connection)

        async def send(text: str) -> bool:
            transport = request.transport
            try:
                if len(text) <= MOST_TAKEN_AT_ONCE and transport and not transport.get_write_buffer_size():
                    await socket.send_str(text)  # the system takes it, so that no timer is needed
                else:
                    async with asyncio.timeout(self._limits.send_s):
                        await socket.send_str(text)
            except (ConnectionError, TimeoutError):
                outbox.close()
                abort()
                return False
            outbox.sent(text)
            return True

        writer = asyncio.create_task(_write(outbox, send))
        incoming.begin()
        try:
            await self._answer_all(socket, connection, incoming, send)
        except ConnectionError:  # the client has gone while a ping of its was answered
            abort()
        finally:
            self._sockets.discard(socket)
            self._service.connections.discard(connection)
            writer.cancel()
            outbox.close()
        return socket

    async def _answer_all(
        self, socket: web.WebSocketResponse, connection: Connection, incoming: Incoming, send: Send
    ) -> None:
        clock = asyncio.get_running_loop().time
        turn_ends = clock() + TURN_S
        async for message in socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                incoming.take(_size(message.data))
                await self._answer(message.data, connection, send)
                if connection.outbox is not None:
                    await connection.outbox.drained()  # who does not read what was asked for asks no more
                if clock() >= turn_ends:
                    await asyncio.sleep(0)
                    turn_ends = clock() + TURN_S
            elif message.type in (WSMsgType.PING, WSMsgType.PONG):  # given out here to be counted out
                incoming.take(len(message.data))
                if message.type is WSMsgType.PING:
                    await socket.pong(message.data)
            incoming.answering = False

    async def _answer(self, text: str | bytes, connection: Connection, send: Send) -> None:
        connection.hold()
        reply, outbox = await answer_frame(self._service, text, connection), connection.outbox
        if reply is not None and outbox is not None:
            if not outbox.idle:
                outbox.put(reply)
            elif outbox.count(reply):
                await send(reply)
        connection.replied()


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """A request as the library makes it, with the longest body that a node takes."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_FRAME_BYTES)


async def _go_on(request: web.BaseRequest) -> None:
    """Tell a client that waits for it to send its body, as aiohttp's router would; RFC 9110, 10.1.1."""
    if request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun


def _size(text: str | bytes) -> int:
    """In bytes, as they came."""
    return len(text) if isinstance(text, bytes) or text.isascii() else len(text.encode())


async def _write(outbox: Outbox, send: Send) -> None:
    while await send(await outbox.take()):
        pass


def _of_a_page(origin: str) -> bool:
    """Whether a browser sent this Origin: a URL or `null`; a program may name itself (titanoboa does)."""
    return "://" in origin or not origin.isalnum() or origin.lower() == "null"


@lru_cache(_HELD_URLS)
def _host(url: str) -> str:
    """The host that a URL names; empty where it names none."""
    with contextlib.suppress(ValueError):
        return urlsplit(url).hostname or ""
    return ""


def _too_large() -> dict[str, Any]:
    error = {
        "code": TOO_LARGE,
        "message": "Request is too big",
        "data": f"Exceeded max limit of {MAX_FRAME_BYTES}",
    }
    return {"jsonrpc": "2.0", "id": None, "error": error}
