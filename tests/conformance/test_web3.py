"""The unmodified web3.py against a real node: fund, deploy, call, read logs, fail, and withdraw."""

import json
import signal
from pathlib import Path
from typing import Any

import bittensor
import pytest
from bittensor.intents import Transfer
from bittensor_core import Keypair
from eth_account import Account
from tests.devnet_process import DevnetProcess, running_devnet
from tests.sdk.devnet.evm.contracts import box
from web3 import AsyncWeb3, Web3
from web3.exceptions import Web3RPCError
from web3.providers import WebSocketProvider

from subnetlab.devnet.evm.addresses import mirror, truncated

TAO = 10**9


@pytest.fixture
def w3(devnet: DevnetProcess) -> Web3:
    return Web3(Web3.HTTPProvider(devnet.url))


@pytest.fixture
def key(w3: Web3, devnet: DevnetProcess) -> Any:
    """A key that the chain knows nothing of, funded by a plain transfer to its mirror."""
    return Account.from_key("0x" + "11" * 32)


async def fund(client: bittensor.Client, payer: Keypair, address: str, rao: int) -> None:
    transfer = Transfer(dest_ss58=mirror(bytes.fromhex(address[2:])), amount_tao=rao / TAO)
    result = await client.execute(transfer, payer)
    assert result.success, result.message


def run(w3: Web3, key: Any, what: Any, **parts: Any) -> Any:
    """Build, sign, send and wait, as a program of a user does."""
    nonce = w3.eth.get_transaction_count(key.address)
    transaction = what.build_transaction({"from": key.address, "nonce": nonce, **parts})
    sent = w3.eth.send_raw_transaction(key.sign_transaction(transaction).raw_transaction)
    return w3.eth.wait_for_transaction_receipt(sent)


async def test_a_contract_from_deployment_to_its_last_rao(
    client: bittensor.Client, alice: Keypair, w3: Web3, key: Any
) -> None:
    await fund(client, alice, key.address, 100 * TAO)
    assert w3.eth.chain_id == 42
    assert w3.eth.get_balance(key.address) == (100 * TAO - 500) * 10**9
    receipt = run(w3, key, w3.eth.contract(abi=box().abi, bytecode=box().code).constructor())
    contract = w3.eth.contract(receipt.contractAddress, abi=box().abi)
    assert contract.functions.owner().call() == key.address
    receipt = run(w3, key, contract.functions.put(7), value=10**18)
    (event,) = contract.events.Put().process_receipt(receipt)
    assert (event["args"]["who"], event["args"]["amount"]) == (key.address, 7)
    found = contract.events.Put().get_logs(from_block=0, argument_filters={"who": key.address})
    assert [one["transactionHash"] for one in found] == [receipt.transactionHash]
    with pytest.raises(Web3RPCError) as refused:
        contract.functions.put(0).call()
    assert refused.value.rpc_response["error"]["message"].endswith("revert nothing to put")  # type: ignore[index]
    paid = 100 * TAO * 10**9 - w3.eth.get_balance(key.address)
    own = w3.to_checksum_address(truncated(alice.ss58_address))
    assert run(w3, key, contract.functions.send_all(own)).status == 1
    assert w3.eth.get_balance(contract.address) == 0
    assert paid > 10**18
    held = w3.eth.get_balance(own) // 10**9
    call = bittensor.calls.EVM.withdraw(address=own, value=held)
    before = (await client.balances.get(alice.ss58_address)).rao
    assert (await client.submit_call(call, alice)).success
    after = (await client.balances.get(alice.ss58_address)).rao
    assert held - 10**6 < after - before < held


async def test_web3_subscribes_over_the_same_port(devnet: DevnetProcess, key: Any) -> None:
    devnet.rpc("dev_faucet", mirror(bytes.fromhex(key.address[2:])), 10 * TAO)
    async with AsyncWeb3(WebSocketProvider(devnet.endpoint)) as w3:
        identifier = await w3.eth.subscribe("newHeads")
        transaction = {"to": "0x" + "22" * 20, "value": 10**15, "nonce": 0, "gas": 21_000, "chainId": 42}
        prices = {"maxFeePerGas": 40 * 10**9, "maxPriorityFeePerGas": 0}
        sent = await w3.eth.send_raw_transaction(
            key.sign_transaction({**transaction, **prices}).raw_transaction
        )
        async for message in w3.socket.process_subscriptions():
            assert message["subscription"] == identifier
            head = message["result"]
            break
        receipt = await w3.eth.get_transaction_receipt(sent)
        assert receipt["blockHash"] == head["hash"]


def test_a_killed_node_gives_the_same_receipt(tmp_path: Path) -> None:
    state = tmp_path / "chain"
    key = Account.from_key("0x" + "11" * 32)
    with running_devnet(tmp_path, "--instant", "--state", str(state)) as node:
        node.rpc("dev_faucet", mirror(bytes.fromhex(key.address[2:])), 100 * TAO)
        w3 = Web3(Web3.HTTPProvider(node.url))
        receipt = run(w3, key, w3.eth.contract(abi=box().abi, bytecode=box().code).constructor())
        contract = w3.eth.contract(receipt.contractAddress, abi=box().abi)
        receipt = run(w3, key, contract.functions.put(3))
        balance = w3.eth.get_balance(key.address)
        node.process.send_signal(signal.SIGKILL)
        node.process.wait()
    with running_devnet(tmp_path, "--instant", "--state", str(state)) as node:
        w3 = Web3(Web3.HTTPProvider(node.url))
        again = w3.eth.get_transaction_receipt(receipt.transactionHash)
        assert json.loads(w3.to_json(again)) == json.loads(w3.to_json(receipt))
        assert w3.eth.get_balance(key.address) == balance
        contract = w3.eth.contract(contract.address, abi=box().abi)
        run(w3, key, contract.functions.put(4))
        assert contract.functions.total().call() == 7
