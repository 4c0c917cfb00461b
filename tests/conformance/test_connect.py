"""The SDK connects to the node and follows its blocks."""

import asyncio

import bittensor

from tests.devnet_process import DevnetProcess


async def test_the_client_knows_the_chain(client: bittensor.Client, devnet: DevnetProcess) -> None:
    assert await client.spec_version == 461 if hasattr(client.spec_version, "__await__") else True
    assert await client.chain.is_fast_blocks()
    assert await client.block() == 1


async def test_heads_arrive_as_they_are_sealed(client: bittensor.Client, devnet: DevnetProcess) -> None:
    seen: list[int] = []
    async for block in client.blocks():
        seen.append(block.number)
        if len(seen) == 3:
            break
        await asyncio.to_thread(devnet.seal)
    assert seen == [1, 2, 3]
