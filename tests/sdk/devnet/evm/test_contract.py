"""Contracts on the chain's own storage: what they keep, see, send, undo and cost."""

import subprocess
import sys
from typing import Any

import pytest
from bittensor_core import Keypair
from eth_abi import decode
from eth_account import Account
from eth_utils import to_checksum_address
from tests.sdk.devnet.evm.conftest import GWEI, TAO, Wallet, receipts
from tests.sdk.devnet.evm.contracts import SUICIDE_RUNTIME, ask, box, deployer
from tests.sdk.devnet.signing import Signer

from subnetlab.devnet.chain.ledger import Ledger, go_on
from subnetlab.devnet.evm.addresses import created, mirror, truncated
from subnetlab.devnet.evm.engine import Message, Outcome, engine
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances

OTHER = Account.from_key("0x" + "33" * 32)


def simulated(node: Node, to: bytes, data: bytes, sender: bytes = bytes(20), **parts: Any) -> Outcome:
    number = node.blocks.head.number
    ledger = Ledger(node.codec, node.state.overlay(number))
    ledger.block_number, ledger.now_ms = number, node.ledger.now_ms
    return engine().run(ledger, Message(sender=sender, to=to, data=data, **parts), go_on)


def total(node: Node, contract: bytes) -> int:
    return int.from_bytes(simulated(node, contract, ask("total()")).output, "big")


