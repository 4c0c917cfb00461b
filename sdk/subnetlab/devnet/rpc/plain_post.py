"""Plain POSTs answered on the connection itself, because the HTTP library takes longer than most answers.

A POST is plain where its head is short and spells nothing unusual, and its body's length is named and small.
From the first request on that is not, the connection is the HTTP library's, which then sees all its bytes: so
nothing is answered here that the library would understand in another way.
"""

import asyncio
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from email.utils import formatdate
from time import time
from typing import Final, Protocol

MOST_HEAD_BYTES: Final = 2048
MOST_BODY_BYTES: Final = 64 * 2**10
_METHOD, _END = b"POST ", b"\r\n\r\n"
_REQUEST_LINE = re.compile(rb"POST /[!-~]* HTTP/1\.1\r\n")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([ -~]*?)[ \t]*\r\n")
_LENGTH = re.compile(r"[0-9]{1,6}")
_UNUSUAL = frozenset(
    {"connection", "content-encoding", "expect", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Fields that change how a request is read; `Connection: keep-alive` changes nothing."""


@dataclass(frozen=True, slots=True)
class Plain:
    """What the head of a plain POST says."""

    length: int
    """Bytes of its body."""
    privileged: bool
    """Whether it carries the owner's token."""


class Answering(Protocol):
    """What plain POSTs are answered by."""

    def judged(self, head: bytes) -> Plain | None:
        """What a head says; None where the HTTP library is to read the request."""
        ...

    def begun(self, transport: asyncio.Transport) -> None:
        """Note that a request has arrived whole."""
        ...

    def answer(self, body: bytes, plain: Plain) -> str | Awaitable[str | None] | None:
        """The answer to a request."""
        ...

    def ended(self, transport: asyncio.Transport) -> None:
        """Note that a request is answered."""
        ...


def fields_of(head: bytes) -> dict[str, str] | None:
    """The fields of a plain POST's head by their names in lower case; None where it is none."""
    line = _REQUEST_LINE.match(head)
    if line is None:
        return None
    fields: dict[str, str] = {}
    at, end = line.end(), len(head) - 2
    while at < end:
        field = _FIELD.match(head, at)
        if field is None:
            return None
        name = field[1].decode().lower()
        if name in fields:
            return None
        fields[name] = field[2].decode()
        at = field.end()
    if fields.get("connection", "").lower() == "keep-alive":
        del fields["connection"]
    unusual = not _UNUSUAL.isdisjoint(fields) or "host" not in fields
    return None if unusual or length_of(fields) is None else fields


def length_of(fields: dict[str, str]) -> int | None:
    """Bytes of the body; None where they are not named, or too many."""
    named = fields.get("content-length", "")
    length = int(named) if _LENGTH.fullmatch(named) else None
    return None if length is None or length > MOST_BODY_BYTES else length


class PlainPosts(asyncio.Protocol):
    """One connection: its plain POSTs in their order, until the HTTP library takes it over."""

    def __init__(self, library: asyncio.Protocol, answering: Answering) -> None:
        """Stand before the library's protocol."""
        self._library, self._answering = library, answering
        self._transport: asyncio.Transport | None = None
        self._unread = b""
        self._is_handed_over = False
        self._is_unheard = False
        """Whether the client has left so much unread that nothing more is written."""
        self._answered: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The library hears of every connection, because it closes them when the server stops."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._library.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone; what is being answered comes to its end."""
        self._unread = b""
        self._library.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Answer what has arrived whole."""
        if self._is_handed_over:
            self._library.data_received(data)
            return
        self._unread += data
        self._next()

    def eof_received(self) -> bool | None:
        """The client sends no more."""
        return self._library.eof_received()

    def pause_writing(self) -> None:
        """The client does not read: it is not read either."""
        self._is_unheard = True
        self._library.pause_writing()
        if not self._is_handed_over and self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._is_unheard = False
        self._library.resume_writing()
        if not self._is_handed_over:
            self._go_on()

    def _go_on(self) -> None:
        """Read on and answer what has arrived meanwhile, where nothing is in the way."""
        if self._answered is None and not self._is_unheard and self._transport is not None:
            self._transport.resume_reading()
            self._next()

    def _next(self) -> None:
        """Answer the next request where it is there and plain."""
        transport, unread = self._transport, self._unread
        if self._answered is not None or self._is_unheard or not unread:
            return
        if transport is None or transport.is_closing():
            return
        end = unread.find(_END) + len(_END)
        if end < len(_END):
            if len(unread) > MOST_HEAD_BYTES or not unread.startswith(_METHOD[: len(unread)]):
                self._hand_over()
            return
        plain = self._answering.judged(unread[:end]) if end <= MOST_HEAD_BYTES else None
        if plain is None:
            self._hand_over()
        elif len(unread) >= end + plain.length:
            self._unread = unread[end + plain.length :]
            self._answering.begun(transport)
            reply = self._answering.answer(unread[end : end + plain.length], plain)
            if reply is None or isinstance(reply, str):
                self._write(transport, reply)
            else:
                transport.pause_reading()
                self._answered = asyncio.get_running_loop().create_task(self._later(transport, reply))

    def _hand_over(self) -> None:
        self._is_handed_over = True
        unread, self._unread = self._unread, b""
        self._library.data_received(unread)

    async def _later(self, transport: asyncio.Transport, reply: Awaitable[str | None]) -> None:
        text = await reply
        self._answered = None
        if not transport.is_closing():
            self._write(transport, text)
            self._go_on()

    def _write(self, transport: asyncio.Transport, text: str | None) -> None:
        transport.write(_response(text))
        self._answering.ended(transport)
        if self._unread:  # others have their turn first
            asyncio.get_running_loop().call_soon(self._next)


def _response(text: str | None) -> bytes:
    if text is None:
        return b"HTTP/1.1 204 No Content\r\nDate: %s\r\n\r\n" % _date(int(time()))
    body = text.encode()
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n"
        b"Date: %s\r\n\r\n%s" % (len(body), _date(int(time())), body)
    )


_dates: dict[int, bytes] = {}


def _date(second: int) -> bytes:
    """The time as HTTP writes it, written once a second."""
    found = _dates.get(second)
    if found is None:
        _dates.clear()
        found = _dates[second] = formatdate(second, usegmt=True).encode()
    return found
