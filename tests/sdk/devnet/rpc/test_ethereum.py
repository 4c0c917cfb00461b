"""Ethereum's methods on the wire: Frontier's words and codes, and a node that goes on answering."""

import json
from typing import Any

import aiohttp
import pytest
from eth_account import Account
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.devnet_process import DevnetProcess
from tests.sdk.devnet.evm.contracts import ask, box
from tests.sdk.devnet.rpc.conftest import RawSocket

from subnetlab.devnet.evm.addresses import created, mirror
from subnetlab.devnet.rpc import dispatch

KEY = Account.from_key("0x" + "11" * 32)
ADDRESS = bytes.fromhex(KEY.address[2:])
GWEI, TO = 10**9, "0x" + "22" * 20
FEES = {"maxFeePerGas": 40 * GWEI, "maxPriorityFeePerGas": GWEI, "chainId": 42}


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def nonce(node: DevnetProcess) -> int:
    return int(node.rpc("eth_getTransactionCount", KEY.address, "pending"), 16)


def signed(node: DevnetProcess, **parts: Any) -> str:
    fields = {"to": TO, "value": 0, "gas": 21_000, "nonce": nonce(node), "data": b"", **FEES, **parts}
    if "gasPrice" in parts:
        fields = {name: value for name, value in fields.items() if not name.startswith("max")}
    return hexed(bytes(KEY.sign_transaction(fields).raw_transaction))


def send(node: DevnetProcess, **parts: Any) -> Any:
    """Send, seal, and answer the receipt."""
    sent = node.rpc("eth_sendRawTransaction", signed(node, **parts))
    assert node.rpc("eth_getTransactionReceipt", sent) is None
    assert node.rpc("eth_getTransactionByHash", sent)["blockHash"] is None
    node.seal()
    return node.rpc("eth_getTransactionReceipt", sent)


