"""Every read the SDK has is answered, and which of them are not real is known by name."""

import re
from typing import Any

import bittensor
import pytest
from bittensor.reads import REGISTRY
from bittensor_core import Keypair
from tests.devnet_process import DevnetProcess

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


async def test_only_baskets_and_convictions_answer_zero(
    client: bittensor.Client, devnet: DevnetProcess
) -> None:
    for name, read in REGISTRY.items():
        await client.read(name, **{parameter: ARGUMENTS[parameter] for parameter in read.params})
    told = set(re.findall(r"WARNING (\w+) is not implemented", devnet.errors.read_text(encoding="utf-8")))
    rest = {name for name in told if not name.startswith("BetaBasketRuntimeApi_")}
    assert rest == {
        "StakeInfoRuntimeApi_get_hotkey_conviction",
        "StakeInfoRuntimeApi_get_most_convicted_hotkey_on_subnet",
    }


async def test_the_first_subnet_is_the_localnets(reader: bittensor.Client) -> None:
    root, first = await reader.read("subnets")
    assert (root.netuid, root.tempo, root.neuron_count) == (0, 100, 0)
    assert (first.netuid, first.tempo, first.neuron_count) == (1, 100, 1)
    assert await reader.read("token_symbols") == {0: "\N{GREEK CAPITAL LETTER TAU}", 1: "α"}
    assert (await reader.read("alpha_price", netuid=1))["tao_per_alpha"] == 1.0
    assert (await reader.read("subnet_registration_cost")).rao == 1000 * RAO
    metagraph = await reader.read("metagraph", netuid=1)
    assert (metagraph["num_uids"], metagraph["max_uids"]) == (1, 256)
    quote = await reader.read("quote_stake", netuid=1, amount_tao=1.0)
    assert 0.9 * RAO < quote.alpha.rao < RAO


async def test_balances_are_the_endowments(reader: bittensor.Client) -> None:
    balances = await reader.read("balances", coldkey_ss58s=[ALICE, BOB])
    assert {who: value.rao for who, value in balances.items()} == {ALICE: 10**6 * RAO, BOB: 10**6 * RAO}


async def test_the_chain_says_what_its_metadata_says(reader: bittensor.Client) -> None:
    assert (await reader.read("existential_deposit")).rao == 500
    assert await reader.read("block_time") == 0.25
    assert await reader.read("is_fast_blocks") is True
    assert len(bytes.fromhex((await reader.read("mev_shield_next_key")).removeprefix("0x"))) == 1184


async def test_a_snapshot_reads_an_older_block(client: bittensor.Client, devnet: DevnetProcess) -> None:
    devnet.rpc("dev_faucet", ALICE, RAO)
    height = await client.block()
    before = await client.at(height - 1)
    assert (await before.read("balance", coldkey_ss58=ALICE)).rao == 10**6 * RAO
    assert (await client.read("balance", coldkey_ss58=ALICE)).rao == (10**6 + 1) * RAO
