"""What one client may take from the others: bytes, connections and time."""

import asyncio
import contextlib
import gzip
import itertools
import json
import socket as sockets
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from tests.devnet_process import START_SECONDS, DevnetProcess, running_devnet
from tests.sdk.devnet.rpc.conftest import RawSocket, serving, until

from subnetlab.devnet.chain.extrinsic import digest
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.rpc import subscriptions
from subnetlab.devnet.rpc.connection import (
    LOW_WATER_BYTES,
    MAX_OUTBOX_BYTES,
    Connection,
    Outbox,
    Unsent,
)
from subnetlab.devnet.rpc.listener import Limits, Listener
from subnetlab.devnet.rpc.method import MAX_ANSWER_BYTES, METHODS, Parameters
from subnetlab.devnet.rpc.service import Service

METADATA = {"jsonrpc": "2.0", "id": 1, "method": "state_getMetadata"}
CHAIN = b'{"jsonrpc": "2.0", "id": 1, "method": "system_chain"}'


async def test_a_batch_whose_answer_is_too_long_is_refused_whole(socket: RawSocket) -> None:
    answer = await socket.say(json.dumps([METADATA] * 1000))
    assert answer["error"]["code"] == -32011
    assert (await socket.ask("system_chain"))["result"] == "Development"


def test_an_answer_that_is_too_long_is_refused(node: DevnetProcess) -> None:
    key, value = "0x" + "77" * 16, "0x" + "11" * 2**20
    node.rpc("dev_setStorage", key, value)
    node.seal()
    error = node.ask("state_queryStorageAt", [key] * 100)["error"]
    assert error == {
        "code": -32008, "message": "Response is too big", "data": f"Exceeded max limit of {MAX_ANSWER_BYTES}",
    }  # fmt: skip
    assert len(node.rpc("state_queryStorageAt", [key])[0]["changes"]) == 1


@asynccontextmanager
async def deaf(url: str, text: str, times: int) -> AsyncIterator[sockets.socket]:
    """A WebSocket client that sends the same text often and never reads an answer."""
    loop, port = asyncio.get_running_loop(), int(url.rsplit(":", 1)[1])
    with sockets.socket() as opened:
        opened.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        opened.settimeout(0)
        await loop.sock_connect(opened, ("127.0.0.1", port))
        await loop.sock_sendall(
            opened,
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        )
        assert (await loop.sock_recv(opened, 4096)).startswith(b"HTTP/1.1 101 ")
        frame = b"\x81" + bytes([0x80 | len(text)]) + bytes(4) + text.encode()
        sending = asyncio.create_task(loop.sock_sendall(opened, frame * times))
        yield opened
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await sending


async def test_a_client_that_does_not_read_is_not_read(chain: Node) -> None:
    """It asks for far more than it takes; what waits for it stays within one answer."""
    async with (
        serving(chain) as (service, url),
        aiohttp.ClientSession() as session,
        session.ws_connect(url) as other,
    ):
        async with deaf(url, json.dumps(METADATA), 5000):
            await until(lambda: service.unsent.size > LOW_WATER_BYTES)
            for _ in range(50):
                await other.send_str(CHAIN.decode())
                assert (await other.receive_json())["result"] == "Development"
                assert service.unsent.size < LOW_WATER_BYTES + 2**20
        await until(lambda: len(service.connections) == 1)
        assert service.unsent.size == 0


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP, identity"])
def test_a_compressed_request_is_refused_before_it_is_unpacked(node: DevnetProcess, encoding: str) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(urllib.error.HTTPError) as refused:
        node.post(bomb, {"Content-Encoding": encoding})
    assert refused.value.code == 415
    refused.value.close()
    assert node.post(CHAIN, {"Content-Encoding": "identity"})["result"] == "Development"


