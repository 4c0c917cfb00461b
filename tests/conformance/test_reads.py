"""Every read the SDK has is answered, and those that can have a real value have it."""

from typing import Any

import bittensor
import pytest
from bittensor.reads import REGISTRY
from bittensor_core import Keypair

RAO = 10**9
ALICE = Keypair.from_uri("//Alice").ss58_address
BOB = Keypair.from_uri("//Bob").ss58_address
ARGUMENTS: dict[str, Any] = {
    "coldkey_ss58": ALICE,
    "coldkey_ss58s": [ALICE, BOB],
    "account_ss58": ALICE,
    "hotkey_ss58": BOB,
    "hotkey_ss58s": [BOB],
    "call_hash": "0x" + "11" * 32,
    "block": 1,
    "netuid": 1,
    "netuids": [0, 1],
    "uid": 0,
    "lease_id": 0,
    "crowdloan_id": 0,
    "lite": True,
    "amount_tao": 1.0,
    "amount_alpha": 1.0,
    "mechid": 0,
}


def test_the_sdk_registers_102_reads() -> None:
    """The number the fidelity table names; a new SDK changes it and makes us look."""
    assert len(REGISTRY) == 102


@pytest.mark.parametrize("name", sorted(REGISTRY))
async def test_a_read_answers(reader: bittensor.Client, name: str) -> None:
    arguments = {parameter: ARGUMENTS[parameter] for parameter in REGISTRY[name].params}
    await reader.read(name, **arguments)


async def test_balances_are_the_endowments(reader: bittensor.Client) -> None:
    balances = await reader.read("balances", coldkey_ss58s=[ALICE, BOB])
    assert {who: value.rao for who, value in balances.items()} == {ALICE: 10**6 * RAO, BOB: 10**6 * RAO}


async def test_the_chain_says_what_its_metadata_says(reader: bittensor.Client) -> None:
    assert (await reader.read("existential_deposit")).rao == 500
    assert await reader.read("block_time") == 0.25
    assert await reader.read("is_fast_blocks") is True
    assert len(bytes.fromhex((await reader.read("mev_shield_next_key")).removeprefix("0x"))) == 1184


async def test_a_snapshot_reads_an_older_block(client: bittensor.Client, devnet: Any) -> None:
    devnet.rpc("dev_faucet", ALICE, RAO)
    height = await client.block()
    before = await client.at(height - 1)
    assert (await before.read("balance", coldkey_ss58=ALICE)).rao == 10**6 * RAO
    assert (await client.read("balance", coldkey_ss58=ALICE)).rao == (10**6 + 1) * RAO
