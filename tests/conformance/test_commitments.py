"""Commitments through the unmodified SDK: a raw call, read back by its own reads."""

from typing import Any

import bittensor
from tests.conformance.preset import ALICE, BOB, started_subnet


async def commit(client: bittensor.Client, netuid: int, fields: list[Any], person: Any = ALICE) -> Any:
    call = bittensor.calls.Commitments.set_commitment(netuid=netuid, info={"fields": [fields]})
    return await client.submit_call(call, person, signer="hotkey")


async def test_a_commitment_is_read_back_and_replaced(client: bittensor.Client) -> None:
    netuid = await started_subnet(client)
    assert (await commit(client, netuid, [{"Raw5": b"hello"}])).success
    first = await client.read("commitment", hotkey_ss58=ALICE.hot, netuid=netuid)
    assert first.data == "hello"
    digest = bytes(range(32))
    assert (await commit(client, netuid, [{"BlakeTwo256": "0x" + digest.hex()}])).success
    second = await client.read("commitment", hotkey_ss58=ALICE.hot, netuid=netuid)
    assert second.fields == [{"BlakeTwo256": "0x" + digest.hex()}]
    assert second.block > first.block
    everyone = await client.read("commitments", netuid=netuid)
    assert [entry["hotkey"] for entry in everyone] == [ALICE.hot]


async def test_a_stranger_commits_nothing(client: bittensor.Client) -> None:
    netuid = await started_subnet(client)
    result = await commit(client, netuid, [{"Raw5": b"hello"}], BOB.coldkey)
    assert result.error.name == "AccountNotAllowedCommit"
    assert await client.read("commitment", hotkey_ss58=BOB.cold, netuid=netuid) is None
