"""Generated transactions on the chain and in Ethereum's specification at Prague: same gas, logs and storage.

`tests/sdk/devnet/evm/test_differential.py` compares one transaction at a time with py-evm's own chain; here
the reference shares no code with the node, and several transactions follow one another.
"""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.peers.place import PROGRAMS, PYTHON
from tests.sdk.devnet.evm.conftest import GWEI, Wallet, code_of, receipts
from tests.sdk.devnet.evm.test_differential import (
    ADDRESS,
    AUTHORITY,
    RICH,
    SLOTS,
    codes,
    fields_of,
    rich_node,
    transactions,
)

from subnetlab.devnet.evm.addresses import created, mirror
from subnetlab.devnet.evm.engine import engine
from subnetlab.devnet.evm.gas import least as least_gas
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances

CONTRACT = bytes.fromhex("55" * 20)
EXAMPLES = 40


class Specification:
    """The reference in its own environment, asked over a pipe."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def answer(self, code: bytes, sent: list[bytes], ask: list[bytes]) -> dict[str, Any]:
        rich = [0, str(RICH), ""]
        accounts = {ADDRESS.hex(): rich, AUTHORITY.hex(): rich, CONTRACT.hex(): [1, str(RICH), code.hex()]}
        request = {
            "accounts": accounts, "transactions": [one.hex() for one in sent],
            "ask": [one.hex() for one in ask], "slots": SLOTS,
        }  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@pytest.fixture(scope="module")
def specification() -> Iterator[Specification]:
    engine()  # it bounds recursion where it is loaded, which Hypothesis does not want within an example
    command = [str(PYTHON), str(PROGRAMS / "reference.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Specification(process)
        assert process.stdin is not None
        process.stdin.close()


def sent_to(node: Node, wallet: Wallet, parts: dict[str, Any]) -> tuple[bytes, list[Any]]:
    """Let the chain apply a transaction; it encoded, and its receipt."""
    fields = fields_of(parts, CONTRACT)
    spare = fields.pop("gas")
    least = least_gas(wallet.sign(**fields, gas=10**7))
    transaction = wallet.submit_signed(wallet.sign(**fields, gas=least + spare))
    node.seal()
    found = receipts(node)[-1]
    logs = [[one.address.hex(), [topic.hex() for topic in one.topics], one.data.hex()] for one in found.logs]
    return transaction.encoded, [found.succeeded, found.cumulative_gas, logs]


def account_at(node: Node, address: bytes) -> list[Any]:
    stored = dict(node.ledger.items("EVM", "AccountStorages", "0x" + address.hex()))
    words = [int(stored.get("0x" + slot.to_bytes(32, "big").hex(), "0x0"), 16) for slot in range(SLOTS)]
    return [
        node.ledger.get("System", "Account", mirror(address))["nonce"], code_of(node, address).hex(), words
    ]  # fmt: skip


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(code=codes, listed=st.lists(transactions(), min_size=1, max_size=4))
def test_the_chain_and_the_specification_agree(
    specification: Specification, code: bytes, listed: list[dict[str, Any]]
) -> None:
    node, wallet = rich_node(code, CONTRACT)
    applied = [sent_to(node, wallet, parts) for parts in listed]
    ask = [CONTRACT, AUTHORITY, *(created(ADDRESS, nonce) for nonce in range(len(listed)))]
    wanted = specification.answer(code, [encoded for encoded, _ in applied], ask)
    assert [receipt for _, receipt in applied] == wanted["receipts"]
    assert [account_at(node, one) for one in ask] == [found[:3] for found in wanted["accounts"]]
    assert balances.free(node.ledger, mirror(CONTRACT)) * GWEI == wanted["accounts"][0][3]
