"""What the chain refuses reaches the SDK as the error it has for that, and costs what it costs on chain."""

from collections.abc import Awaitable

import bittensor
import pytest
from bittensor import ExtrinsicResult, calls
from bittensor.intents import Transfer
from bittensor.result import ErrorCode
from bittensor_core import Keypair

UNIMPLEMENTED = calls.Contracts.remove_code(code_hash="0x" + "00" * 32)


class Forger:
    """Signs with nothing in Alice's name."""

    crypto_type = 1

    def __init__(self, victim: Keypair) -> None:
        self.ss58_address, self.public_key = victim.ss58_address, victim.public_key

    def sign(self, _payload: bytes) -> bytes:
        return bytes(64)


async def refused(submission: Awaitable[ExtrinsicResult], code: ErrorCode, words: str) -> ExtrinsicResult:
    result = await submission
    assert not result.success
    assert result.error is not None
    assert result.error.code == code
    assert words in result.message
    return result


async def test_more_than_the_balance(client: bittensor.Client, alice: Keypair, bob: Keypair) -> None:
    before = (await client.balances.get(alice.ss58_address)).rao
    intent = Transfer(dest_ss58=bob.ss58_address, amount_tao=10_000_000)
    await refused(
        client.execute(intent, alice), ErrorCode.INSUFFICIENT_BALANCE, "spendable balance cannot cover"
    )
    fee = before - (await client.balances.get(alice.ss58_address)).rao
    assert 0 < fee < 200_000


async def test_a_fee_nobody_can_pay_never_reaches_a_block(client: bittensor.Client) -> None:
    height, nobody = await client.block(), Keypair.from_uri("//Nobody")
    call = calls.System.remark(remark=b"x")
    await refused(
        client.submit_call(call, nobody), ErrorCode.INSUFFICIENT_BALANCE, "cannot cover the transaction fee"
    )
    assert await client.block() == height


async def test_a_forged_signature(client: bittensor.Client, alice: Keypair) -> None:
    result = await client.submit_call(calls.System.remark(remark=b"x"), Forger(alice))
    assert not result.success
    assert "signature does not match" in result.message


async def test_the_same_extrinsic_twice_is_outdated(client: bittensor.Client, alice: Keypair) -> None:
    unsigned = await client.prepare_call(calls.System.remark(remark=b"x"), address=alice.ss58_address)
    signature = alice.sign(unsigned.payload)
    assert (await client.submit_signature(unsigned, signature)).success
    again = await client.submit_signature(unsigned, signature)
    assert not again.success
    assert "already used" in again.message


async def test_a_call_nobody_implemented_is_filtered(client: bittensor.Client, alice: Keypair) -> None:
    await refused(client.submit_call(UNIMPLEMENTED, alice), ErrorCode.NOT_AUTHORIZED, "origin filter")


@pytest.mark.parametrize("wrapper", [calls.Utility.batch_all, calls.Utility.batch])
async def test_a_batch_fails_with_its_inner_error(
    client: bittensor.Client, alice: Keypair, wrapper: object
) -> None:
    inner = await client.compose(UNIMPLEMENTED)
    assert callable(wrapper)
    result = await client.submit_call(wrapper(calls=[inner]), alice)
    assert not result.success
    assert "origin filter" in result.message


async def test_only_the_sudo_key_is_root(client: bittensor.Client, bob: Keypair) -> None:
    call = calls.Sudo.set_key(new=bob.ss58_address)
    result = await client.submit_call(call, bob)
    assert not result.success
    assert "signing address" in result.message.lower(), result.message


async def test_what_fails_inside_sudo_fails_outside(client: bittensor.Client, alice: Keypair) -> None:
    inner = await client.compose(UNIMPLEMENTED)
    result = await client.submit_call(calls.Sudo.sudo(call=inner), alice)
    assert not result.success
    assert "origin filter" in result.message
