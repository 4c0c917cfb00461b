"""The one port: WebSocket and HTTP POST, loopback only.

A page in a browser could reach a loopback port, so a request must name a loopback Host and may not carry a
foreign Origin. SDK and btcli send no Origin. Does no TLS and no users.
"""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

from aiohttp import WSCloseCode, WSMsgType, web

from subnetlab.devnet.rpc.dispatch import answer_frame
from subnetlab.devnet.rpc.method import TOO_LARGE
from subnetlab.devnet.rpc.service import Peer, Service
from subnetlab.devnet.rpc.token import opens
from subnetlab.errors import PortTaken

HOST = "127.0.0.1"
MAX_FRAME_BYTES = 16 * 2**20
CLOSE_SECONDS = 0.5
MAX_OUTBOX = 10_000
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Server:
    """Speaks for a service on one port."""

    def __init__(
        self, service: Service, *, origins: frozenset[str] = frozenset(), token: str | None = None
    ) -> None:
        """Allow foreign origins by name; where there is a token, `dev_` methods need it."""
        self._service, self._origins, self._token = service, origins, token
        self._runner: web.AppRunner | None = None
        self._sockets: set[web.WebSocketResponse] = set()
        self.port = 0

    async def start(self, port: int) -> None:
        """Open the port; 0 picks a free one.

        Raises:
            PortTaken: another process holds it.
        """
        app = web.Application(client_max_size=MAX_FRAME_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port, shutdown_timeout=1.0)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise PortTaken(f"Port {port} cannot be opened: {error.strerror}.") from error
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close every connection and the port."""
        farewells = [socket.close(code=WSCloseCode.GOING_AWAY) for socket in self._sockets]
        await asyncio.gather(*farewells, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._service.used()
        refused = self._refused(request)
        if refused is not None:
            return web.Response(status=403, text=refused)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        if request.method != "POST":
            return web.Response(status=405, text="POST a JSON-RPC request, or connect a WebSocket.")
        return await self._post(request)

    def _refused(self, request: web.Request) -> str | None:
        host = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
        if host not in LOOPBACK:
            return "Host is not allowed: this node answers on loopback only."
        origin = request.headers.get("Origin")
        if origin is None or origin in self._origins:
            return None
        if urlsplit(origin).hostname in LOOPBACK:
            return None
        return "Origin is not allowed."

    def _privileged(self, request: web.Request) -> bool:
        return opens(self._token, request.headers.get("Authorization"))

    async def _post(self, request: web.Request) -> web.Response:
        peer = Peer(privileged=self._privileged(request))
        try:
            text = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.json_response(_too_large())
        reply = answer_frame(self._service, text, peer)
        return web.Response(status=204) if reply is None else web.json_response(reply)

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=MAX_FRAME_BYTES, compress=False, timeout=CLOSE_SECONDS)
        await socket.prepare(request)
        self._sockets.add(socket)
        outbox: asyncio.Queue[Any] = asyncio.Queue()

        def push(message: Any) -> None:
            # A client that subscribes and never reads must not fill the node's memory.
            if outbox.qsize() < MAX_OUTBOX:
                outbox.put_nowait(message)
            elif request.transport is not None:
                request.transport.abort()

        peer = Peer(push=push, privileged=self._privileged(request))
        self._service.peers.add(peer)
        writer = asyncio.create_task(_write(socket, outbox))
        try:
            async for message in socket:
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    continue
                peer.hold()
                reply = answer_frame(self._service, message.data, peer)
                if reply is not None:
                    push(reply)
                peer.replied()
        finally:
            self._sockets.discard(socket)
            self._service.peers.discard(peer)
            writer.cancel()
        return socket


async def _write(socket: web.WebSocketResponse, outbox: "asyncio.Queue[Any]") -> None:
    while True:
        message = await outbox.get()
        try:
            await socket.send_str(json.dumps(message))
        except ConnectionError:
            return


def _too_large() -> dict[str, Any]:
    error = {
        "code": TOO_LARGE,
        "message": "Request is too big",
        "data": f"Exceeded max limit of {MAX_FRAME_BYTES}",
    }
    return {"jsonrpc": "2.0", "id": None, "error": error}
