"""What no client should send: an error in Substrate's code and words, and the connection lives on."""

import asyncio
import contextlib
import json
from typing import Any

import aiohttp
import pytest
from bittensor_core import Keypair
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.devnet_process import DevnetProcess
from tests.sdk.devnet.conftest import recorded_codec
from tests.sdk.devnet.rpc.conftest import RawSocket, serving

from subnetlab.devnet.chain.extrinsic import digest
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.rpc.method import MAX_LIST
from subnetlab.devnet.rpc.server import MAX_FRAME_BYTES

HASH = "0x" + "11" * 32
ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
FRAMES: dict[str, tuple[str, int, str]] = {
    "no json": ("{", -32700, "Parse error"),
    "nothing": ("", -32700, "Parse error"),
    "deep": ("[" * 100_000, -32700, "Parse error"),
    "not a number": ('{"id": NaN, "method": "system_chain"}', -32700, "Parse error"),
    "a number": ("7", -32600, "Invalid request"),
    "no method": ('{"id": 1}', -32600, "Invalid request"),
    "method is a list": ('{"id": 1, "method": []}', -32600, "Invalid request"),
    "empty batch": ("[]", -32600, "Invalid request"),
    "named parameters": (
        '{"id": 1, "method": "chain_getBlock", "params": {"hash": 1}}',
        -32602,
        "Invalid params",
    ),
}
CALLS: dict[str, tuple[str, list[Any], int, str]] = {
    "unknown method": ("chain_fly", [], -32601, "Method not found"),
    "dunder": ("__class__", [], -32601, "Method not found"),
    "hash is a number": ("chain_getHeader", [7], -32602, "Invalid params"),
    "hash is short": ("chain_getHeader", ["0x11"], -32602, "Invalid params"),
    "hash is no hex": ("chain_getBlock", ["0xzz"], -32602, "Invalid params"),
    "block is a list of lists": ("chain_getBlockHash", [[[]]], -32602, "Invalid params"),
    "block is huge": ("chain_getBlockHash", ["one"], -32602, "Invalid params"),
    "key is missing": ("state_getStorage", [], -32602, "Invalid params"),
    "key is null": ("state_getStorage", [None], -32602, "Invalid params"),
    "keys are text": ("state_queryStorageAt", ["0x00"], -32602, "Invalid params"),
    "page is zero": ("state_getKeysPaged", ["0x", 0], -32602, "Invalid params"),
    "page is huge": ("state_getKeysPaged", ["0x", 10**6], -32602, "Invalid params"),
    "page is true": ("state_getKeysPaged", ["0x", True], -32602, "Invalid params"),
    "address": ("system_accountNextIndex", ["5Grwva"], -32602, "Invalid params"),
    "state at an unknown block": (
        "state_getStorage", ["0x00", HASH], -32000,
        f"Client error: UnknownBlock: Header was not found in the database: {HASH}",
    ),
    "unknown runtime api": (
        "state_call", ["Moon_walk", "0x"], 4003,
        "Client error: Execution failed: Other: Exported method Moon_walk is not found",
    ),
    "runtime api cut short": (
        "state_call", ["NeuronInfoRuntimeApi_get_neurons_lite", "0x00"], 4003, "Client error: Execution",
    ),
    "extrinsic is no hex": ("author_submitExtrinsic", ["transfer"], -32602, "Invalid params"),
    "extrinsic is empty": ("author_submitExtrinsic", ["0x"], 1001, "Extrinsic has invalid format"),
    "extrinsic is rubbish": ("author_submitAndWatchExtrinsic", ["0x0c000000"], 1002, "Verification Error"),
    "sealing is odd": ("dev_setSealing", ["sometimes"], -32602, "Invalid params"),
    "seal nothing": ("dev_seal", [0], -32602, "Invalid params"),
    "seal forever": ("dev_seal", [10**9], -32602, "Invalid params"),
    "faucet to nobody": ("dev_faucet", ["moon", 10**9], -32602, "Invalid params"),
    "faucet of nothing": ("dev_faucet", [ALICE, -1], -32602, "Inv"),
    "unknown snapshot": ("dev_revert", ["yesterday"], -32602, "Invalid params"),
    "load from elsewhere": ("dev_load", ["/dev/zero"], -32602, "Invalid params"),
    "load a folder": ("dev_load", ["."], -32602, "Invalid params"),
    "save elsewhere": ("dev_save", ["/proc/nothing/here"], -32602, "Invalid params"),
    "save above": ("dev_save", ["../chain"], -32602, "Invalid params"),
    "save with a zero byte": ("dev_save", ["chain\0"], -32602, "Invalid params"),
    "address of half a pair": ("system_accountNextIndex", ["\ud800"], -32602, "Invalid params"),
    "too many heights": ("chain_getBlockHash", [[1] * (MAX_LIST + 1)], -32602, "Invalid params"),
    "too many keys": ("state_queryStorageAt", [["0x"] * (MAX_LIST + 1)], -32602, "Invalid params"),
}  # fmt: skip


@pytest.mark.parametrize("case", FRAMES)
async def test_a_malformed_frame_is_answered(socket: RawSocket, case: str) -> None:
    frame, code, message = FRAMES[case]
    answer = await socket.say(frame)
    assert (answer["error"]["code"], answer["error"]["message"]) == (code, message)
    assert (await socket.ask("system_chain"))["result"] == "Development"


