"""A subnet through the unmodified SDK: made, started, described, counted."""

import bittensor
from bittensor.intents import RegisterSubnet, SetSubnetIdentity, StartCall
from tests.conformance.preset import ALICE, BOB, made_subnet, must, started_subnet, sudo

RAO = 10**9


async def test_a_new_subnet_costs_the_lock_and_pools_all_of_it(client: bittensor.Client) -> None:
    cost = await client.read("subnet_registration_cost")
    before = (await client.balances.get(ALICE.cold)).rao
    result = await must(client, RegisterSubnet(), ALICE)
    assert cost.rao == 1000 * RAO
    assert before - (await client.balances.get(ALICE.cold)).rao == cost.rao + result.fee.rao
    graph = await client.read("metagraph", netuid=2)
    assert graph["tao_in"] == graph["alpha_in"] == 1000 * RAO
    assert graph["owner_coldkey"] == ALICE.cold
    assert list(graph["hotkeys"]) == [ALICE.hot]
    assert graph["symbol"] == "β"


async def test_a_second_subnet_has_to_wait_for_the_rate_limit(client: bittensor.Client) -> None:
    await made_subnet(client)
    refused = await client.execute(RegisterSubnet(), BOB)
    assert not refused.success
    assert refused.error.name == "NetworkTxRateLimitExceeded"
    await sudo(client, bittensor.calls.AdminUtils.sudo_set_network_rate_limit(rate_limit=0))
    await must(client, RegisterSubnet(), BOB)
    assert [subnet.netuid for subnet in await client.read("subnets")] == [0, 1, 2, 3]


async def test_the_price_doubles_and_falls_back(client: bittensor.Client) -> None:
    await made_subnet(client)
    doubled = (await client.read("subnet_registration_cost")).rao
    assert 1999 * RAO < doubled <= 2000 * RAO


async def test_only_the_owner_starts_a_subnet_and_only_once(client: bittensor.Client) -> None:
    netuid = await made_subnet(client)
    assert not (await client.execute(StartCall(netuid=netuid), BOB)).success
    await must(client, StartCall(netuid=netuid), ALICE)
    again = await client.execute(StartCall(netuid=netuid), ALICE)
    assert again.error.name == "FirstEmissionBlockNumberAlreadySet"


async def test_a_subnet_describes_itself(client: bittensor.Client) -> None:
    netuid = await started_subnet(client)
    await must(client, SetSubnetIdentity(netuid=netuid, subnet_name="tiny-lm"), ALICE)
    assert (await client.read("subnet_names"))[netuid] == "tiny-lm"
    assert (await client.read("metagraph", netuid=netuid))["name"] == "tiny-lm"
