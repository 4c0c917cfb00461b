"""Subscriptions: the reply comes before the first update, updates come in order, and an end is an end."""

import json

import aiohttp
from bittensor_core import Keypair
from tests.devnet_process import DevnetProcess
from tests.sdk.devnet.rpc.conftest import RawSocket

ALICE = Keypair.from_uri("//Alice").ss58_address
NUMBER_KEY = "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac"


async def test_heads_start_with_the_present_one(socket: RawSocket) -> None:
    head = (await socket.ask("chain_getHeader"))["result"]
    identifier = (await socket.ask("chain_subscribeNewHeads"))["result"]
    first = await socket.hear()
    assert first == {
        "jsonrpc": "2.0",
        "method": "chain_newHead",
        "params": {"subscription": identifier, "result": head},
    }
    await socket.socket.send_str('{"jsonrpc": "2.0", "id": 9, "method": "dev_seal", "params": [2]}')
    heard = [await socket.hear() for _ in range(3)]
    numbers = [int(h["params"]["result"]["number"], 16) for h in heard if "params" in h]
    assert numbers == [int(head["number"], 16) + 1, int(head["number"], 16) + 2]
    assert (await socket.ask("chain_unsubscribeNewHeads", identifier))["result"] is True
    assert (await socket.ask("chain_unsubscribeNewHeads", identifier))["result"] is False
    assert "result" in await socket.ask("dev_seal")


async def test_storage_tells_of_changes_alone(socket: RawSocket) -> None:
    unrelated = "0x" + "ab" * 16
    await socket.ask("state_subscribeStorage", [NUMBER_KEY, unrelated])
    present = (await socket.hear())["params"]["result"]["changes"]
    assert [key for key, _ in present] == [NUMBER_KEY, unrelated]
    assert present[1][1] is None
    await socket.socket.send_str('{"jsonrpc": "2.0", "id": 9, "method": "dev_seal"}')
    changed = (await socket.hear())["params"]["result"]["changes"]
    assert [key for key, _ in changed] == [NUMBER_KEY]
    assert "result" in await socket.hear()


async def test_a_revert_announces_the_head_it_went_back_to(socket: RawSocket) -> None:
    head = (await socket.ask("chain_getHeader"))["result"]
    snapshot = (await socket.ask("dev_snapshot"))["result"]
    await socket.ask("dev_seal", 3)
    await socket.ask("chain_subscribeNewHeads")
    await socket.hear()
    await socket.socket.send_str(
        json.dumps({"jsonrpc": "2.0", "id": 9, "method": "dev_revert", "params": [snapshot]})
    )
    assert (await socket.hear())["params"]["result"] == head


async def test_a_refused_extrinsic_leaves_no_subscription(socket: RawSocket) -> None:
    assert (await socket.ask("author_submitAndWatchExtrinsic", "0x"))["error"]["code"] == 1001
    assert "result" in await socket.ask("system_health")


async def test_one_connection_cannot_subscribe_without_end(node: DevnetProcess) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(node.endpoint) as opened:
        socket = RawSocket(opened)
        request = {"jsonrpc": "2.0", "id": 1, "method": "state_subscribeStorage", "params": [[]]}
        answers = await socket.say(json.dumps([request] * 1000))
        assert all("result" in answer for answer in answers)
        more: list[object] = []
        await opened.send_str(json.dumps([request] * 100))
        while not more:
            heard = await socket.hear()
            more = heard if isinstance(heard, list) else []
        assert sum("error" in answer for answer in more) == 76
