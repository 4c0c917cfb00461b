"""Plain POSTs are answered as the HTTP library would, and whatever is not plain is left to it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpRequestParser
from hypothesis import given
from hypothesis import strategies as st
from tests.devnet_process import START_SECONDS, DevnetProcess
from tests.sdk.devnet.rpc.test_limits import until

from subnetlab.devnet.rpc.plain_post import (
    MOST_BODY_BYTES,
    MOST_HEAD_BYTES,
    Plain,
    PlainPosts,
    fields_of,
    length_of,
)

PLAIN = {"Host": "localhost", "Content-Length": "2"}
names = st.one_of(
    st.sampled_from(["Content-Length", "Host", "Connection", "X", "Transfer-Encoding", "Expect", "Origin"]),
    st.text(st.characters(codec="latin-1"), max_size=4),
)
values = st.one_of(
    st.sampled_from(["0", "2", " 2", "+2", "0x2", "2, 2", "keep-alive", "close", "chunked", "localhost", ""]),
    st.text(st.characters(codec="latin-1"), max_size=4),
)
colons = st.sampled_from([": ", ":", " : ", ":\t", "", "\r\n :"])
extra = st.lists(st.tuples(names, colons, values).map("".join), max_size=3)


def head(*lines: str, line: str = "POST / HTTP/1.1") -> bytes:
    return "\r\n".join([line, *lines, "", ""]).encode("latin-1")


def listed(fields: dict[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in fields.items()]


@given(lines=extra, at=st.integers(0, 2))
def test_what_is_plain_is_read_as_the_library_reads_it(lines: list[str], at: int) -> None:
    written = listed(PLAIN)
    data = head(*written[:at], *lines, *written[at:])
    fields = fields_of(data)
    if fields is None:
        return
    loop = asyncio.new_event_loop()
    try:
        ((message, _),), _, _ = HttpRequestParser(BaseProtocol(loop), loop, 2**16).feed_data(data + b"{}")
    finally:
        loop.close()
    theirs = {name.lower(): value for name, value in message.headers.items()}
    theirs.pop("connection", None)
    assert fields == theirs
    assert (message.method, message.should_close, message.chunked) == ("POST", False, False)
    assert length_of(fields) == int(message.headers["Content-Length"])


@pytest.mark.parametrize(
    "data",
    [
        head(*listed(PLAIN), line="GET / HTTP/1.1"),
        head(*listed(PLAIN), line="POST / HTTP/1.0"),
        head(*listed(PLAIN), line="POST  / HTTP/1.1"),
        head(*listed(PLAIN), line="POST /\x80 HTTP/1.1"),
        head(*listed(PLAIN), "Content-Length: 3"),
        head(*listed(PLAIN), "Transfer-Encoding: chunked"),
        head(*listed(PLAIN), "Connection: close"),
        head(*listed(PLAIN), "Connection: Upgrade", "Upgrade: websocket"),
        head(*listed(PLAIN), "Expect: 100-continue"),
        head(*listed(PLAIN), "Content-Encoding: gzip"),
        head(*listed(PLAIN), " folded"),
        head(*listed(PLAIN), "Name : value"),
        head("Host: localhost"),
        head("Content-Length: 2"),
        head("Host: localhost", "Content-Length: -1"),
        head("Host: localhost", f"Content-Length: {MOST_BODY_BYTES + 1}"),
    ],
)
def test_what_is_not_plain_is_left_to_the_library(data: bytes) -> None:
    assert fields_of(data) is None


def request(method: str, *params: Any, **fields: str) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": list(params)}).encode()
    return head(*listed({"Host": "localhost", "Content-Length": str(len(body)), **fields})) + body


@asynccontextmanager
async def line(node: DevnetProcess) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    yield reader, writer
    writer.close()
    await writer.wait_closed()


async def heard(reader: asyncio.StreamReader) -> tuple[str, Any]:
    """The status of a response, and its JSON."""
    async with asyncio.timeout(START_SECONDS):
        said = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [one for one in said.lower().split("\r\n") if one.startswith("content-length:")]
        body = await reader.readexactly(int(lengths[0].split(":")[1])) if lengths else b""
    return said.split("\r\n")[0], json.loads(body) if body.startswith(b"{") else body.decode()


async def test_requests_in_one_piece_are_answered_in_their_order(node: DevnetProcess) -> None:
    """One of them takes its time, one is for the library, and those after it too."""
    call = {"to": "0x" + "22" * 20}
    asked = [
        request("system_chain"),
        request("eth_call", call, "latest"),
        request("system_name"),
        request("eth_chainId", Expect="100-continue").replace(b"Expect: 100-continue", b"TE: trailers"),
        request("system_version"),
    ]
    async with line(node) as (reader, writer):
        writer.write(b"".join(asked))
        answers = [(await heard(reader))[1]["id"] for _ in asked]
    assert answers == ["system_chain", "eth_call", "system_name", "eth_chainId", "system_version"]


async def test_a_request_may_arrive_byte_by_byte(node: DevnetProcess) -> None:
    async with line(node) as (reader, writer):
        for byte in request("system_chain"):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        assert (await heard(reader))[1]["result"] == "Development"


async def test_a_page_that_begins_plainly_gets_no_further(node: DevnetProcess) -> None:
    async with line(node) as (reader, writer):
        writer.write(request("system_chain"))
        assert (await heard(reader))[0] == "HTTP/1.1 200 OK"
        writer.write(request("system_chain", Origin="https://evil.example"))
        assert (await heard(reader))[0] == "HTTP/1.1 403 Forbidden"


async def test_the_token_opens_one_request_and_not_the_next(node: DevnetProcess) -> None:
    async with line(node) as (reader, writer):
        writer.write(request("dev_info", **node.authorization) + request("dev_info"))
        assert "result" in (await heard(reader))[1]
        assert "unsafe" in (await heard(reader))[1]["error"]["message"]


async def test_a_notification_has_no_content(node: DevnetProcess) -> None:
    body = b'{"jsonrpc": "2.0", "method": "system_chain"}'
    async with line(node) as (reader, writer):
        writer.write(head(*listed({"Host": "localhost", "Content-Length": str(len(body))})) + body)
        writer.write(request("system_chain"))
        assert (await heard(reader))[0] == "HTTP/1.1 204 No Content"
        assert (await heard(reader))[1]["result"] == "Development"


async def test_a_long_body_is_answered_too(node: DevnetProcess) -> None:
    async with aiohttp.ClientSession() as session:
        params = ["0x" + "00" * MOST_BODY_BYTES]
        for asked in ({"method": "web3_sha3", "params": params}, {"method": "system_chain"}):
            url = f"http://127.0.0.1:{node.port}"
            async with session.post(url, json={"jsonrpc": "2.0", "id": 1, **asked}) as response:
                assert "result" in await response.json()


class Echo:
    """Answers with a long text, at once or when it is let, and counts."""

    def __init__(self, size: int = 2) -> None:
        self.size, self.answers = size, 0
        self.waited: asyncio.Future[str | None] | None = None

    def judged(self, _head: bytes) -> Plain:
        return Plain(length=2, privileged=False)

    def answer(self, _body: bytes, _plain: Plain) -> Any:
        self.answers += 1
        return self.waited or "x" * self.size

    def begun(self, _transport: asyncio.Transport) -> None: ...

    def ended(self, _transport: asyncio.Transport) -> None: ...


class Library(asyncio.Protocol):
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.received = b""
        self.is_gone = False
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, _exc: Exception | None) -> None:
        self.is_gone = True


@asynccontextmanager
async def before(echo: Echo) -> AsyncIterator[tuple[Library, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to plain POSTs that stand before a library, both in this process."""
    library, loop = Library(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: PlainPosts(library, echo), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        async with asyncio.timeout(START_SECONDS):
            yield library, reader, writer
    finally:
        writer.close()
        server.close()


def is_read(library: Library) -> bool:
    assert isinstance(library.transport, asyncio.Transport)
    return library.transport.is_reading()


async def test_a_client_that_does_not_read_is_not_read_and_hears_all_in_the_end() -> None:
    """All requests come in one piece; what is unread never exceeds a few answers."""
    echo, asked, size = Echo(4 * 2**20), 12, 4 * 2**20
    async with before(echo) as (library, reader, writer):
        writer.write((head() + b"{}") * asked)
        await until(lambda: echo.answers and not is_read(library))
        assert echo.answers < asked
        for _ in range(asked):
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(size)
        assert echo.answers == asked
        await until(lambda: is_read(library))


async def test_a_client_that_waits_is_not_read_and_a_gone_one_is_not_written_to() -> None:
    echo = Echo()
    echo.waited = asyncio.get_running_loop().create_future()
    async with before(echo) as (library, _, writer):
        writer.write((head() + b"{}") * 2)
        await until(lambda: echo.answers)
        assert not is_read(library)
        assert library.transport is not None
        library.transport.abort()  # type: ignore[attr-defined]
        await until(lambda: library.is_gone)
        echo.waited.set_result("late")
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)
        assert (echo.answers, library.received) == (1, b"")


@pytest.mark.parametrize("sent", [b"GET", b"\x16\x03\x01", b"POST / " + b"x" * MOST_HEAD_BYTES])
async def test_what_cannot_become_plain_is_handed_over_at_once(sent: bytes) -> None:
    async with before(Echo()) as (library, _, writer):
        writer.write(sent)
        await until(lambda: library.received == sent)
