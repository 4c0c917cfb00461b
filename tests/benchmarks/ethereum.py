"""Ethereum's half of the node through web3.py, beside anvil and hardhat where `make peers` installed them.

All seal a block for every transaction. Transactions are signed before the clock starts, and one is sent
before it: the node loads its engine for the first. Calls are those of one contract, with a log each.
"""

import http.client
import json
import statistics
import urllib.request
from collections.abc import Iterator
from typing import Any

from eth_account import Account
from web3 import Web3

from subnetlab.devnet.evm.addresses import mirror
from subnetlab.settings import dev_token_file
from tests.benchmarks.ethereum_nodes import anvil, hardhat
from tests.benchmarks.measure import Figure, seconds
from tests.benchmarks.node import running_node
from tests.benchmarks.pipelined import transfers_a_second
from tests.sdk.devnet.evm.contracts import ask, box

KEY = Account.from_key("0x" + "11" * 32)
TO, GWEI = "0x" + "22" * 20, 10**9
CALLS = 100


NAMES = ("send", "send and receipt", "contract calls and receipt", "raw send, one connection")


def measure(quick: bool) -> Iterator[Figure]:
    """The same program against the three nodes, in turns, and a block of contract calls on ours."""
    count, rounds = (20, 1) if quick else (200, 3)
    rates: dict[str, list[dict[str, float]]] = {"ours": [], "anvil": [], "hardhat": []}
    piped: list[float] = []
    for _ in range(rounds):
        with running_node("--instant") as node:
            port = int(node.endpoint.rsplit(":", 1)[1])
            _ask_owner(port, "dev_faucet", mirror(bytes.fromhex(KEY.address[2:])), 10**15)
            rates["ours"].append(_rates(port, count))
        with running_node("--instant") as node:
            piped.append(transfers_a_second(node.endpoint, 4 * count))
        for name, started in (("anvil", anvil), ("hardhat", hardhat)):
            with started(KEY.address) as peer:
                if peer is not None:
                    rates[name].append(_rates(peer, count))
    for name in NAMES:
        value = statistics.median(one[name] for one in rates["ours"])
        for peer_name in ("anvil", "hardhat"):
            theirs = [one[name] for one in rates[peer_name]]
            raw = name.startswith("raw")
            limit: dict[str, Any] = {"limit": 1.0, "limits_ratio": True, "at_least": True}
            yield Figure(
                name=name if raw else f"web3.py: {name}", value=value, unit="/s",
                samples=len(rates["ours"]), peer=peer_name,
                peer_value=statistics.median(theirs) if theirs else None,
                **({} if raw or not theirs else limit),
            )  # fmt: skip
    raw_peer = [one[NAMES[-1]] for one in rates["anvil"]]
    yield Figure(
        name="Substrate transfers, pipelined", value=statistics.median(piped), unit="/s", samples=rounds,
        peer="anvil raw", peer_value=statistics.median(raw_peer) if raw_peer else None,
        **({"limit": 0.5, "limits_ratio": True, "at_least": True} if raw_peer else {}),
    )  # fmt: skip
    yield Figure(name=f"a block of {CALLS} contract calls", value=_block_ms(), unit="ms")


def _transfers(w3: Web3, count: int, nonce: int, **parts: Any) -> list[bytes]:
    fields = {
        "to": TO,
        "value": 10**13,
        "gas": 21_000,
        "maxFeePerGas": 40 * GWEI,
        "maxPriorityFeePerGas": GWEI,
    }
    base = {**fields, "chainId": w3.eth.chain_id, **parts}
    signed = (KEY.sign_transaction({**base, "nonce": nonce + at}) for at in range(count))
    return [bytes(one.raw_transaction) for one in signed]


def _rates(port: int, count: int) -> dict[str, float]:
    w3 = Web3(Web3.HTTPProvider(f"http://127.0.0.1:{port}"))
    first = w3.eth.get_transaction_count(KEY.address)
    (creation,) = _transfers(w3, 1, first, to="", value=0, data=box().code, gas=3_000_000)
    contract = _must(w3, w3.eth.send_raw_transaction(creation))["contractAddress"]
    put = ask("put(uint256)", 1)
    plain = _transfers(w3, 2 * count, first + 1)
    calls = _transfers(w3, count, first + 1 + 2 * count, to=contract, value=0, data=put, gas=100_000)
    raws = plain + calls + _transfers(w3, count, first + 1 + 3 * count)

    def send() -> None:
        sent = [w3.eth.send_raw_transaction(raw) for raw in raws[:count]]
        _must(w3, sent[-1])

    def sent_one_by_one(some: list[bytes]) -> None:
        for raw in some:
            _must(w3, w3.eth.send_raw_transaction(raw))

    def raw_send() -> None:
        line = http.client.HTTPConnection("127.0.0.1", port)
        for raw in raws[3 * count :]:
            _post(line, "eth_sendRawTransaction", "0x" + raw.hex())

    timed = (
        send,
        lambda: sent_one_by_one(raws[count : 2 * count]),
        lambda: sent_one_by_one(raws[2 * count : 3 * count]),
        raw_send,
    )
    return {name: count / seconds(run) for name, run in zip(NAMES, timed, strict=True)}


def _post(line: http.client.HTTPConnection, method: str, *params: Any) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
    line.request("POST", "/", body, {"Content-Type": "application/json"})
    answer = json.loads(line.getresponse().read())
    if "result" not in answer:
        raise RuntimeError(str(answer))


def _must(w3: Web3, sent: bytes) -> Any:
    receipt = w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.001)
    if receipt["status"] != 1:
        raise RuntimeError("a transaction failed")
    return receipt


def _block_ms() -> float:
    """Milliseconds from the order to seal to the block, by a node that seals when told to."""
    with running_node("--manual") as node:
        port = int(node.endpoint.rsplit(":", 1)[1])
        _ask_owner(port, "dev_faucet", mirror(bytes.fromhex(KEY.address[2:])), 10**15)
        _ask_owner(port, "dev_seal", 1)
        w3 = Web3(Web3.HTTPProvider(f"http://127.0.0.1:{port}"))
        (raw,) = _transfers(w3, 1, 0, to="", value=0, data=box().code, gas=3_000_000)
        sent = w3.eth.send_raw_transaction(raw)
        _ask_owner(port, "dev_seal", 1)
        contract = w3.eth.get_transaction_receipt(sent)["contractAddress"]
        put = ask("put(uint256)", 1)
        for raw in _transfers(w3, CALLS, 1, to=contract, value=0, data=put, gas=100_000):
            w3.eth.send_raw_transaction(raw)
        spent = seconds(_ask_owner, port, "dev_seal", 1)
        if len(w3.eth.get_block("latest")["transactions"]) != CALLS:
            raise RuntimeError("the block holds another number of calls")
        return spent * 1e3


def _ask_owner(port: int, method: str, *params: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {dev_token_file(port).read_text()}",
    }
    request = urllib.request.Request(f"http://127.0.0.1:{port}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())["result"]
