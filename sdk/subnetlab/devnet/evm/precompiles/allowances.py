"""How much of an EVM account's stake on a subnet another may move: the allowances of 0x805.

The runtime keeps allowances outside every pallet, so metadata does not describe them; the keys are written
out here. An allowance counts for one registration of its subnet. Amounts are alpha-rao. Source: `staking.rs`.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.precompiles.dispatch import dispatch
from subnetlab.devnet.evm.precompiles.frame import Frame, Reverted
from subnetlab.devnet.evm.precompiles.words import Arguments, Body, Call, mirrored
from subnetlab.devnet.pallets.subtensor.entries import number

PREFIX = bytes.fromhex("8b6d021d9b18a4c9e6f3c28e7ae1cfb1db006b293d52def90ae21a5336f065c1")
"""twox-128 of `EvmPrecompileStaking`, then of `Allowances`."""
_U256_MAX = 2**256 - 1
_TRANSFER = Call(
    "SubtensorModule.transfer_stake",
    destination_coldkey=mirrored("destination_address"),
    alpha_amount="amount",
)


def _hashed(key: bytes) -> bytes:
    """The key as `Blake2_128Concat` stores it."""
    return blake2b(key, digest_size=16).digest() + key


def _key(frame: Frame, approver: bytes, spender: bytes, netuid: int) -> bytes:
    counter = number(frame.ledger, "RegisteredSubnetCounter", netuid)
    allowed = spender + netuid.to_bytes(2, "little") + counter.to_bytes(8, "little")
    return PREFIX + _hashed(approver) + _hashed(allowed)


def _get(frame: Frame, key: bytes) -> int:
    return int.from_bytes(frame.ledger.raw(key) or b"", "little")


def _set(frame: Frame, key: bytes, amount: int) -> None:
    frame.ledger.put_raw(key, amount.to_bytes(32, "little") if amount else None)


def approve(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    """Allow exactly an amount."""
    frame.charge_reads(1)
    frame.charge_writes(1)
    key = _key(frame, frame.caller, arguments["spender_address"], arguments["netuid"])
    _set(frame, key, arguments["absolute_amount"])
    return ()


def _changed(frame: Frame, arguments: Arguments, change: int) -> Sequence[Any]:
    if change:
        frame.charge_reads(2)
        frame.charge_writes(1)
        key = _key(frame, frame.caller, arguments["spender_address"], arguments["netuid"])
        _set(frame, key, min(max(_get(frame, key) + change, 0), _U256_MAX))
    return ()


def increase(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    """Allow more, up to the largest number there is."""
    return _changed(frame, arguments, arguments["increase_amount"])


def decrease(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    """Allow less, down to nothing."""
    return _changed(frame, arguments, -arguments["decrease_amount"])


def allowance(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    """What is still allowed."""
    frame.charge_reads(2)
    key = _key(frame, arguments["source_address"], arguments["spender_address"], arguments["netuid"])
    return [_get(frame, key)]


def transfer_stake_from(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    """Use an allowance: move stake from the one who gave it to another account."""
    amount, source = arguments["amount"], arguments["source_address"]
    if amount:
        frame.charge_reads(2)
        frame.charge_writes(1)
        key = _key(frame, source, frame.caller, arguments["origin_netuid"])
        left = _get(frame, key) - amount
        if left < 0:
            raise Reverted("trying to spend more than allowed")
        _set(frame, key, left)
    dispatch(frame, _TRANSFER.encoded(frame.ledger.codec, arguments), signer=mirror(source))
    return ()


ALLOWANCES: dict[str, Body] = {
    "approve": approve,
    "allowance": allowance,
    "increaseAllowance": increase,
    "decreaseAllowance": decrease,
    "transferStakeFrom": transfer_stake_from,
}
