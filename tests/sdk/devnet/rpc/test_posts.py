"""Plain POSTs: answered in order however their bytes arrive, and everything else is the HTTP library's."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.sdk.devnet.rpc.conftest import serving, until

from subnetlab.devnet.node.node import Node
from subnetlab.devnet.rpc import posts as rpc_posts
from subnetlab.devnet.rpc.posts import MOST_BODY, MOST_HEAD, Posts
from subnetlab.devnet.rpc.service import Service
from subnetlab.devnet.rpc.simulations import MOST_LONG

LIBRARY = b"Server: "
"""A header that only the library's answers have."""
LOOP = "0x5b600056"
MANY = 2000
CALL = {"to": "0x" + "77" * 20, "gas": "0x2faf080"}


def body(identifier: int | None, method: str = "system_chain", *params: Any) -> bytes:
    told = {} if identifier is None else {"id": identifier}
    return json.dumps({"jsonrpc": "2.0", **told, "method": method, "params": params}).encode()


def post(content: bytes, *lines: str, host: str = "localhost") -> bytes:
    head = ["POST / HTTP/1.1", f"Host: {host}", f"Content-Length: {len(content)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + content


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> tuple[bytes, Any]:
        """The head of the next answer, and what it holds."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        told = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
        content = await self.reader.readexactly(int(told[0].split(b":")[1]) if told else 0)
        return head, json.loads(content) if content.startswith((b"{", b"[")) else content


@asynccontextmanager
async def line(url: str) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


async def test_requests_sent_ahead_are_answered_in_order_also_behind_one_that_takes_long(chain: Node) -> None:
    async with serving(chain) as (_, url), line(url) as opened:
        long = body(2, "eth_call", CALL, "latest", {CALL["to"]: {"code": LOOP}})
        sent = [post(body(1)), post(long), post(body(3)), post(body(None)), post(b"[" + body(4) + b"]")]
        opened.writer.write(b"".join(sent))
        answers = [await opened.answer() for _ in sent]
    assert not any(LIBRARY in head for head, _ in answers)
    assert [told["id"] for _, told in answers[:3]] == [1, 2, 3]
    assert "error" in answers[1][1]
    assert (answers[3][0], answers[3][1]) == (b"HTTP/1.1 204 No Content\r\n\r\n", b"")
    assert answers[4][1][0]["result"] == "Development"


async def test_a_request_may_arrive_byte_by_byte(chain: Node) -> None:
    async with serving(chain) as (_, url), line(url) as opened:
        for byte in post(body(7), "Connection: keep-alive"):
            opened.writer.write(bytes([byte]))
            await opened.writer.drain()
            await asyncio.sleep(0)
        head, told = await opened.answer()
    assert LIBRARY not in head
    assert (told["id"], told["result"]) == (7, "Development")


@pytest.mark.parametrize(
    ("lines", "content"),
    [
        (("Connection: close",), body(1)),
        (("Expect: 100-continue",), body(1)),
        (("Authorization: Bearer token",), body(1, "dev_info")),
        ((), b" " * MOST_BODY + body(1)),
        ((f"X-Long: {'x' * MOST_HEAD}",), body(1)),
    ],
    ids=["closing", "expecting", "privileged", "long body", "long head"],
)
async def test_what_is_not_plain_is_the_library_s_also_after_plain_ones(
    chain: Node, lines: tuple[str, ...], content: bytes
) -> None:
    async with serving(chain) as (_, url), line(url) as opened:
        opened.writer.write(post(body(0)) + post(content, *lines))
        plain, _ = await opened.answer()
        head, told = await opened.answer()
        if head.startswith(b"HTTP/1.1 100 "):
            head, told = await opened.answer()
    assert LIBRARY not in plain
    assert LIBRARY in head
    assert told["id"] == 1
    assert "result" in told


@pytest.mark.parametrize(
    "sent",
    [
        post(body(1), "Origin: https://example.org"),
        post(body(1), host="example.org"),
        post(body(1), "Content-Length: 3"),
        post(body(1), "Transfer-Encoding: chunked"),
        post(body(1)).replace(b"\r\n\r\n", b"\n\r\n"),
        post(body(1)).replace(b"Content-Length: ", b"Content-Length: +"),
        post(body(1)).replace(b"Content-Length", b"Content Length"),
        b"POST / HTTP/1.1\n\nPOST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["origin", "host", "two lengths", "chunked", "bare feed", "signed", "no token", "two in one"],
)
async def test_a_refused_or_broken_head_is_never_answered_here(chain: Node, sent: bytes) -> None:
    async with serving(chain) as (_, url), line(url) as opened:
        opened.writer.write(sent)
        head, _ = await opened.answer()
    assert LIBRARY in head
    assert head.split(b" ")[1] in (b"400", b"403", b"500")


async def test_a_head_is_read_once() -> None:
    asked: list[str] = []
    posts = Posts(lambda _: None, lambda headers: asked.append(headers["Host"]))
    head = post(b"12").removesuffix(b"12")
    assert [posts.length(head), posts.length(head)] == [2, 2]
    assert asked == ["localhost"]


async def test_a_client_that_reads_nothing_is_not_read_either(chain: Node) -> None:
    begun: list[int] = []
    async with serving(chain) as (service, url), line(url) as opened:
        service.on_used.append(lambda: begun.append(1))
        opened.writer.transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue]
        opened.writer.write(post(body(1, "state_getMetadata")) * MANY)
        await until(lambda: begun)
        async with line(url) as other:
            for _ in range(20):
                other.writer.write(post(body(5)))
                assert (await other.answer())[1]["id"] == 5
    assert len(begun) < MANY / 2, "a client that reads nothing was answered all the same"


async def test_who_sends_far_ahead_lets_others_have_their_turn(
    chain: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc_posts, "TURN_S", 0.0)  # a turn for each request
    begun: list[int] = []
    async with serving(chain) as (service, url), line(url) as opened, line(url) as other:
        other.writer.write(post(body(4)))
        await other.answer()
        service.on_used.append(lambda: begun.append(1))
        opened.writer.write(post(body(1)) * MANY)
        await until(lambda: begun)
        other.writer.write(post(body(5)))
        assert (await other.answer())[1]["id"] == 5
        assert len(begun) < MANY / 2, "one client was answered everything first"
        for _ in range(MANY):
            assert (await opened.answer())[1]["id"] == 1


def free(service: Service) -> int:
    return service.simulations.long._value  # pyright: ignore[reportPrivateUsage]


async def test_what_a_client_waited_for_ends_when_it_goes(chain: Node) -> None:
    async with serving(chain) as (service, url):
        async with line(url) as opened:
            opened.writer.write(post(body(1, "eth_call", CALL, "latest", {CALL["to"]: {"code": LOOP}})))
            await until(lambda: free(service) < MOST_LONG)
        await until(lambda: free(service) == MOST_LONG)