def test_a_contract_keeps_what_it_is_told(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(box().code)
    assert wallet.call(contract, ask("put(uint256)", 7)).succeeded
    assert total(node, contract) == 7
    (log,) = receipts(node)[0].logs
    assert (log.address, log.topics[1][12:], int.from_bytes(log.data, "big")) == (contract, wallet.address, 7)
    address = "0x" + contract.hex()
    slots = node.ledger.items("EVM", "AccountStorages", address)
    assert ("0x" + (7).to_bytes(32, "big").hex()) in [value for _, value in slots]
    assert node.ledger.get("EVM", "AccountCodesMetadata", address)["size"] > 100
    assert node.ledger.get("System", "Account", mirror(contract))["sufficients"] == 1


def test_what_a_frame_reverts_is_undone_and_the_rest_stays(node: Node, wallet: Wallet) -> None:
    first, second = wallet.create(box().code), wallet.create(box().code)
    assert wallet.call(first, ask("put_twice(address,uint256)", second, 5)).succeeded
    assert (total(node, first), total(node, second)) == (5, 0)


def test_a_failing_transaction_keeps_its_fee_and_nonce(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(box().code)
    before, nonce = wallet.rao, wallet.nonce()
    receipt = wallet.call(contract, ask("put(uint256)", 0), value=TAO)
    assert (receipt.succeeded, receipt.logs, wallet.nonce()) == (False, (), nonce + 1)
    assert 21_000 < receipt.cumulative_gas < 60_000
    assert 0 < before - wallet.rao < 10**7
    executed = [one["event"]["Ethereum"] for one in node.ledger.events if "Ethereum" in one["event"]]
    assert executed[0]["Executed"]["exit_reason"] == {"Revert": "Reverted"}
    assert executed[0]["Executed"]["extra_data"] == b"nothing to put"


def test_running_out_of_gas_costs_all_of_it(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(box().code)
    receipt = wallet.call(contract, ask("spin()"), gas=200_000)
    assert (receipt.succeeded, receipt.cumulative_gas) == (False, 200_000)


def test_contracts_see_what_can_be_spent(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(box().code, value=TAO)
    own, asking = decode(["uint256"] * 2, simulated(node, contract, ask("money()"), wallet.address).output)
    assert own == TAO - 500 * GWEI
    assert asking == (wallet.rao - 500) * GWEI


def test_the_whole_balance_can_leave(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(box().code, value=TAO)
    target = bytes.fromhex("44" * 20)
    assert wallet.call(contract, ask("send_all(address)", target)).succeeded
    assert balances.free(node.ledger, mirror(target)) == 10**9 - 500
    assert balances.free(node.ledger, mirror(contract)) == 500


def test_contracts_see_the_chain_around_them(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(box().code)
    head = node.blocks.head.number
    outcome = simulated(node, contract, ask("around()"))
    number, timestamp, chain_id, parent, fee = decode(
        ["uint256", "uint256", "uint256", "bytes32", "uint256"], outcome.output
    )
    assert (number, timestamp, chain_id) == (head, node.ledger.now_ms // 1000, 42)
    stored = node.ledger.items("Ethereum", "BlockHash")
    assert ("0x" + parent.hex()) == dict(stored)[head - 1]
    assert fee == node.ledger.get("BaseFee", "BaseFeePerGas")


def test_a_simulation_leaves_no_trace(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(box().code)
    before = node.state.latest()
    assert simulated(node, contract, ask("put(uint256)", 9), wallet.address, value=TAO).succeeded
    assert node.state.latest() == before
    assert total(node, contract) == 0


def test_a_contract_of_another_transaction_survives_its_self_destruct(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(deployer(SUICIDE_RUNTIME), value=TAO)
    before = wallet.rao
    assert wallet.call(contract).succeeded
    assert wallet.rao > before + 9 * 10**8
    assert node.ledger.has("EVM", "AccountCodes", "0x" + contract.hex())
    assert balances.free(node.ledger, mirror(contract)) == 500


def test_a_contract_of_this_transaction_is_deleted(node: Node, wallet: Wallet) -> None:
    contract = created(wallet.address, wallet.nonce())
    assert wallet.send(to="", data=SUICIDE_RUNTIME, gas=200_000).succeeded
    assert not node.ledger.has("EVM", "AccountCodes", "0x" + contract.hex())


def test_an_account_runs_the_code_it_authorized(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(box().code)
    authority = bytes.fromhex(OTHER.address[2:])
    signed = OTHER.sign_authorization({"chainId": 42, "address": to_checksum_address(contract), "nonce": 0})
    assert wallet.call(authority, ask("put(uint256)", 3), type=4, authorizationList=[signed]).succeeded
    assert total(node, authority) == 3
    assert total(node, contract) == 0
    assert node.ledger.get("System", "Account", mirror(authority))["nonce"] == 1
    again = OTHER.sign_authorization({"chainId": 42, "address": "0x" + "00" * 20, "nonce": 1})
    assert wallet.call(authority, b"", type=4, authorizationList=[again]).succeeded
    assert not node.ledger.has("EVM", "AccountCodes", "0x" + authority.hex())


def test_code_that_is_too_long_or_not_code_creates_nothing(node: Node, wallet: Wallet) -> None:
    assert not wallet.send(to="", data=b"\xfe", gas=200_000).succeeded
    too_long = wallet.send(to="", data=bytes(49_153), gas=5_000_000)
    assert (too_long.succeeded, too_long.cumulative_gas) == (False, 5_000_000)


def _call(own: bytes, contract: bytes, data: bytes, value: int = 0) -> dict[str, Any]:
    return {
        "source": "0x" + own.hex(), "target": "0x" + contract.hex(), "value": [value, 0, 0, 0], "input": data,
        "gas_limit": 200_000, "max_fee_per_gas": [40 * GWEI, 0, 0, 0], "max_priority_fee_per_gas": None,
        "nonce": None, "access_list": [], "authorization_list": [],
    }  # fmt: skip


@pytest.mark.parametrize("value", [0, TAO])
def test_a_chain_key_calls_a_contract_as_its_own_address(
    node: Node, wallet: Wallet, signer: Signer, value: int
) -> None:
    contract = wallet.create(box().code)
    own = truncated(signer.address)
    nonce = node.ledger.get("System", "Account", signer.address)["nonce"]
    node.submit(signer.transfer(mirror(own), 10**10, nonce=nonce))
    node.seal()
    parts = _call(own, contract, ask("put(uint256)", 4), value)
    node.submit(signer.sign(signer.call("EVM", "call", **parts), nonce=nonce + 1))
    node.seal()
    assert total(node, contract) == 4
    assert {"EVM": {"Executed": {"address": "0x" + contract.hex()}}} in [
        one["event"] for one in node.ledger.events
    ]
    node.submit(
        signer.sign(signer.call("EVM", "withdraw", address="0x" + own.hex(), value=10**9), nonce=nonce + 2)
    )
    before = balances.free(node.ledger, mirror(own))
    node.seal()
    assert balances.free(node.ledger, mirror(own)) == before - 10**9


def test_another_key_acts_for_no_address(node: Node, wallet: Wallet) -> None:
    bob = Signer(node, Keypair.from_uri("//Bob"))
    node.submit(bob.sign(bob.call("EVM", "withdraw", address="0x" + wallet.address.hex(), value=10**9)))
    before = wallet.rao
    node.seal()
    assert wallet.rao == before
    failed = [one["event"]["System"] for one in node.ledger.events if "System" in one["event"]]
    assert any(one.get("ExtrinsicFailed", {}).get("dispatch_error") == "BadOrigin" for one in failed)


def test_an_extrinsic_that_calls_a_contract_pays_by_its_gas(
    node: Node, wallet: Wallet, signer: Signer
) -> None:
    contract, own = wallet.create(box().code), truncated(signer.address)
    nonce = node.ledger.get("System", "Account", signer.address)["nonce"]
    node.submit(signer.transfer(mirror(own), 10**10, nonce=nonce))
    node.seal()
    before = balances.free(node.ledger, signer.address)
    call = signer.call("EVM", "call", **_call(own, contract, ask("put(uint256)", 4)))
    node.submit(signer.sign(call, nonce=nonce + 1))
    node.seal()
    assert balances.free(node.ledger, signer.address) == before
    assert balances.free(node.ledger, mirror(own)) < 10**10


def test_a_long_transaction_is_built_in_turns(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(box().code)
    transaction = wallet.submit(to=to_checksum_address(contract), data=ask("spin()"), gas=1_000_000)
    assert node.heavy
    head = node.blocks.head
    node.begin()
    turns = 1
    while not node.work():
        assert node.blocks.head is head
        assert total(node, contract) == 0
        turns += 1
    assert turns > 3
    assert receipts(node)[0].succeeded is False
    assert wallet.nonce() == transaction.nonce + 1


def test_the_engine_leaves_recursion_bounded() -> None:
    """Loading py-evm alone would let a request of brackets run through the end of the stack."""
    program = (
        "import json, sys\n"
        "from subnetlab.devnet.evm import accounts, prague\n"
        "assert sys.getrecursionlimit() == accounts.RECURSION_LIMIT\n"
        "try: json.loads('[' * 100_000)\n"
        "except RecursionError: print('bounded')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300
    )
    assert (done.returncode, done.stdout) == (0, "bounded\n")
