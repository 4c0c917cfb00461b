"""Messages that begin and do not end: how much of them a node holds, and for how long."""

import asyncio
import contextlib
import gc
import json
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from tests.devnet_process import START_SECONDS
from tests.sdk.devnet.rpc.conftest import RawSocket, serving

from subnetlab.devnet.node.node import Node
from subnetlab.devnet.node.sealer import Manual, Sealer
from subnetlab.devnet.rpc.incoming import MAX_OF_ONE, SMALL_BYTES, Incoming, Unfinished
from subnetlab.devnet.rpc.listener import Limits
from subnetlab.devnet.rpc.server import MAX_FRAME_BYTES, Server
from subnetlab.devnet.rpc.service import Service

LENGTH, PART = 2**20, 300 * 2**10
CHAIN = {"jsonrpc": "2.0", "id": 1, "method": "system_chain"}
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
FRAME = b"\x81\xff" + LENGTH.to_bytes(8, "big") + bytes(4)
POST = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LENGTH}\r\n\r\n".encode()


@asynccontextmanager
async def half(url: str, kind: str) -> AsyncIterator[asyncio.StreamReader]:
    """A client that sends a part of a message and stops."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    if kind == "websocket":
        writer.write(UPGRADE)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    writer.write((FRAME if kind == "websocket" else POST) + b"x" * PART)
    with contextlib.suppress(ConnectionResetError):
        await writer.drain()
    yield reader
    writer.close()
    with contextlib.suppress(ConnectionResetError):
        await writer.wait_closed()


async def closed(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""


@pytest.mark.parametrize("kind", ["websocket", "post"])
async def test_all_together_hold_no_more_than_the_node_grants(chain: Node, kind: str) -> None:
    async with serving(chain, unfinished_bytes=LENGTH) as (_, url), contextlib.AsyncExitStack() as clients:
        readers = [await clients.enter_async_context(half(url, kind)) for _ in range(8)]
        ends = [asyncio.create_task(closed(reader)) for reader in readers]
        async with asyncio.timeout(START_SECONDS):
            while sum(end.done() for end in ends) < 5:
                await asyncio.wait([end for end in ends if not end.done()], return_when="FIRST_COMPLETED")
            async with aiohttp.ClientSession() as session:
                for _ in range(3):
                    whole = json.dumps({**CHAIN, "rest": "x" * PART})
                    answer = await (await session.post(url, data=whole)).json()
                    assert answer["result"] == "Development"
        assert not ends[-1].done(), "more were closed than had to be"
        for end in ends:
            end.cancel()


async def test_the_body_of_who_has_gone_is_forgotten_at_once(chain: Node) -> None:
    """Not when Python next looks for circles, which it does seldom."""
    async with serving(chain) as (_, url), aiohttp.ClientSession() as session:
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            for _ in range(8):
                async with half(url, "post"):
                    pass
            for _ in range(3):  # the node has read what came before
                await (await session.post(url, json=CHAIN)).read()
            assert tracemalloc.get_traced_memory()[0] < 4 * PART
        finally:
            tracemalloc.stop()
            gc.enable()


async def test_a_message_that_does_not_go_on_is_given_up_and_silence_is_not(chain: Node) -> None:
    async with serving(chain, request_s=0.05) as (_, url), aiohttp.ClientSession() as session:
        idle = RawSocket(await session.ws_connect(url))
        async with half(url, "websocket") as reader:
            await asyncio.wait_for(closed(reader), START_SECONDS)
        assert (await idle.ask("system_chain"))["result"] == "Development"
        await idle.socket.close()


async def test_what_was_whole_is_held_no_more(chain: Node) -> None:
    """Pings, long messages, texts that are more bytes than letters, and a batch of all at once."""
    server = Server(Service(chain, Sealer(chain, Manual()), stop=lambda: None), token="", limits=Limits())
    await server.start(0)
    assert server._listener is not None
    url, unfinished = f"http://127.0.0.1:{server.port}", server._listener._unfinished
    async with aiohttp.ClientSession() as session:
        opened = await session.ws_connect(url, max_msg_size=0)
        for pad in ("", "x" * 2**20, "é" * 2**20, "x" * 10):
            for _ in range(2):
                await opened.ping(b"p" * 125)
                await opened.send_str(json.dumps({**CHAIN, "pad": pad}, ensure_ascii=False))
                await opened.send_bytes(json.dumps(CHAIN).encode())
            for _ in range(4):
                assert (await opened.receive_json())["result"] == "Development"
        assert unfinished.size == 0
        await (await session.post(url, json={**CHAIN, "pad": "x" * 500_000})).read()
        assert unfinished.size == 0
        await opened.close()
    await server.stop()
    assert unfinished.size == 0
    assert not unfinished._each


class Clients:
    """Connections, and those of them that were closed."""

    def __init__(self, most: int = 2**30) -> None:
        self.unfinished, self.closed = Unfinished(most), list[str]()

    def begin(self, name: str, size: int = 0) -> Incoming:
        def abort() -> None:
            self.closed.append(name)

        one = self.unfinished.made(abort)
        one.begin()
        one.arrived(size)
        return one


def test_who_was_silent_for_longest_makes_room() -> None:
    clients, part = Clients(4 * PART), SMALL_BYTES + 1
    clients.begin("small", SMALL_BYTES)
    steady, _ = clients.begin("steady", part), clients.begin("silent", 2 * PART)
    later = clients.begin("later", PART)
    steady.arrived(part)
    assert clients.closed == []
    later.arrived(PART)
    assert clients.closed == ["silent"]
    while steady.size < 2 * PART:
        steady.arrived(part)
    assert clients.closed == ["silent", "later"]
    assert clients.unfinished.size == steady.size + SMALL_BYTES


def test_what_is_not_asked_for_is_not_held() -> None:
    """A body that is read and thrown away, behind an answer that refused it."""
    clients = Clients(PART)
    one = clients.unfinished.made(lambda: clients.closed.append("one"))
    for _ in range(100):
        one.arrived(PART)
    assert clients.unfinished.size == 0
    assert clients.closed == []
    clients.begin("other").arrived(PART)
    assert clients.closed == []


def test_one_holds_no_more_than_its_longest_messages() -> None:
    clients = Clients()
    one = clients.begin("one")
    for _ in range(0, MAX_OF_ONE, MAX_FRAME_BYTES):
        one.arrived(MAX_FRAME_BYTES)
    assert clients.closed == []
    one.arrived(1)
    assert clients.closed == ["one"]
    assert clients.unfinished.size == 0


def seen(clients: Clients, *times: float) -> Any:
    for now in times:
        clients.unfinished.close_silent(now, 30.0)
    return clients.closed


def test_a_message_has_to_go_on_however_slowly() -> None:
    clients = Clients()
    clients.begin("idle")
    clients.begin("small", SMALL_BYTES)
    steady, _ = clients.begin("steady", PART), clients.begin("stopped", PART)
    busy, answered = clients.begin("busy", 2 * PART), clients.begin("answered", 2 * PART)
    busy.take(1)
    for now in range(0, 600, 15):
        seen(clients, float(now))
        steady.arrived(SMALL_BYTES // 2)
        answered.arrived(100)
        answered.take(100)
        answered.answering = False
    assert clients.closed == ["stopped"]
    busy.answering = False
    assert seen(clients, 600.0, 629.0) == ["stopped"]
    assert "busy" in seen(clients, 630.0)
