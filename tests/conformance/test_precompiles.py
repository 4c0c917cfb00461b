"""The SDK's own EVM tools, unmodified, against a running devnet: `bittensor.evm` by its guide, `btcli evm`.

Both start from an empty EVM key: it is funded by a coldkey, stakes through 0x805, reads the metagraph through
0x802, and pays back to the substrate side through 0x800.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import bittensor
import pytest
from bittensor import Wallet, evm
from bittensor.intents import EvmWithdraw, FundEvmKey
from bittensor_core import Keypair
from eth_account import Account
from tests.conformance.preset import ALICE, BOB, joined, must, started_subnet
from tests.devnet_process import DevnetProcess

RAO = 10**9
HOTKEY = ALICE.hot


class Tools:
    """An EVM key and the SDK's RPC client."""

    def __init__(self, url: str) -> None:
        self.rpc, self.account = evm.EvmRpc(url), Account.create()

    @property
    def address(self) -> str:
        return self.account.address

    def view(self, contract: str, name: str, *arguments: Any, block: str = "latest") -> list[Any]:
        precompile = evm.get_precompile(contract)
        described = precompile.function(name)
        question = {"to": precompile.address, "data": evm.encode_call(described, list(arguments))}
        return evm.decode_result(described, self.rpc.call("eth_call", [question, block]))

    def send(self, contract: str, name: str, *arguments: Any, value_wei: int = 0) -> dict[str, Any]:
        precompile = evm.get_precompile(contract)
        data = evm.encode_call(precompile.function(name), list(arguments))
        preview = evm.prepare_transaction(
            self.rpc, self.address, precompile.address, value_wei=value_wei, data=data
        )
        return evm.send_transaction(self.rpc, self.account, preview)


async def stake_of(client: bittensor.Client, coldkey: str, netuid: int) -> int:
    """What the substrate side says of the same position."""
    position = await client.staking.stake(coldkey_ss58=coldkey, hotkey_ss58=HOTKEY, netuid=netuid)
    return int(position.rao)


async def test_the_guides_walk_through(client: bittensor.Client, devnet: DevnetProcess) -> None:
    netuid = await started_subnet(client)
    tools = Tools(devnet.url)
    mirror = evm.h160_to_ss58(tools.address)
    await must(client, FundEvmKey(evm_address=tools.address, amount_tao=100), ALICE)
    assert evm.wei_to_balance(tools.rpc.get_balance_wei(tools.address)).rao == 100 * RAO - 500

    before = hex(tools.rpc.block_number())
    staked = tools.send("staking-v2", "addStake", HOTKEY, 10 * RAO, netuid)
    assert staked["success"]
    assert tools.view("staking-v2", "getStake", HOTKEY, mirror, netuid, block=before) == [0]
    (shown,) = tools.view("staking-v2", "getStake", HOTKEY, mirror, netuid)
    assert shown == await stake_of(client, mirror, netuid) > 0

    (count,) = tools.view("metagraph", "getUidCount", netuid)
    neurons = [tools.view("metagraph", "getHotkey", netuid, uid)[0] for uid in range(count)]
    assert neurons == ["0x" + bytes(ALICE.hotkey.public_key).hex()]
    assert tools.view("address-mapping", "addressMapping", tools.address) == [evm.ss58_to_pubkey(mirror)]

    paid = await client.balances.get(BOB.cold)
    assert tools.send("balance-transfer", "transfer", BOB.cold, value_wei=3 * 10**18)["success"]
    assert (await client.balances.get(BOB.cold)).rao - paid.rao == 3 * RAO

    unstaked = tools.send("staking-v2", "removeStakeFull", HOTKEY, netuid)
    assert unstaked["success"]
    assert tools.view("staking-v2", "getStake", HOTKEY, mirror, netuid) == [0]


