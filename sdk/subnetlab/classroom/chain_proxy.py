"""The class's chain behind the class's port: WebSocket and JSON-RPC of students, carried to the node.

A student's frames are counted: more than so many a second, or so many bytes, and the student waits while the
others go on; more connections than a few are refused. What lets a client call the node's `dev_` methods is a
token of the educator's machine, which is never passed on.
"""

import asyncio
import contextlib
from collections import Counter
from typing import Final

import aiohttp
from aiohttp import WSMsgType, web

from subnetlab.classroom.access import Access, Refused
from subnetlab.classroom.bodies import body_of
from subnetlab.classroom.rate_limit import Buckets, TokenBucket

_MOST_CONNECTIONS: Final = 16
"""Of one student: a kernel, a peer, and what they open beside."""
_FRAMES_PER_S: Final = 300.0
_FRAMES: Final = 3000.0
_BYTES_PER_S: Final = 2.0e6
_BYTES: Final = 32.0e6
_FRAME_BYTES: Final = 16 * 2**20
_SEND_S: Final = 30.0
"""How long a client may read nothing while something is sent to it."""


class ChainProxy:
    """Carries students to the node of their class."""

    def __init__(self, access: Access, endpoint: str) -> None:
        """Carry to the node at an endpoint of this machine."""
        self._access, self._endpoint = access, endpoint
        self._frames, self._bytes = Buckets(_FRAMES_PER_S, _FRAMES), Buckets(_BYTES_PER_S, _BYTES)
        self._open: Counter[str] = Counter()
        self._sockets: set[tuple[str, web.WebSocketResponse]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request below `/chain`."""
        who = self._access.student(request).id
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request, who)
        if request.method != "POST":
            raise Refused(405, "POST a JSON-RPC request, or connect a WebSocket.")
        size = request.content_length
        if size is None or size > _FRAME_BYTES:
            raise Refused(413, f"A request has a length, and at most {_FRAME_BYTES >> 20} MB.")
        body = await body_of(request, _FRAME_BYTES)
        await self._slow_down(who, len(body))
        async with self._web().post(self._http, data=body, headers=_JSON) as answer:
            return web.Response(
                body=await answer.read(), status=answer.status, content_type="application/json"
            )

    async def close_of(self, student: str) -> None:
        """End every connection of a student."""
        for who, socket in list(self._sockets):
            if who == student:
                await socket.close(code=4001, message=b"reset")

    async def close(self) -> None:
        """End every connection."""
        for _, socket in list(self._sockets):
            await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)
        if self._session is not None:
            await self._session.close()

    @property
    def _http(self) -> str:
        return self._endpoint.replace("ws://", "http://", 1)

    def _web(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
            )  # fmt: skip
        return self._session

    async def _websocket(self, request: web.Request, who: str) -> web.WebSocketResponse:
        if self._open[who] >= _MOST_CONNECTIONS:
            raise Refused(429, f"You have {_MOST_CONNECTIONS} connections to the chain, which are the most.")
        self._open[who] += 1
        try:
            async with self._web().ws_connect(self._endpoint, max_msg_size=0, compress=0) as node:
                student = web.WebSocketResponse(max_msg_size=_FRAME_BYTES, compress=False, timeout=1.0)
                await student.prepare(request)
                self._sockets.add((who, student))
                try:
                    await self._carry(who, student, node)
                finally:
                    self._sockets.discard((who, student))
                return student
        except aiohttp.ClientError as error:
            raise Refused(502, "The chain of this class does not answer; ask your teacher.") from error
        finally:
            self._open[who] -= 1

    async def _carry(
        self, who: str, student: web.WebSocketResponse, node: aiohttp.ClientWebSocketResponse
    ) -> None:
        """Carry frames both ways until one side is over, then end the other."""

        async def there() -> None:
            async for message in student:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    text: str = message.data if isinstance(message.data, str) else message.data.decode()
                    await self._slow_down(who, len(text))
                    await node.send_str(text)

        async def back() -> None:
            async for message in node:
                if message.type is WSMsgType.TEXT:
                    async with asyncio.timeout(_SEND_S):
                        await student.send_str(message.data)

        ways = [asyncio.create_task(there()), asyncio.create_task(back())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
                with contextlib.suppress(
                    asyncio.CancelledError, ConnectionError, TimeoutError, UnicodeDecodeError
                ):
                    await way
            with contextlib.suppress(ConnectionError):
                await student.close()

    async def _slow_down(self, who: str, size: int) -> None:
        """Have a student wait who asked for more than its share."""
        waits = [bucket.take(amount) for bucket, amount in self._taken(who, size)]
        if max(waits):
            await asyncio.sleep(max(waits))

    def _taken(self, who: str, size: int) -> list[tuple[TokenBucket, float]]:
        return [(self._frames.of(who), 1.0), (self._bytes.of(who), float(size))]


_JSON: Final = {"Content-Type": "application/json"}
