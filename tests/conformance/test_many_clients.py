"""Many clients at once, as a local run has them: every extrinsic lands once, in every sealing mode."""

import asyncio

import bittensor
import pytest
from bittensor.intents import Transfer
from bittensor_core import Keypair
from tests.devnet_process import DevnetProcess

NAMES = ("Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie")
EACH = 4
RAO = 10**9


def wait_for_pool(devnet: DevnetProcess, count: int) -> None:
    """Ask until the pool holds that many; every question is a round trip, so nothing spins."""
    while devnet.rpc("dev_info")["pool"] < count:
        pass


@pytest.mark.parametrize("sealing", ["instant", {"interval": 0.05}])
async def test_every_transfer_of_every_client_lands_once(devnet: DevnetProcess, sealing: object) -> None:
    await asyncio.to_thread(devnet.rpc, "dev_setSealing", sealing)
    sink = Keypair.from_uri("//Sink").ss58_address

    async def spend(name: str) -> list[bool]:
        async with bittensor.Client(devnet.endpoint) as client:
            intent = Transfer(dest_ss58=sink, amount_tao=1)
            return [
                (await client.execute(intent, Keypair.from_uri(f"//{name}"))).success for _ in range(EACH)
            ]

    outcomes = await asyncio.gather(*map(spend, NAMES))
    assert outcomes == [[True] * EACH] * len(NAMES)
    async with bittensor.Client(devnet.endpoint) as client:
        assert (await client.balances.get(sink)).rao == len(NAMES) * EACH * RAO


async def test_one_client_may_send_without_waiting(devnet: DevnetProcess, alice: Keypair) -> None:
    """Manual sealing: ten extrinsics of one account wait in the pool, one block takes them all."""
    await asyncio.to_thread(devnet.rpc, "dev_setSealing", "manual")
    sink = Keypair.from_uri("//Sink").ss58_address
    async with bittensor.Client(devnet.endpoint) as client:
        sent = [
            asyncio.create_task(client.execute(Transfer(dest_ss58=sink, amount_tao=1), alice))
            for _ in range(10)
        ]
        await asyncio.to_thread(wait_for_pool, devnet, len(sent))
        before = await client.block()
        await asyncio.to_thread(devnet.seal)
        results = await asyncio.gather(*sent)
        assert [result.success for result in results] == [True] * len(sent)
        assert {result.extrinsic_id.split("-")[0] for result in results} == {str(before + 1)}
        assert (await client.balances.get(sink)).rao == len(sent) * RAO
