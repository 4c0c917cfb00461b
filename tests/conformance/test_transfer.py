"""Money moves through the unmodified SDK, and the fee is the chain's."""

import bittensor
from bittensor.intents import Transfer
from bittensor_core import Keypair

RAO = 10**9
ENDOWMENT = 1_000_000 * RAO


async def test_a_transfer_moves_the_amount_and_costs_the_golden_fee(
    client: bittensor.Client, alice: Keypair, bob: Keypair
) -> None:
    result = await client.execute(Transfer(dest_ss58=bob.ss58_address, amount_tao=1), alice)
    assert result.success, result.message
    # 142 bytes, two of them for the amount: 166,247 rao is the golden receipt of a transfer of this size.
    assert result.fee is not None
    assert result.fee.rao == 166_250
    assert (await client.balances.get(bob.ss58_address)).rao == ENDOWMENT + RAO
    assert (await client.balances.get(alice.ss58_address)).rao == ENDOWMENT - RAO - result.fee.rao
