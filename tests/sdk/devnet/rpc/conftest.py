"""One real node per module and a raw WebSocket to it, and a server in this process."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from tests.devnet_process import DevnetProcess, running_devnet
from tests.sdk.devnet.conftest import StillClock, recorded_codec

from subnetlab.devnet.node.node import Node
from subnetlab.devnet.node.sealer import Manual, Sealer
from subnetlab.devnet.rpc.listener import Limits
from subnetlab.devnet.rpc.server import Server
from subnetlab.devnet.rpc.service import Service


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevnetProcess]:
    folder = tmp_path_factory.mktemp("rpc")
    with running_devnet(folder, "--manual", "--state", str(folder / "chain")) as running:
        yield running
    assert "Traceback" not in running.errors.read_text(encoding="utf-8")


class RawSocket:
    """A WebSocket that sends what it is told, well-formed or not."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, text: str) -> Any:
        await self.socket.send_str(text)
        return json.loads(await self.socket.receive_str())

    async def ask(self, method: str, *params: Any) -> Any:
        return await self.say(
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        )

    async def hear(self) -> Any:
        return json.loads(await self.socket.receive_str())


@pytest.fixture
async def socket(node: DevnetProcess) -> AsyncIterator[RawSocket]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(node.endpoint, max_msg_size=0, headers=node.authorization) as opened,
    ):
        yield RawSocket(opened)


@pytest.fixture
def chain() -> Node:
    return Node(recorded_codec(), StillClock())


@asynccontextmanager
async def serving(chain: Node, **limits: Any) -> AsyncIterator[tuple[Service, str]]:
    """A server in this process with limits of the test's own."""
    service = Service(chain, Sealer(chain, Manual()), stop=lambda: None)
    server = Server(service, token="token", limits=Limits(**limits))
    await server.start(0)
    try:
        yield service, f"http://127.0.0.1:{server.port}"
    finally:
        await server.stop()


async def until(condition: Any) -> None:
    while not condition():  # noqa: ASYNC110 - a condition of the server beside us
        await asyncio.sleep(0)
