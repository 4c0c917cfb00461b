"""Ethereum's half of the node through web3.py, beside anvil where it is installed (npm `@foundry-rs/anvil`).

Both seal a block for every transaction. Transfers are signed before the clock starts.
"""

import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from eth_account import Account
from web3 import Web3

from subnetlab.devnet.evm.addresses import mirror
from subnetlab.settings import dev_token_file
from tests.benchmarks.measure import Figure, seconds
from tests.benchmarks.node import running_node
from tests.sdk.devnet.evm.contracts import ask, box

KEY = Account.from_key("0x" + "11" * 32)
TO, GWEI = "0x" + "22" * 20, 10**9
CALLS = 100


def measure(quick: bool) -> Iterator[Figure]:
    """The same program against both nodes, in turns, and a block of contract calls on ours."""
    count, rounds = (40, 1) if quick else (300, 3)
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    for _ in range(rounds):
        with running_node("--instant") as node:
            port = int(node.endpoint.rsplit(":", 1)[1])
            _ask_owner(port, "dev_faucet", mirror(bytes.fromhex(KEY.address[2:])), 10**15)
            ours.append(_rates(port, count))
        with _anvil() as peer:
            if peer is not None:
                theirs.append(_rates(peer, count))
    for name in ("send", "send and receipt", "raw send, one connection"):
        value = statistics.median(one[name] for one in ours)
        peer_value = statistics.median(one[name] for one in theirs) if theirs else None
        limit = {} if name.startswith("raw") else {"limit": 1.0, "limits_ratio": True, "at_least": True}
        yield Figure(
            name=f"web3.py transfers: {name}" if not name.startswith("raw") else name, value=value, unit="/s",
            samples=len(ours), peer="anvil", peer_value=peer_value, **(limit if theirs else {}),
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
    raws = _transfers(w3, 3 * count, first)

    def send() -> None:
        sent = [w3.eth.send_raw_transaction(raw) for raw in raws[:count]]
        _must(w3, sent[-1])

    def send_and_receipt() -> None:
        for raw in raws[count : 2 * count]:
            _must(w3, w3.eth.send_raw_transaction(raw))

    def raw_send() -> None:
        line = http.client.HTTPConnection("127.0.0.1", port)
        for raw in raws[2 * count :]:
            body = {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "eth_sendRawTransaction",
                "params": ["0x" + raw.hex()],
            }
            line.request("POST", "/", json.dumps(body), {"Content-Type": "application/json"})
            answer = json.loads(line.getresponse().read())
            if "result" not in answer:
                raise RuntimeError(str(answer))

    timed = {"send": send, "send and receipt": send_and_receipt, "raw send, one connection": raw_send}
    return {name: count / seconds(run) for name, run in timed.items()}


def _must(w3: Web3, sent: bytes) -> None:
    if w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.001)["status"] != 1:
        raise RuntimeError("a transfer failed")


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


@contextmanager
def _anvil() -> Generator[int | None]:
    """Anvil on a free port with the same key funded; None where it is not installed."""
    program = os.environ.get("ANVIL") or shutil.which("anvil")
    if program is None:
        yield None
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([program, "--port", str(port), "--silent", "--chain-id", "42"])
    try:
        w3 = Web3(Web3.HTTPProvider(f"http://127.0.0.1:{port}"))
        while not w3.is_connected():
            time.sleep(0.05)
        w3.provider.make_request("anvil_setBalance", [KEY.address, hex(10**24)])  # type: ignore[arg-type]
        yield port
    finally:
        process.terminate()
        process.wait()
