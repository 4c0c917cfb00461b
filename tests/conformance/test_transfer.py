"""Money moves through the unmodified SDK, and the fee is the chain's."""

import bittensor
from bittensor.intents import Transfer, TransferAll
from bittensor_core import Keypair

RAO = 10**9
ENDOWMENT = 1_000_000 * RAO


async def test_a_transfer_moves_the_amount_and_costs_the_golden_fee(
    client: bittensor.Client, alice: Keypair, bob: Keypair
) -> None:
    result = await client.execute(Transfer(dest_ss58=bob.ss58_address, amount_tao=1), alice)
    assert result.success, result.message
    # The golden receipt of this transfer is 166,247 rao; the SDK's mortal era is one byte longer.
    assert result.fee is not None
    assert result.fee.rao == 166_248
    assert (await client.balances.get(bob.ss58_address)).rao == ENDOWMENT + RAO
    assert (await client.balances.get(alice.ss58_address)).rao == ENDOWMENT - RAO - result.fee.rao


async def test_the_fee_quoted_is_the_fee_paid(client: bittensor.Client, alice: Keypair, bob: Keypair) -> None:
    intent = Transfer(dest_ss58=bob.ss58_address, amount_tao=1)
    quoted = await client.plan(intent, alice)
    result = await client.execute(intent, alice)
    assert result.fee is not None
    assert quoted.fee is not None
    assert abs(quoted.fee.rao - result.fee.rao) <= 1  # the quote is made for an immortal era


async def test_transfer_all_empties_the_account(client: bittensor.Client, bob: Keypair) -> None:
    charlie = Keypair.from_uri("//Charlie")
    result = await client.execute(TransferAll(dest_ss58=bob.ss58_address, keep_alive=False), charlie)
    assert result.success, result.message
    assert (await client.balances.get(charlie.ss58_address)).rao == 0


async def test_a_new_account_is_announced(client: bittensor.Client, alice: Keypair) -> None:
    stranger = Keypair.from_uri("//Stranger").ss58_address
    result = await client.execute(Transfer(dest_ss58=stranger, amount_tao=0.5), alice)
    names = [(e["event"]["module_id"], e["event"]["event_id"]) for e in result.events]
    assert names == [
        ("Balances", "Withdraw"),
        ("System", "NewAccount"),
        ("Balances", "Endowed"),
        ("Balances", "Transfer"),
        ("Balances", "Deposit"),
        ("TransactionPayment", "TransactionFeePaid"),
        ("System", "ExtrinsicSuccess"),
    ]


async def test_a_shielded_transfer_is_in_the_same_block_as_its_carrier(
    client: bittensor.Client, alice: Keypair, bob: Keypair
) -> None:
    height = await client.block()
    result = await client.submit_shielded(Transfer(dest_ss58=bob.ss58_address, amount_tao=1), alice)
    assert result.success, result.message
    assert await client.block() == height + 1
    assert (await client.balances.get(bob.ss58_address)).rao == ENDOWMENT + RAO