@pytest.mark.parametrize("case", CALLS)
async def test_a_wrong_call_is_answered_and_changes_nothing(socket: RawSocket, case: str) -> None:
    method, params, code, message = CALLS[case]
    before = await socket.ask("dev_info")
    answer = await socket.ask(method, *params)
    assert answer["error"]["code"] == code, answer
    assert answer["error"]["message"].startswith(message), answer
    assert await socket.ask("dev_info") == before


async def test_a_batch_answers_each_of_its_requests(socket: RawSocket) -> None:
    good = {"jsonrpc": "2.0", "id": 1, "method": "system_chain"}
    note = {"jsonrpc": "2.0", "method": "system_chain"}
    answers = await socket.say(json.dumps([good, 7, note, {**good, "id": 2, "method": "moon"}]))
    assert [answer.get("result") or answer["error"]["code"] for answer in answers] == [
        "Development",
        -32600,
        -32601,
    ]


async def test_an_oversized_frame_costs_only_its_own_connection(
    node: DevnetProcess, socket: RawSocket
) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(node.endpoint) as other:
        with contextlib.suppress(ConnectionError):  # the node may hang up before the frame is through
            await other.send_str("x" * (MAX_FRAME_BYTES + 1))
        await other.receive()
        assert other.closed or (await other.receive()).type is not aiohttp.WSMsgType.TEXT
    assert (await socket.ask("system_chain"))["result"] == "Development"


def test_an_oversized_post_is_answered(node: DevnetProcess) -> None:
    answer = node.post(b"x" * (MAX_FRAME_BYTES + 1))
    assert answer["error"] == {
        "code": -32007, "message": "Request is too big", "data": f"Exceeded max limit of {MAX_FRAME_BYTES}",
    }  # fmt: skip


async def test_a_client_that_vanishes_leaves_the_node_alone(node: DevnetProcess, socket: RawSocket) -> None:
    async with aiohttp.ClientSession() as session:
        leaving = await session.ws_connect(node.endpoint)
        await leaving.send_str(
            '{"jsonrpc": "2.0", "id": 1, "method": "chain_subscribeNewHeads", "params": []}'
        )
        assert "result" in json.loads(await leaving.receive_str())
        leaving._response.connection.transport.abort()
    assert (await socket.ask("dev_seal", 3))["result"]["number"] >= 3


def test_subscribing_over_http_is_refused(node: DevnetProcess) -> None:
    assert node.ask("chain_subscribeNewHeads")["error"]["code"] == -32601


def decodes(call: bytes) -> bool:
    try:
        recorded_codec().runtime.decode_call(call)
    except ValueError:
        return False
    return True


def test_calls_lie_in_calls_as_deep_as_the_chain_lets_them(node: DevnetProcess) -> None:
    """As deep as the decoder goes: the node neither dies nor forgets to build the block."""
    runtime = recorded_codec().runtime
    genesis = bytes.fromhex(node.genesis_hash[2:])
    keys = Keypair.from_uri("//Alice")
    call = bytes(runtime.compose_call("System", "remark", {"remark": b"x"}))
    wrapper = bytes(runtime.compose_call("Utility", "as_derivative", {"index": 0, "call": call}))[:4]
    deep = next(d for n in range(256, 0, -1) if decodes(d := wrapper * n + call))
    assert len(deep) > 50 * len(wrapper)
    included, implied = runtime.signature_payload_parts(
        era="00", nonce=0, tip=0, tip_asset_id=None, genesis_hash=genesis, era_block_hash=genesis
    )
    payload = deep + bytes(included) + bytes(implied)
    signature = keys.sign(digest(payload) if len(payload) > 256 else payload)
    raw, _ = runtime.encode_signed_extrinsic(
        deep, public_key=bytes(keys.public_key), signature=signature, signature_version=1, era="00", nonce=0,
        tip=0, tip_asset_id=None,
    )  # fmt: skip
    node.rpc("author_submitExtrinsic", "0x" + bytes(raw).hex())
    sealed = node.rpc("dev_seal")
    block = node.rpc("chain_getBlock", sealed["hash"])["block"]
    assert block["extrinsics"][1] == "0x" + bytes(raw).hex()
    assert node.rpc("author_pendingExtrinsics") == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(HASH),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
HARMLESS = [
    "author_submitExtrinsic", "chainHead_v1_call", "chainHead_v1_storage", "chain_getBlock",
    "chain_getBlockHash", "chain_getHeader", "chain_unsubscribeNewHeads", "dev_revert",
    "dev_setSealing", "payment_queryInfo", "state_call", "state_getKeysPaged",
    "state_getRuntimeVersion", "state_getStorage", "state_queryStorageAt",
    "system_accountNextIndex",
]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.sampled_from(HARMLESS), params=st.lists(JSON, max_size=3))
def test_no_parameters_reach_a_bug(node: DevnetProcess, method: str, params: list[Any]) -> None:
    answer = node.post(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode())
    assert answer.get("error", {}).get("code") != -32603, answer


@pytest.mark.parametrize(
    "header",
    ["Content-Length: \x1b[31mwords", "X: " + "words" * 4000, "words words\r\n:", "Content-Length: -5"],
)
async def test_a_bad_header_is_one_line_in_the_log_without_its_text(
    chain: Node, caplog: pytest.LogCaptureFixture, header: str
) -> None:
    async with serving(chain) as (_, url):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        writer.write(f"POST / HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.0 400 ")
        writer.close()
        with contextlib.suppress(ConnectionResetError):
            await writer.wait_closed()
    (record,) = [one for one in caplog.records if one.levelname in {"WARNING", "ERROR"}]
    assert record.exc_info is None
    assert not any(part in record.getMessage() for part in ("words", "-5", "\n", "\x1b"))
