"""Stake through the unmodified SDK: quoted, added, moved, removed, at the quoted price."""

import bittensor
from bittensor.intents import AddStake, MoveStake, RemoveStake, TransferStake, UnstakeAll
from tests.conformance.preset import ALICE, BOB, CHARLIE, must, started_subnet

RAO = 10**9


async def staked(client: bittensor.Client, netuid: int, coldkey: str = ALICE.cold) -> int:
    position = await client.read("stake", coldkey_ss58=coldkey, hotkey_ss58=ALICE.hot, netuid=netuid)
    return position.rao


async def test_stake_arrives_as_quoted(client: bittensor.Client) -> None:
    netuid = await started_subnet(client)
    quote = await client.read("quote_stake", netuid=netuid, amount_tao=10)
    before = (await client.balances.get(ALICE.cold)).rao
    result = await must(client, AddStake(hotkey_ss58=ALICE.hot, netuid=netuid, amount_tao=10), ALICE)
    assert await staked(client, netuid) == quote.alpha.rao
    assert before - (await client.balances.get(ALICE.cold)).rao == 10 * RAO + result.fee.rao
    assert (await client.read("alpha_prices"))[netuid] > 1


async def test_unstaking_pays_as_quoted(client: bittensor.Client) -> None:
    netuid = await started_subnet(client)
    await must(client, AddStake(hotkey_ss58=ALICE.hot, netuid=netuid, amount_tao=20), ALICE)
    quote = await client.read("quote_unstake", netuid=netuid, amount_alpha=5)
    before, held = (await client.balances.get(ALICE.cold)).rao, await staked(client, netuid)
    result = await must(client, RemoveStake(hotkey_ss58=ALICE.hot, netuid=netuid, amount_alpha=5), ALICE)
    paid = (await client.balances.get(ALICE.cold)).rao + result.fee.rao - before
    assert held - await staked(client, netuid) == 5 * RAO
    # Emission into the pool between the quote's block and the trade's moves the price by parts per billion.
    assert abs(paid - quote.tao.rao) <= quote.tao.rao // 10**6


async def test_a_purchase_that_moves_the_price_too_far_is_refused(client: bittensor.Client) -> None:
    netuid = await started_subnet(client)
    before = (await client.balances.get(ALICE.cold)).rao
    result = await client.execute(AddStake(hotkey_ss58=ALICE.hot, netuid=netuid, amount_tao=500), ALICE)
    assert not result.success
    assert result.error.name == "SlippageTooHigh"
    assert await staked(client, netuid) == 0
    spent = before - (await client.balances.get(ALICE.cold)).rao
    assert spent < RAO // 100, "a refused trade costs its fee and nothing else"


async def test_root_stake_is_one_to_one(client: bittensor.Client) -> None:
    await started_subnet(client)
    await must(client, AddStake(hotkey_ss58=ALICE.hot, netuid=0, amount_tao=50), CHARLIE)
    assert await staked(client, 0, CHARLIE.cold) == 50 * RAO
    await must(client, UnstakeAll(hotkey_ss58=ALICE.hot), CHARLIE)
    assert await staked(client, 0, CHARLIE.cold) == 0


async def test_stake_moves_and_changes_hands(client: bittensor.Client) -> None:
    netuid = await started_subnet(client)
    await must(client, AddStake(hotkey_ss58=ALICE.hot, netuid=netuid, amount_tao=20), ALICE)
    give = TransferStake(
        dest_coldkey_ss58=BOB.cold,
        hotkey_ss58=ALICE.hot,
        origin_netuid=netuid,
        dest_netuid=netuid,
        amount_alpha=4,
    )
    await must(client, give, ALICE)
    assert await staked(client, netuid, BOB.cold) == 4 * RAO
    move = MoveStake(
        origin_hotkey_ss58=ALICE.hot,
        dest_hotkey_ss58=ALICE.hot,
        origin_netuid=netuid,
        dest_netuid=0,
        amount_alpha=4,
    )
    await must(client, move, BOB)
    assert await staked(client, netuid, BOB.cold) == 0
    assert await staked(client, 0, BOB.cold) > 4 * RAO
