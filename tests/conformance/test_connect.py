"""The SDK connects to the node and follows its blocks."""

import asyncio

import bittensor
from tests.devnet_process import DevnetProcess


async def test_the_client_knows_the_chain(client: bittensor.Client, devnet: DevnetProcess) -> None:
    assert await client.spec_version() == 461
    assert await client.is_fast_blocks()
    assert await client.block() == await client.finalized_block() == 1
    first = await client.block_info(1)
    assert first is not None
    assert first.hash == devnet.rpc("chain_getBlockHash", 1)


async def test_heads_arrive_as_they_are_sealed(client: bittensor.Client, devnet: DevnetProcess) -> None:
    seen: list[int] = []
    async for block in client.blocks():
        seen.append(block.number)
        if len(seen) == 3:
            break
        await asyncio.to_thread(devnet.seal)
    assert seen == [1, 2, 3]


async def test_waiting_for_a_block_ends_when_it_is_sealed(
    client: bittensor.Client, devnet: DevnetProcess
) -> None:
    waiting = asyncio.create_task(client.wait_for_block(4))
    await asyncio.to_thread(devnet.seal, 3)
    assert (await waiting).number == 4