async def test_a_deposit_is_claimed_without_gas(client: bittensor.Client, devnet: DevnetProcess) -> None:
    tools = Tools(devnet.url)
    await must(client, FundEvmKey(evm_address=tools.address, amount_tao=10), ALICE)
    deposit = evm.ss58_to_h160_truncated(BOB.cold)
    preview = evm.prepare_transaction(tools.rpc, tools.address, deposit, value_wei=4 * 10**18)
    assert evm.send_transaction(tools.rpc, tools.account, preview)["success"]
    before = await client.balances.get(BOB.cold)
    claimed = await must(client, EvmWithdraw(amount_tao=4), BOB)
    assert (await client.balances.get(BOB.cold)).rao == before.rao + 4 * RAO - claimed.fee.rao


async def test_a_stake_that_the_chain_refuses_fails_before_it_is_sent(
    client: bittensor.Client, devnet: DevnetProcess
) -> None:
    tools = Tools(devnet.url)
    await must(client, FundEvmKey(evm_address=tools.address, amount_tao=5), ALICE)
    with pytest.raises(evm.EvmRpcError, match="dispatch execution failed: SubnetNotExists"):
        tools.send("staking-v2", "addStake", HOTKEY, RAO, 999)


async def test_a_hotkey_associates_an_evm_key(client: bittensor.Client, devnet: DevnetProcess) -> None:
    netuid = await started_subnet(client)
    await joined(devnet.endpoint, netuid, BOB)
    tools = Tools(devnet.url)
    signature, block = evm.association_proof(tools.account, BOB.hot, await client.block())
    intent = bittensor.intents.AssociateEvmKey(
        netuid=netuid, evm_key=tools.address.lower(), block_number=block, signature=signature
    )
    async with bittensor.Client(devnet.endpoint) as fresh:
        await must(fresh, intent, BOB)
    ((uid, _),) = tools.view("uid-lookup", "uidLookup", netuid, tools.address, 8)[0]
    assert tools.view("neuron", "getUid", netuid, BOB.hot) == [True, uid]


class Btcli:
    """btcli with a home of its own, Alice's wallet and a password for EVM keys."""

    def __init__(self, home: Path, endpoint: str) -> None:
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BT_")},
            "HOME": str(home), "BT_NETWORK": endpoint, "NO_COLOR": "1", "COLUMNS": "200",
            "BT_WALLET_PASSWORD": "for this test only",
        }  # fmt: skip
        wallet = Wallet(name="default", hotkey="default", path=str(home / ".bittensor" / "wallets"))
        for file, keys in (
            (wallet.coldkey_file, ALICE.coldkey),
            (wallet.coldkeypub_file, Keypair(ss58_address=ALICE.cold)),
            (wallet.hotkey_file, ALICE.hotkey),
            (wallet.hotkeypub_file, Keypair(ss58_address=ALICE.hot)),
        ):
            file.set_keypair(keys, encrypt=False, overwrite=False)

    def json(self, *words: str) -> Any:
        """Run `btcli evm`, which must succeed, and read what it prints."""
        program = Path(sys.executable).with_name("btcli")
        done = subprocess.run(
            [str(program), "evm", *words, "--json"],
            env=self._environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


async def test_btcli_stakes(client: bittensor.Client, devnet: DevnetProcess, tmp_path: Path) -> None:
    netuid = await started_subnet(client)
    btcli = Btcli(tmp_path, devnet.endpoint)
    address = btcli.json("key", "new")["address"]
    await must(client, FundEvmKey(evm_address=address, amount_tao=50), ALICE)
    staked = btcli.json("stake", "add", "--netuid", str(netuid), "--amount-tao", "10", "-y")
    assert staked["success"]
    position = btcli.json("stake", "show", "--netuid", str(netuid))
    assert position["stake_rao"] == await stake_of(client, evm.h160_to_ss58(address), netuid) > 0
    assert btcli.json("call", "metagraph", "getUidCount", str(netuid)) in (1, {"value": 1})
