"""Weights through the unmodified SDK: set in the open once commit-reveal is off, refused before."""

import bittensor
from bittensor.intents import AddStake, SetWeights
from tests.conformance.preset import ALICE, BOB, joined, must, quick_preset, started_subnet
from tests.devnet_process import DevnetProcess


async def test_a_permitted_validator_sets_weights(client: bittensor.Client, devnet: DevnetProcess) -> None:
    netuid = await started_subnet(client)
    await quick_preset(client, netuid)
    await joined(devnet.endpoint, netuid, BOB)
    await must(client, SetWeights(netuid=netuid, uids=[0, 1], weights=[0.25, 0.75]), ALICE)
    rows = await client.read("weights", netuid=netuid)
    assert abs(rows[0][1] - 0.75) < 1e-4
    assert abs(rows[0][0] - 0.25) < 1e-4


async def test_a_neuron_without_a_permit_is_refused_until_its_stake_earns_one(
    client: bittensor.Client, devnet: DevnetProcess
) -> None:
    netuid = await started_subnet(client)
    await quick_preset(client, netuid)
    await joined(devnet.endpoint, netuid, BOB)
    vote = SetWeights(netuid=netuid, uids=[0, 1], weights=[0.5, 0.5])
    refused = await client.execute(vote, BOB)
    assert refused.error.name == "NeuronNoValidatorPermit"
    await must(client, AddStake(hotkey_ss58=BOB.hot, netuid=netuid, amount_tao=20), BOB)
    devnet.seal(10)
    assert list((await client.read("metagraph", netuid=netuid))["validator_permit"])[1]
    await must(client, vote, BOB)


async def test_plain_weights_are_refused_where_commit_reveal_is_on(client: bittensor.Client) -> None:
    netuid = await started_subnet(client)
    call = bittensor.calls.SubtensorModule.set_mechanism_weights(
        netuid=netuid, mecid=0, dests=[0], weights=[1], version_key=0
    )
    result = await client.submit_call(call, ALICE, signer="hotkey")
    assert result.error.name == "CommitRevealEnabled"


async def test_miners_who_are_weighed_are_paid(client: bittensor.Client, devnet: DevnetProcess) -> None:
    netuid = await started_subnet(client)
    await quick_preset(client, netuid)
    await joined(devnet.endpoint, netuid, BOB)
    await must(client, AddStake(hotkey_ss58=ALICE.hot, netuid=netuid, amount_tao=20), ALICE)
    devnet.seal(10)
    await must(client, SetWeights(netuid=netuid, uids=[1], weights=[1.0]), ALICE)
    devnet.seal(20)
    graph = await client.read("metagraph", netuid=netuid)
    assert graph["incentives"][1] > 0
    assert graph["emission"][1] > 0
    assert (await client.read("stake_for_coldkey", coldkey_ss58=BOB.cold))[0].stake.rao > 0
