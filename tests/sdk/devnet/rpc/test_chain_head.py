"""The newer JSON-RPC interface, step by step as PAPI walks through it."""

import json
from typing import Any

import pytest
from bittensor_core import Keypair
from tests.devnet_process import DevnetProcess
from tests.sdk.devnet.rpc.conftest import RawSocket

from subnetlab.devnet.chain.block import ZERO_HASH
from subnetlab.devnet.chain.extrinsic import digest

NUMBER_KEY = "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac"
ALICE = bytes(Keypair.from_uri("//Alice").public_key)


class Follower:
    """A socket that follows the chain."""

    def __init__(self, socket: RawSocket, subscription: str, head: str) -> None:
        self.socket, self.subscription, self.head = socket, subscription, head

    async def event(self) -> Any:
        heard = await self.socket.hear()
        assert heard["method"] == "chainHead_v1_followEvent"
        assert heard["params"]["subscription"] == self.subscription
        return heard["params"]["result"]

    async def operate(self, method: str, *params: Any) -> list[Any]:
        """Start an operation and read its events until it is done."""
        started = (await self.socket.ask(method, self.subscription, self.head, *params))["result"]
        assert started["result"] == "started"
        events = [await self.event()]
        while events[-1]["event"] == "operationStorageItems":
            events.append(await self.event())
        assert {event["operationId"] for event in events} == {started["operationId"]}
        return events


@pytest.fixture
async def follower(socket: RawSocket) -> Follower:
    subscription = (await socket.ask("chainHead_v1_follow", 1))["result"]
    following = Follower(socket, subscription, "")
    initialized = await following.event()
    assert initialized["event"] == "initialized"
    assert initialized["finalizedBlockRuntime"]["spec"]["specVersion"] == 461
    following.head = initialized["finalizedBlockHashes"][-1]
    assert await following.event() == {"event": "bestBlockChanged", "bestBlockHash": following.head}
    return following


async def test_a_block_is_new_best_and_final(follower: Follower) -> None:
    request = {"jsonrpc": "2.0", "id": 5, "method": "dev_seal"}
    await follower.socket.socket.send_str(json.dumps(request))
    new, best, final = [await follower.event() for _ in range(3)]
    sealed = (await follower.socket.hear())["result"]["hash"]
    assert new == {
        "event": "newBlock",
        "blockHash": sealed,
        "parentBlockHash": follower.head,
        "newRuntime": None,
    }
    assert best == {"event": "bestBlockChanged", "bestBlockHash": sealed}
    assert final == {"event": "finalized", "finalizedBlockHashes": [sealed], "prunedBlockHashes": []}


async def test_the_header_hashes_to_the_block(follower: Follower) -> None:
    answer = await follower.socket.ask("chainHead_v1_header", follower.subscription, follower.head)
    assert "0x" + digest(bytes.fromhex(answer["result"][2:])).hex() == follower.head


async def test_body_call_and_storage(follower: Follower) -> None:
    (body,) = await follower.operate("chainHead_v1_body")
    assert len(body["value"]) == 1
    (called,) = await follower.operate(
        "chainHead_v1_call", "AccountNonceApi_account_nonce", "0x" + ALICE.hex()
    )
    assert called["output"] == "0x00000000"
    (failed,) = await follower.operate("chainHead_v1_call", "Moon_walk", "0x")
    assert failed["event"] == "operationError"
    items, done = await follower.operate(
        "chainHead_v1_storage",
        [{"key": NUMBER_KEY, "type": "value"}, {"key": NUMBER_KEY[:20], "type": "descendantsHashes"}],
        None,
    )
    assert done["event"] == "operationStorageDone"
    assert items["items"][0]["key"] == NUMBER_KEY
    assert {"key", "hash"} == set(items["items"][-1])
    (nothing,) = await follower.operate("chainHead_v1_storage", [{"key": "0xabcd", "type": "value"}], None)
    assert nothing["event"] == "operationStorageDone"


async def test_a_revert_stops_the_following(follower: Follower, node: DevnetProcess) -> None:
    ask = follower.socket.ask
    await ask("chainHead_v1_unfollow", follower.subscription)
    snapshot = (await ask("dev_snapshot"))["result"]
    await ask("dev_seal")
    follower.subscription = (await ask("chainHead_v1_follow", 0))["result"]
    assert set(await follower.event()) == {"event", "finalizedBlockHashes"}
    await follower.event()
    request = {"jsonrpc": "2.0", "id": 5, "method": "dev_revert", "params": [snapshot]}
    await follower.socket.socket.send_str(json.dumps(request))
    assert await follower.event() == {"event": "stop"}
    await follower.socket.hear()
    answer = await ask("chainHead_v1_body", follower.subscription, follower.head)
    assert answer["result"] == {"result": "limitReached"}


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("chainHead_v1_header", ["0x" + ZERO_HASH.hex()], -32801),
        ("chainHead_v1_header", ["0x00"], -32602),
        ("chainHead_v1_body", ["0x" + ZERO_HASH.hex()], -32801),
        ("chainHead_v1_storage", ["HEAD", "keys"], -32602),
        ("chainHead_v1_storage", ["HEAD", [{"key": "0x00", "type": "magic"}]], -32602),
        ("chainHead_v1_call", ["HEAD", 7, "0x"], -32602),
    ],
)
async def test_wrong_questions_are_answered(
    follower: Follower, method: str, params: list[Any], code: int
) -> None:
    asked = [follower.head if value == "HEAD" else value for value in params]
    answer = await follower.socket.ask(method, follower.subscription, *asked)
    assert answer["error"]["code"] == code


async def test_the_chain_describes_itself(socket: RawSocket, node: DevnetProcess) -> None:
    assert (await socket.ask("chainSpec_v1_chainName"))["result"] == "Development"
    assert (await socket.ask("chainSpec_v1_genesisHash"))["result"] == node.genesis_hash
    assert (await socket.ask("chainSpec_v1_properties"))["result"]["tokenSymbol"] == "TAO"


async def test_what_is_broadcast_and_refused_is_dropped_in_silence(socket: RawSocket) -> None:
    assert isinstance((await socket.ask("transaction_v1_broadcast", "0x00"))["result"], str)
    assert (await socket.ask("transaction_v1_stop", "s1"))["result"] is None
