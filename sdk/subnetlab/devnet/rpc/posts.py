"""Plain POSTs, answered where their bytes arrive: most requests need nothing of HTTP but their body.

What a head means is the HTTP library's to say, once for all requests that begin with the same bytes. A head
that is unusual in any way, and all that follows it on its connection, goes to the library unread.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Final

from aiohttp import HttpVersion11
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDictProxy

Headers = CIMultiDictProxy[str]
Reply = str | None
MOST_HEAD: Final = 4 * 2**10
MOST_BODY: Final = 64 * 2**10
TURN_S: Final = 0.002
"""How long requests that one client sent ahead are answered before others have their turn."""
_HEADS: Final = 256
_END: Final = b"\r\n\r\n"
_METHOD: Final = b"POST "
_SPECIAL: Final = ("Authorization", "Content-Encoding", "Expect", "Transfer-Encoding", "Upgrade")
_EMPTY: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
_FOUND: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n%b"
)


class Posts:
    """Which heads are plain, and who answers."""

    def __init__(
        self, begin: Callable[[bytes], Reply | Awaitable[Reply]], refuses: Callable[[Headers], str | None]
    ) -> None:
        """`begin` answers a body, at once where it can; `refuses` says why headers are not answered."""
        self.begin, self._refuses = begin, refuses
        self.length = lru_cache(_HEADS)(self._length)
        """How long the body after a head is; None where the head is not plain."""

    def _length(self, head: bytes) -> int | None:
        if not head.count(b"\n") == head.count(b"\r") == head.count(b"\r\n"):  # where it ends is not plain
            return None
        loop = asyncio.get_running_loop()
        try:
            messages, upgraded, tail = HttpRequestParser(BaseProtocol(loop), loop, MOST_BODY).feed_data(head)
        except HttpProcessingError:
            return None
        if len(messages) != 1 or upgraded or tail:
            return None
        message = messages[0][0]
        headers, lengths = message.headers, message.headers.getall("Content-Length", [])
        plain = message.method == "POST" and message.version == HttpVersion11 and not message.should_close
        if not plain or any(name in headers for name in _SPECIAL) or self._refuses(headers) is not None:
            return None
        if len(lengths) != 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
            return None
        return length if (length := int(lengths[0])) <= MOST_BODY else None


class PlainPosts:
    """Those of one connection, in order, until something else comes."""

    def __init__(
        self,
        posts: Posts,
        transport: asyncio.Transport,
        *,
        received: Callable[[], None],
        answered: Callable[[], None],
        hand_over: Callable[[bytes], None],
    ) -> None:
        """`received` and `answered` are told of every request; `hand_over` takes all that is not plain."""
        self._posts, self._transport = posts, transport
        self._received, self._answered, self._hand_over = received, answered, hand_over
        self._held = b""
        self._task: asyncio.Task[None] | None = None
        self._full = self._over = False

    def feed(self, data: bytes) -> None:
        """Answer what is whole of what has arrived."""
        if self._over:
            self._hand_over(data)
            return
        self._held += data
        loop = asyncio.get_running_loop()
        turn_ends = loop.time() + TURN_S
        while self._held and self._task is None and not self._full and not self._over:
            if not self._next():
                return
            if self._held and self._task is None and loop.time() >= turn_ends:
                self._wait_for(loop.create_task(self._rest()))

    def _next(self) -> bool:
        """Answer one request; whether there may be another."""
        end = self._held.find(_END, 0, MOST_HEAD) + len(_END)
        if end < len(_END):
            begins = _METHOD.startswith(self._held[: len(_METHOD)])
            bare = self._held.count(b"\n") != self._held.count(b"\r\n")  # no head of ours ends
            if len(self._held) >= MOST_HEAD or bare or not begins:
                self._give_up()
            return False
        length = self._posts.length(self._held[:end])
        if length is None:
            self._give_up()
            return False
        if len(self._held) < end + length:
            return False
        body, self._held = self._held[end : end + length], self._held[end + length :]
        self._received()
        reply = self._posts.begin(body)
        if isinstance(reply, Awaitable):
            self._wait_for(asyncio.get_running_loop().create_task(self._later(reply)))
        else:
            self._write(reply)
        return True

    def _give_up(self) -> None:
        held, self._held, self._over = self._held, b"", True
        self._hand_over(held)

    def _wait_for(self, task: asyncio.Task[None]) -> None:
        self._task = task
        self._transport.pause_reading()

    async def _rest(self) -> None:
        """Let others have their turn."""
        await asyncio.sleep(0)
        self._task = None
        self._go_on()

    async def _later(self, reply: Awaitable[Reply]) -> None:
        text = await reply
        self._task = None
        self._write(text)
        self._go_on()

    def _write(self, reply: Reply) -> None:
        content = b"" if reply is None else reply.encode()
        self._transport.write(_EMPTY if reply is None else _FOUND % (len(content), content))
        self._answered()

    def _go_on(self) -> None:
        if not self._full and self._task is None and not self._transport.is_closing():
            self._transport.resume_reading()
            self.feed(b"")

    def pause(self) -> None:
        """Read nothing more: the client does not take what it is sent."""
        if not self._over:
            self._full = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on after a pause."""
        if self._full:
            self._full = False
            self._go_on()

    def end(self) -> None:
        """The client has gone: what it waits for is not carried on."""
        if self._task is not None:  # a coroutine that has not begun cannot be told, so it begins first
            asyncio.get_running_loop().call_soon(self._task.cancel)