@pytest.fixture(scope="module")
def contract(node: DevnetProcess) -> str:
    node.rpc("dev_faucet", mirror(ADDRESS), 10**13)
    node.seal()
    address = hexed(created(ADDRESS, nonce(node)))
    assert send(node, to="", data=box().code, gas=3_000_000)["contractAddress"] == address
    return address


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "nonce": ({"nonce": 0}, "nonce too low"),
    "gas": ({"gas": 20_000}, "intrinsic gas too low"),
    "block": ({"gas": 80_000_000}, "exceeds block gas limit"),
    "price": ({"maxFeePerGas": 1, "maxPriorityFeePerGas": 0}, "gas price less than block base fee"),
    "chain": ({"chainId": 945}, "invalid chain id"),
    "legacy chain": ({"chainId": 945, "gasPrice": 40 * GWEI}, "invalid chain id"),
    "funds": ({"value": 10**30}, "insufficient funds for gas * price + value"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_has_frontiers_words(node: DevnetProcess, contract: str, case: str) -> None:
    parts, words = REFUSALS[case]
    answer = node.ask("eth_sendRawTransaction", signed(node, **parts))
    assert answer["error"] == {"code": -32603, "message": words}


def test_what_is_no_transaction_is_refused(node: DevnetProcess, contract: str) -> None:
    good = signed(node)
    undecodable = "decode transaction failed"
    wrong = {
        "0x": "transaction data is empty",
        **dict.fromkeys(("0xdead", good[:-2], "0x03" + good[4:]), undecodable),
    }
    for raw, words in wrong.items():
        assert node.ask("eth_sendRawTransaction", raw)["error"] == {"code": -32603, "message": words}
    node.rpc("eth_sendRawTransaction", good)
    assert node.ask("eth_sendRawTransaction", good)["error"]["message"] == "already known"
    other = signed(node, nonce=nonce(node) - 1, value=10**9)
    assert (
        node.ask("eth_sendRawTransaction", other)["error"]["message"] == "replacement transaction underpriced"
    )
    node.seal()


def test_a_gap_waits_and_is_pending(node: DevnetProcess, contract: str) -> None:
    first = nonce(node)
    late = node.rpc("eth_sendRawTransaction", signed(node, nonce=first + 1))
    node.seal()
    assert [one["hash"] for one in node.rpc("eth_pendingTransactions")] == [late]
    assert nonce(node) == first
    node.rpc("eth_sendRawTransaction", signed(node, nonce=first))
    assert nonce(node) == first + 2
    node.seal()
    assert int(node.rpc("eth_getTransactionReceipt", late)["transactionIndex"], 16) == 1


@pytest.mark.parametrize(
    "name",
    [
        "eth_fillTransaction",
        "eth_createAccessList",
        "eth_getProof",
        "debug_traceTransaction",
        "eth_simulateV1",
    ],
)
def test_what_frontier_lacks_is_unknown(node: DevnetProcess, name: str) -> None:
    assert node.ask(name, {})["error"]["code"] == -32601


BAD: list[tuple[str, list[Any]]] = [
    ("eth_getBalance", ["0x12"]), ("eth_getBalance", [5]), ("eth_getBlockByNumber", ["0xzz"]),
    ("eth_call", []), ("eth_call", ["0x"]), ("eth_call", [{"to": "0x12"}]), ("eth_call", [{"gas": -1}]),
    ("eth_call", [{"data": "0x1"}]), ("eth_call", [{"accessList": 3}]), ("eth_call", [{}, "latest", []]),
    ("eth_call", [{}, "latest", {"0x12": {}}]), ("eth_getLogs", [{"topics": [1]}]),
    ("eth_getLogs", [{"topics": [None] * 5}]), ("eth_getLogs", [{"address": ["0x12"]}]),
    ("eth_feeHistory", [1, "latest", ["x"]]), ("eth_getTransactionReceipt", ["0x12"]),
    ("eth_getStorageAt", [TO, "0x" + "1" * 65]), ("eth_subscribe", ["nothing"]),
    ("eth_estimateGas", [{"authorizationList": [{}]}]), ("eth_call", [{"gas": "0x-1"}]),
    ("eth_getBlockByNumber", ["0x-1", False]), ("eth_getBlockByNumber", ["0x1_0", False]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "params"), BAD)
def test_wrong_parameters_answer_as_everywhere(node: DevnetProcess, name: str, params: list[Any]) -> None:
    assert node.ask(name, *params)["error"]["code"] == -32602


def test_a_revert_has_frontiers_shape(node: DevnetProcess, contract: str) -> None:
    asked = {"from": KEY.address, "to": contract, "data": hexed(ask("put(uint256)", 0))}
    for name in ("eth_call", "eth_estimateGas"):
        error = node.ask(name, asked)["error"]
        assert error["code"] == -32603
        assert error["message"] == "VM Exception while processing transaction: revert nothing to put"
        assert error["data"].startswith("0x08c379a0")
    assert node.ask("eth_call", {**asked, "gas": "0x5300"})["error"]["message"] == "out of gas"


def test_an_estimate_is_enough_and_not_much_too_high(node: DevnetProcess, contract: str) -> None:
    data = ask("put(uint256)", 5)
    asked = {"from": KEY.address, "to": contract, "data": hexed(data)}
    gas = int(node.rpc("eth_estimateGas", asked), 16)
    receipt = send(node, to=contract_address(contract), data=data, gas=gas)
    assert receipt["status"] == "0x1"
    assert gas < int(receipt["gasUsed"], 16) * 1.4
    assert node.rpc("eth_estimateGas", {"from": KEY.address, "to": TO, "value": "0x1"}) == hex(21_000)
    too_dear = {"from": TO, "to": contract, "data": hexed(data), "gasPrice": hex(40 * GWEI), "value": "0x1"}
    assert node.ask("eth_estimateGas", too_dear)["error"]["message"] == "insufficient funds for transfer"


def test_gas_below_the_least_is_too_little_and_no_fault_of_the_node(node: DevnetProcess) -> None:
    least = int(node.rpc("eth_estimateGas", {}), 16)
    assert 53_000 <= least < 53_000 * 1.1, "a creation of nothing"
    for asked in (
        {"gas": "0x1"},
        {"gas": "0x1", "to": TO},
        {"gas": hex(21_100), "to": TO, "data": "0x" + "01" * 99},
    ):
        assert node.ask("eth_call", asked)["error"]["message"] == "out of gas"
        told = node.ask("eth_estimateGas", asked)
        assert "result" in told or told["error"]["message"].startswith("gas required exceeds allowance"), told


def contract_address(address: str) -> bytes:
    return bytes.fromhex(address[2:])


def test_state_can_be_overridden_for_one_call(node: DevnetProcess, contract: str) -> None:
    asked = {"to": contract, "data": hexed(ask("total()"))}
    before = node.rpc("eth_call", asked)
    word = hexed((77).to_bytes(32, "big"))
    changed = {contract: {"stateDiff": {hexed(bytes(32)): word}}}
    assert node.rpc("eth_call", asked, "latest", changed) == word
    money = {"from": TO, "to": contract, "data": hexed(ask("money()"))}
    rich = node.rpc("eth_call", money, "latest", {TO: {"balance": hex(10**18)}})
    assert int(rich[-64:], 16) == 10**18
    assert node.rpc("eth_call", asked) == before


def test_a_call_longer_than_a_turn_is_begun_again_from_nothing(node: DevnetProcess) -> None:
    """It counts in its own storage, then loops for many turns, and answers its count."""
    count, loop, answer = "5f54600101805f55", "62004e205b6001900380600c57", "505f5260205ff3"
    target = "0x" + "77" * 20
    overrides = {target: {"code": "0x" + count + loop + answer}}
    assert int(node.rpc("eth_call", {"to": target}, "latest", overrides), 16) == 1


def test_logs_are_found_by_address_topic_and_block(node: DevnetProcess, contract: str) -> None:
    created_filter = node.rpc("eth_newFilter", {"address": contract})
    blocks, waiting = node.rpc("eth_newBlockFilter"), node.rpc("eth_newPendingTransactionFilter")
    receipt = send(node, to=contract_address(contract), data=ask("put(uint256)", 6), gas=200_000)
    (log,) = receipt["logs"]
    topic, who = log["topics"]
    for wanted in (
        {"address": contract},
        {"topics": [topic]},
        {"topics": [None, who]},
        {"topics": [[topic, who]]},
    ):
        assert log in node.rpc("eth_getLogs", {"fromBlock": "0x0", **wanted})
    for wanted in ({"address": TO}, {"topics": [who]}, {"topics": [topic, topic]}, {"fromBlock": "0xffffff"}):
        assert node.rpc("eth_getLogs", {"fromBlock": "0x0", **wanted}) == []
    assert node.rpc("eth_getLogs", {"blockHash": receipt["blockHash"]}) == [log]
    assert node.ask("eth_getLogs", {"blockHash": "0x" + "07" * 32})["error"]["message"] == "unknown block"
    assert node.rpc("eth_getFilterChanges", created_filter) == [log]
    assert node.rpc("eth_getFilterChanges", created_filter) == []
    assert log in node.rpc("eth_getFilterLogs", node.rpc("eth_newFilter", {"fromBlock": "0x0"}))
    assert node.rpc("eth_getFilterChanges", blocks) == [receipt["blockHash"]]
    assert node.rpc("eth_getFilterChanges", waiting) == []
    sent = node.rpc("eth_sendRawTransaction", signed(node))
    assert node.rpc("eth_getFilterChanges", waiting) == [sent]
    node.seal()
    assert node.rpc("eth_uninstallFilter", blocks) is True
    assert "does not exist" in node.ask("eth_getFilterChanges", blocks)["error"]["message"]


def test_blocks_and_transactions_are_found_every_way(node: DevnetProcess, contract: str) -> None:
    receipt = send(node, value=10**15)
    number, block_hash = receipt["blockNumber"], receipt["blockHash"]
    block = node.rpc("eth_getBlockByHash", block_hash)
    assert block == node.rpc("eth_getBlockByNumber", number) == node.rpc("eth_getBlockByNumber", "latest")
    assert block["transactions"] == [receipt["transactionHash"]]
    whole = node.rpc("eth_getBlockByNumber", *(number, True))["transactions"][0]
    assert whole == node.rpc("eth_getTransactionByHash", receipt["transactionHash"])
    assert whole == node.rpc("eth_getTransactionByBlockHashAndIndex", block_hash, "0x0")
    assert whole == node.rpc("eth_getTransactionByBlockNumberAndIndex", number, "0x0")
    assert node.rpc("eth_getTransactionByBlockNumberAndIndex", number, "0x1") is None
    assert node.rpc("eth_getBlockReceipts", number) == [receipt]
    assert node.rpc("eth_getBlockTransactionCountByHash", block_hash) == "0x1"
    assert receipt["effectiveGasPrice"] == hex(int(block["baseFeePerGas"], 16) + GWEI)
    assert node.rpc("eth_getBlockByNumber", "earliest")["number"] == "0x0"
    assert node.rpc("eth_getBlockByNumber", "0xffffff") is None
    assert node.rpc("eth_getBalance", TO, number) != node.rpc("eth_getBalance", TO, "earliest")


def test_the_history_of_fees_follows_the_blocks(node: DevnetProcess, contract: str) -> None:
    node.seal(6)
    history = node.rpc("eth_feeHistory", "0x3", "latest", [50])
    assert len(history["baseFeePerGas"]) == 4
    assert history["baseFeePerGas"][-1] == node.rpc("eth_gasPrice") == hex(10 * GWEI)
    assert history["gasUsedRatio"] == [0.0] * 3
    assert history["reward"] == [["0x0"]] * 3
    assert node.rpc("eth_maxPriorityFeePerGas") == "0x0"


async def test_subscriptions_tell_of_heads_logs_and_waiting_transactions(
    node: DevnetProcess, contract: str, socket: RawSocket
) -> None:
    heads = (await socket.ask("eth_subscribe", "newHeads"))["result"]
    logs = (await socket.ask("eth_subscribe", "logs", {"address": contract}))["result"]
    waiting = (await socket.ask("eth_subscribe", "newPendingTransactions"))["result"]
    raw = signed(node, to=contract_address(contract), data=ask("put(uint256)", 8), gas=200_000)
    sent = node.rpc("eth_sendRawTransaction", raw)
    node.seal()
    told = [await socket.hear() for _ in range(3)]
    assert {one["method"] for one in told} == {"eth_subscription"}
    results = {one["params"]["subscription"]: one["params"]["result"] for one in told}
    assert results[waiting] == sent
    assert results[heads]["hash"] == node.rpc("eth_getBlockByNumber", "latest")["hash"]
    assert results[logs]["transactionHash"] == sent
    for one in (heads, logs, waiting):
        assert (await socket.ask("eth_unsubscribe", one))["result"] is True
    assert (await socket.ask("eth_unsubscribe", heads))["result"] is False


async def test_an_endless_loop_ends_and_holds_up_no_other_request(
    node: DevnetProcess, contract: str, socket: RawSocket
) -> None:
    endless = {"to": contract, "data": hexed(ask("spin()")), "gas": hex(750_000_000)}
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [endless]}
    async with aiohttp.ClientSession() as session, session.ws_connect(node.endpoint) as busy:
        await busy.send_str(json.dumps(request))
        for _ in range(50):
            assert (await socket.ask("eth_chainId"))["result"] == "0x2a"
        answer = json.loads(await busy.receive_str())
    assert answer["error"] == {"code": -32603, "message": "execution aborted (timeout = 10s)"}


