"""One real node per module, and a raw WebSocket to it."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from tests.devnet_process import DevnetProcess, running_devnet


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
