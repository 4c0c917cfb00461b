"""What a delegate keeps of its nominators' dividends, in parts of 65535.

Source: `staking/increase_take.rs`, `staking/decrease_take.rs`, `guards/check_delegate_take.rs`.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call, ensure_signed
from subnetlab.devnet.pallets.subtensor import keys, limits
from subnetlab.devnet.pallets.subtensor.entries import event, exists, number, require, write


def _check(ledger: Ledger, coldkey: str, hotkey: str, share: int) -> None:
    require(share >= number(ledger, "MinDelegateTake"), "DelegateTakeTooLow")
    require(share <= number(ledger, "MaxDelegateTake"), "DelegateTakeTooHigh")
    require(exists(ledger, "Owner", hotkey), "HotKeyAccountNotExists")
    require(keys.owns(ledger, coldkey, hotkey), "NonAssociatedColdKey")


def _rate_key(hotkey: str) -> dict[str, str]:
    return {"LastTxBlockDelegateTake": hotkey}


def _put(ledger: Ledger, coldkey: str, hotkey: str, share: int, event_name: str) -> None:
    limits.mark(ledger, _rate_key(hotkey))
    write(ledger, "Delegates", hotkey, value=share)
    event(ledger, event_name, [coldkey, hotkey, share])


@call("SubtensorModule", "increase_take")
def increase_take(ledger: Ledger, origin: Origin, hotkey: str, take: int) -> None:
    """Raise a hotkey's take; for its owner, at most once per rate limit.

    Raises:
        DispatchError: in order DelegateTakeTooLow, DelegateTakeTooHigh, HotKeyAccountNotExists,
            NonAssociatedColdKey, DelegateTakeTooLow, DelegateTxRateLimitExceeded.
    """
    coldkey = ensure_signed(origin)
    _check(ledger, coldkey, hotkey, take)
    if exists(ledger, "Delegates", hotkey):
        require(take > number(ledger, "Delegates", hotkey), "DelegateTakeTooLow")
    last = number(ledger, "LastRateLimitedBlock", _rate_key(hotkey))
    limit = number(ledger, "TxDelegateTakeRateLimit")
    too_soon = limit and last and ledger.block_number - last <= limit
    require(not too_soon, "DelegateTxRateLimitExceeded")
    _put(ledger, coldkey, hotkey, take, "TakeIncreased")


@call("SubtensorModule", "decrease_take")
def decrease_take(ledger: Ledger, origin: Origin, hotkey: str, take: int) -> None:
    """Lower a hotkey's take; for its owner, at any time."""
    coldkey = ensure_signed(origin)
    _check(ledger, coldkey, hotkey, take)
    if exists(ledger, "Delegates", hotkey):
        require(take < number(ledger, "Delegates", hotkey), "DelegateTakeTooLow")
    _put(ledger, coldkey, hotkey, take, "TakeDecreased")