@pytest.mark.parametrize(
    "code",
    [
        "5f5f5f5f5f305af1005f5f5f5f5f305af100",  # calls itself with all its gas, and again
        "385f5f39385f5ff0",  # creates itself
        "5f5f5f5f305af45f5f5f5f305af4",  # delegates to itself
    ],
)
def test_the_deepest_frames_end_and_the_node_lives(node: DevnetProcess, contract: str, code: str) -> None:
    target = "0x" + "99" * 20
    overrides = {target: {"code": "0x" + code}}
    for asked in ({"to": target}, {"data": "0x" + code}):
        answer = node.ask("eth_call", {**asked, "gas": hex(750_000_000)}, "latest", overrides)
        assert answer.get("error", {}).get("message") != "Internal error"
    answer = node.post(b"[" * 100_000)
    assert answer["error"]["code"] == -32700
    assert node.rpc("eth_chainId") == "0x2a"


def test_long_data_is_taken_and_longer_is_refused(node: DevnetProcess, contract: str) -> None:
    data = bytes(100_000)
    receipt = send(node, data=data, gas=1_100_000)
    assert int(receipt["gasUsed"], 16) == 21_000 + 10 * len(data)
    answer = node.ask("eth_sendRawTransaction", signed(node, data=bytes(4 * 2**20), gas=60_000_000))
    assert answer["error"]["message"] == "exceeds block gas limit"
    assert node.ask("eth_call", {"to": contract, "gas": hex(10**9)})["error"]["message"] == (
        "provided gas limit is too high (can be up to 10x the block gas limit)"
    )


ETHEREUM = [name for name in dispatch.METHODS.names() if name.startswith(("eth_", "net_", "web3_"))]
NUMBERS = st.integers(-2, 2**70).map(lambda value: hex(value) if value % 2 else value)
WORDS = st.sampled_from(
    [
        "latest",
        "earliest",
        "pending",
        "newHeads",
        "logs",
        "0x",
        "0x0",
        TO,
        "0x" + "07" * 32,
        "0xzz",
        "",
        "\ud800",
    ]
)
FIELDS = st.sampled_from(
    ["to", "from", "data", "input", "gas", "value", "gasPrice", "nonce", "accessList", "authorizationList",
     "topics", "address", "fromBlock", "toBlock", "blockHash", "blockNumber", "balance", "code", "state",
     "stateDiff", TO]
)  # fmt: skip
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, WORDS, st.binary(max_size=40).map(hexed)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(FIELDS, inner, max_size=4)),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(ETHEREUM), st.lists(JUNK, max_size=3))
def test_no_parameter_is_an_internal_error(node: DevnetProcess, name: str, params: list[Any]) -> None:
    answer = node.ask(name, *params)
    error = answer.get("error")
    assert error is None or error["message"] != "Internal error", error
