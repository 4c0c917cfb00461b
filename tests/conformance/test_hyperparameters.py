"""Hyperparameters through the unmodified SDK: read, set by the owner and by root, held back by the window."""

import bittensor
from bittensor.intents import SetHyperparameter, SetSubnetEmissionEnabled
from tests.conformance.preset import ALICE, BOB, made_subnet, must, sudo


async def test_every_hyperparameter_of_a_new_subnet(client: bittensor.Client) -> None:
    netuid = await made_subnet(client)
    values = await client.read("subnet_hyperparameters", netuid=netuid)
    assert values["tempo"] == 10
    assert values["max_validators"] == 64
    assert values["immunity_period"] == 5000
    assert values["yuma_version"] == 3
    assert values["commit_reveal_weights_enabled"] is True
    assert values["subnet_is_active"] is False


async def test_an_owner_waits_for_the_freeze_window_to_open(client: bittensor.Client) -> None:
    netuid = await made_subnet(client)
    change = SetHyperparameter(netuid=netuid, name="immunity_period", value=100)
    frozen = await client.execute(change, ALICE)
    assert frozen.error.name == "AdminActionProhibitedDuringWeightsWindow"
    await sudo(client, bittensor.calls.AdminUtils.sudo_set_admin_freeze_window(window=0))
    await must(client, change, ALICE)
    assert await client.read("immunity_period", netuid=netuid) == 100
    too_soon = await client.execute(
        SetHyperparameter(netuid=netuid, name="immunity_period", value=200), ALICE
    )
    assert too_soon.error.name == "TxRateLimitExceeded"


async def test_a_stranger_sets_nothing(client: bittensor.Client) -> None:
    netuid = await made_subnet(client)
    change = SetHyperparameter(netuid=netuid, name="immunity_period", value=100)
    assert not (await client.execute(change, BOB)).success
    assert await client.read("immunity_period", netuid=netuid) == 5000


async def test_root_enables_emission(client: bittensor.Client) -> None:
    netuid = await made_subnet(client)
    assert not await client.read("subnet_emission_enabled", netuid=netuid)
    await must(client, SetSubnetEmissionEnabled(netuids=[netuid], enabled=True), ALICE)
    assert await client.read("subnet_emission_enabled", netuid=netuid)