async def test_a_client_that_pings_reads_nothing_and_goes_leaves_no_trace(
    chain: Node, caplog: pytest.LogCaptureFixture
) -> None:
    ping = b"\x89" + bytes([0x80 | 125]) + bytes(4) + b"p" * 125
    async with serving(chain) as (service, url):
        async with deaf(url, "[]", 1) as opened:
            loop = asyncio.get_running_loop()
            sending = asyncio.create_task(loop.sock_sendall(opened, ping * 200_000))
            await until(lambda: service.connections)
            for _ in range(500):
                await asyncio.sleep(0)
            assert not sending.done(), "its pings were taken although nobody read the pongs"
            sending.cancel()
        await until(lambda: not service.connections)
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_client_that_reads_nothing_for_long_is_let_go(chain: Node) -> None:
    async with serving(chain, send_s=0.05) as (service, url), deaf(url, json.dumps(METADATA), 50):
        await until(lambda: service.connections)
        await until(lambda: not service.connections)
        assert service.unsent.size == 0


async def test_an_outbox_that_runs_over_closes_its_connection() -> None:
    unsent, closed = Unsent(), list[bool]()
    outbox = Outbox(unsent, lambda: closed.append(True))
    text = "x" * 2**20
    for _ in range(MAX_OUTBOX_BYTES // 2**20):
        outbox.put(text)
    assert not closed
    outbox.put(text)
    assert closed
    assert unsent.size == 0
    await asyncio.wait_for(outbox.drained(), START_SECONDS)


async def test_others_have_their_turn_within_a_batch(socket: RawSocket, node: DevnetProcess) -> None:
    slow = {"jsonrpc": "2.0", "id": 1, "method": "state_getKeysPaged", "params": ["0x", 1000]}
    async with aiohttp.ClientSession() as session, session.ws_connect(node.endpoint, max_msg_size=0) as busy:
        await busy.send_str(json.dumps([slow] * 60))
        assert (await socket.ask("system_chain"))["result"] == "Development"
        answer = json.loads(await busy.receive_str())
        assert isinstance(answer, list)


async def test_others_have_their_turn_among_the_requests_of_one_client(
    chain: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[str] = []

    def slow(_service: Service, parameters: Parameters, _connection: Connection) -> str:
        answered.append(parameters.text(0))
        return digest(bytes(2**20)).hex()

    monkeypatch.setitem(METHODS.handlers, "test_slow", slow)
    asked = {"jsonrpc": "2.0", "id": 1, "method": "test_slow"}
    async with serving(chain) as (_, url), aiohttp.ClientSession() as session:
        busy, other = await session.ws_connect(url), await session.ws_connect(url)
        for _ in range(100):
            await busy.send_str(json.dumps(asked | {"params": ["busy"]}))
        await other.send_str(json.dumps(asked | {"params": ["other"]}))
        await other.receive_str()
        for _ in range(100):
            await busy.receive_str()
        assert answered.index("other") < 50
        await busy.close()
        await other.close()


async def test_subscriptions_are_counted_for_the_node(chain: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MAX_NODE_SUBSCRIPTIONS", 3)
    monkeypatch.setattr(subscriptions, "MAX_WATCHED_KEYS", 3)
    async with serving(chain) as (_, url), aiohttp.ClientSession() as session:
        first, second = RawSocket(await session.ws_connect(url)), RawSocket(await session.ws_connect(url))
        assert "result" in await first.ask("state_subscribeStorage", ["0x00", "0x01"])
        await first.hear()
        refused = await second.ask("state_subscribeStorage", ["0x00", "0x01"])
        assert refused["error"]["code"] == -32006
        assert "result" in await second.ask("state_subscribeRuntimeVersion")
        await second.hear()
        assert "result" in await first.ask("chain_subscribeNewHeads")
        await first.hear()
        refused = await second.ask("chain_subscribeNewHeads")
        assert refused["error"] == {"code": -32006, "message": "Too many subscriptions on the node"}
        await first.socket.close()
        assert "result" in await second.ask("chain_subscribeNewHeads")
        await second.socket.close()


async def test_a_block_is_written_once_for_all_who_hear_of_it(
    chain: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    async with serving(chain) as (_, url), aiohttp.ClientSession() as session:
        opened = RawSocket(await session.ws_connect(url))
        for _ in range(5):
            await opened.ask("chain_subscribeNewHeads")
            await opened.hear()
        header = type(chain.blocks.head).header
        monkeypatch.setattr(
            type(chain.blocks.head), "header", lambda block: written.append(1) or header(block)
        )
        chain.seal()
        assert len({json.dumps((await opened.hear())["params"]["result"]) for _ in range(5)}) == 1
        assert len(written) == 1
        await opened.socket.close()


@pytest.mark.parametrize(
    "sent", [b"", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nhalf"]
)
async def test_a_request_that_does_not_arrive_is_given_up(chain: Node, sent: bytes) -> None:
    async with serving(chain, request_s=0.05) as (_, url):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        writer.write(sent)
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), START_SECONDS) == b""
        writer.close()
        with contextlib.suppress(ConnectionResetError):
            await writer.wait_closed()


async def test_who_asks_before_it_sends_a_body_is_told_to_go_on(chain: Node) -> None:
    """curl asks so from a mebibyte on and waits a second; others wait until they are given up."""
    async with serving(chain) as (_, url):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(CHAIN)}\r\n"
        writer.write(f"{head}Expect: 100-continue\r\n\r\n".encode())
        async with asyncio.timeout(START_SECONDS):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(CHAIN)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await writer.wait_closed()


class Line(asyncio.Transport):
    """A connection that says when it was given up."""

    def __init__(self) -> None:
        super().__init__()
        self.given_up = asyncio.Event()

    def abort(self) -> None:
        self.given_up.set()


async def test_only_silence_is_given_up_and_on_every_connection() -> None:
    """One is silent from the beginning, one after an answer, and one has asked and waits for its answer."""
    listener = Listener(asyncio.Protocol, Limits(request_s=0.05))
    silent, answered, waiting = Line(), Line(), Line()
    for line in (silent, answered, waiting):
        listener.made(line)
    for line in (answered, waiting):
        listener.received(line)
    await asyncio.wait_for(silent.given_up.wait(), START_SECONDS)
    assert not answered.given_up.is_set()
    listener.answered(answered)
    await asyncio.wait_for(answered.given_up.wait(), START_SECONDS)
    assert not waiting.given_up.is_set()
    for line in (silent, answered):
        listener.lost(line)
    listener.answered(waiting)
    await asyncio.wait_for(waiting.given_up.wait(), START_SECONDS)
    await listener.close()


async def test_a_node_picks_a_port_that_no_client_is_given_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Listener(asyncio.Protocol, Limits()), Listener(asyncio.Protocol, Limits())
    taken = first.open("127.0.0.1", 0)
    drawn = itertools.chain([taken, taken], range(20_000, 32_768))
    monkeypatch.setattr("subnetlab.devnet.rpc.listener.secrets.choice", lambda _ports: next(drawn))
    try:
        other = second.open("127.0.0.1", 0)
        assert other != taken
        assert {taken, other} <= set(range(20_000, 32_768))
    finally:
        await first.close()
        await second.close()


async def test_a_connection_past_the_limit_is_told_so(chain: Node) -> None:
    async with serving(chain, connections=2) as (_, url), aiohttp.ClientSession() as session:
        kept = [await session.ws_connect(url) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        answer = await asyncio.wait_for(reader.read(), START_SECONDS)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"at most 2 connections" in answer
        writer.close()
        await writer.wait_closed()
        for socket in kept:
            await socket.close()


def test_silent_sockets_leave_room_and_do_not_fill_the_log(tmp_path: Any) -> None:
    """More silent sockets than descriptors: others are told at once, and served when those are gone."""
    with running_devnet(tmp_path, "--manual", files=128) as node, contextlib.ExitStack() as silent:
        for _ in range(150):
            silent.enter_context(sockets.create_connection(("127.0.0.1", node.port)))
        # One that sends may find the connection closed before it has read the answer.
        with sockets.create_connection(("127.0.0.1", node.port), timeout=START_SECONDS) as refused:
            assert refused.recv(100).startswith(b"HTTP/1.1 503 ")
        silent.close()
        while True:
            try:
                assert node.post(CHAIN)["result"] == "Development"
                break
            except urllib.error.HTTPError as error:
                error.close()
            except (urllib.error.URLError, ConnectionError):
                continue  # refused in the middle of what it sends
        assert len(node.errors.read_text()) < 2000
