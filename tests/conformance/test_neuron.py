"""Neurons through the unmodified SDK: registered through the shield, served, read back."""

import bittensor
from bittensor.intents import BurnedRegister, RootRegister, ServeAxon
from tests.conformance.preset import ALICE, BOB, CHARLIE, joined, must, started_subnet
from tests.devnet_process import DevnetProcess


async def test_a_registration_burns_the_price_and_takes_the_next_uid(
    client: bittensor.Client, devnet: DevnetProcess
) -> None:
    netuid = await started_subnet(client)
    before = (await client.read("burn", netuid=netuid)).rao
    await joined(devnet.endpoint, netuid, BOB)
    await joined(devnet.endpoint, netuid, CHARLIE)
    assert await client.read("uid", hotkey_ss58=CHARLIE.hot, netuid=netuid) == 2
    neurons = await client.read("neurons", netuid=netuid)
    assert [neuron.hotkey for neuron in neurons] == [ALICE.hot, BOB.hot, CHARLIE.hot]
    assert [neuron.coldkey for neuron in neurons] == [ALICE.cold, BOB.cold, CHARLIE.cold]
    assert (await client.read("burn", netuid=netuid)).rao > before
    assert await client.read("hotkey_owner", hotkey_ss58=BOB.hot) == BOB.cold
    assert netuid in await client.read("netuids_for_hotkey", hotkey_ss58=BOB.hot)


async def test_a_hotkey_registers_once(client: bittensor.Client, devnet: DevnetProcess) -> None:
    netuid = await started_subnet(client)
    await joined(devnet.endpoint, netuid, BOB)
    async with bittensor.Client(devnet.endpoint) as again:
        result = await again.execute(BurnedRegister(netuid=netuid), BOB)
    assert not result.success


async def test_an_axon_is_served_and_found(client: bittensor.Client, devnet: DevnetProcess) -> None:
    netuid = await started_subnet(client)
    await joined(devnet.endpoint, netuid, BOB)
    await must(client, ServeAxon(netuid=netuid, ip="10.1.2.3", port=8091), BOB)
    graph = await client.read("metagraph", netuid=netuid)
    assert graph["axons"][1]["port"] == 8091
    assert graph["axons"][1]["ip"] == 0x0A010203
    too_soon = await client.execute(ServeAxon(netuid=netuid, ip="10.1.2.3", port=8092), BOB)
    assert too_soon.error.name == "ServingRateLimitExceeded"


async def test_a_root_seat(client: bittensor.Client) -> None:
    await must(client, RootRegister(), ALICE)
    assert await client.read("uid", hotkey_ss58=ALICE.hot, netuid=0) == 0
