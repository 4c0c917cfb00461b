"""What 0x805 reads of keys: takes, children, owners, successors, locks and collateral.

The devnet keeps neither locks nor collateral nor baskets of root dividends, so those read as empty. Source:
`staking.rs`.
"""

from collections.abc import Sequence
from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm.precompiles.frame import Frame, Reverted
from subnetlab.devnet.evm.precompiles.words import Arguments, Body, Maybe, Read, Several, Stored
from subnetlab.devnet.pallets.subtensor.entries import number, read

MOST_HOTKEYS = 64
_COLDKEY_LOCK_READS, _HOTKEY_LOCK_READS = 6, 8
_INPUT_GAS_PER_HOTKEY = 64
_READS_PER_CLAIM = 20
_ACCEPTS_LOCKED = 1
"""Bit of `AccountFlags`."""


def _subtensor(item: str, *keys: str) -> Stored:
    return Stored(f"SubtensorModule.{item}", *keys)


def _rejects_locked(ledger: Ledger, coldkey: str) -> bool:
    return not number(ledger, "AccountFlags", coldkey) & _ACCEPTS_LOCKED


def _no_lock(ledger: Ledger, coldkey: str, netuid: int) -> list[Any]:
    """No lock exists; whether one would be perpetual is a setting of its own."""
    perpetual = read(ledger, "DecayingLock", coldkey, netuid) is False
    return [False, None, 0, 0, perpetual]


def _no_hotkey_lock(_ledger: Ledger, _hotkey: str, _netuid: int) -> list[Any]:
    return [False, 0, 0]


def few(frame: Frame, hotkeys: list[bytes], what: str) -> list[bytes]:
    """The hotkeys of a bounded batch, reading them paid for.

    Raises:
        Reverted: there are too many, or one is there twice.
    """
    if len(hotkeys) > MOST_HOTKEYS:
        raise Reverted("hotkeys: Value is too large for length")
    frame.consume(_INPUT_GAS_PER_HOTKEY * len(hotkeys))
    if len(set(hotkeys)) < len(hotkeys):
        raise Reverted(f"duplicate {what} hotkey")
    return hotkeys


def _nothing_unclaimed(_ledger: Ledger, *_of: Any) -> int:
    return 0


def _claim_reads(ledger: Ledger, *_of: Any) -> int:
    return 1 + _READS_PER_CLAIM * (number(ledger, "SubnetLimit") + 1)


def _nothing_unclaimed_on_subnet(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    hotkeys: list[bytes] = arguments["hotkeys"]
    if len(hotkeys) > MOST_HOTKEYS:
        raise Reverted("hotkeys: Value is too large for length")
    frame.charge_reads(_READS_PER_CLAIM * len(hotkeys))
    if len(set(hotkeys)) < len(hotkeys):
        raise Reverted("duplicate unclaimed root hotkey")
    return [0]


def _swap_status(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    announced, disputed = _subtensor("ColdkeySwapAnnouncements"), _subtensor("ColdkeySwapDisputes")
    frame.charge_reads(2)
    block, call_hash = announced.value(frame.ledger, arguments) or (0, None)
    dispute = disputed.value(frame.ledger, arguments)
    return [bool(call_hash), block, call_hash, dispute is not None, dispute or 0]


def _pending_children(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    frame.charge_reads(1)
    return list(_subtensor("PendingChildKeys", "netuid", "parent").value(frame.ledger, arguments))


def _convictions(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    hotkeys = few(frame, arguments["hotkeys"], "conviction")
    frame.charge_reads(_HOTKEY_LOCK_READS * len(hotkeys))
    return [[0] * len(hotkeys)]


READS: dict[str, Body] = {
    "getDelegate": Maybe(_subtensor("Delegates")),
    "getTakeLimits": Several(
        _subtensor("MinDelegateTake"),
        _subtensor("MaxDelegateTake"),
        _subtensor("MinChildkeyTake"),
        _subtensor("MaxChildkeyTake"),
    ),
    "getChildkeyTake": _subtensor("ChildkeyTake"),
    "getMinChildkeyTakePerSubnet": _subtensor("MinChildkeyTakePerSubnet"),
    "getChildKeys": _subtensor("ChildKeys"),
    "getParentKeys": _subtensor("ParentKeys"),
    "getPendingChildKeys": _pending_children,
    "getPendingChildKeyCooldown": _subtensor("PendingChildKeyCooldown"),
    "getHotkeyOwner": Maybe(_subtensor("Owner")),
    "getOwnedHotkeys": _subtensor("OwnedHotkeys"),
    "getAutoStakeDestination": Maybe(_subtensor("AutoStakeDestination")),
    "getAutoStakeDestinationColdkeys": _subtensor("AutoStakeDestinationColdkeys"),
    "getHotkeySuccessor": Maybe(_subtensor("HotkeySuccessor", "netuid", "hotkey")),
    "getHotkeyRoot": Maybe(_subtensor("HotkeyRoot", "netuid", "hotkey")),
    "getColdkeySuccessor": Maybe(_subtensor("ColdkeySuccessor")),
    "getColdkeyRoot": Maybe(_subtensor("ColdkeyRoot")),
    "getColdkeySwapStatus": _swap_status,
    "getColdkeySwapDelays": Several(
        _subtensor("ColdkeySwapAnnouncementDelay"), _subtensor("ColdkeySwapReannouncementDelay")
    ),
    "getLastHotkeySwapOnSubnet": _subtensor("LastHotkeySwapOnNetuid", "netuid", "coldkey"),
    "getStakeAccounting": Several(_subtensor("TotalIssuance"), _subtensor("TotalStake")),
    "getLockRates": Several(_subtensor("UnlockRate"), _subtensor("MaturityRate")),
    "getRejectLockedAlpha": Read(1, _rejects_locked),
    "getColdkeyLock": Read(_COLDKEY_LOCK_READS, _no_lock),
    "getHotkeyLock": Read(_HOTKEY_LOCK_READS, _no_hotkey_lock),
    "getHotkeyConvictions": _convictions,
    "getMinerCollateral": Maybe(
        _subtensor("MinerCollateral"), "locked", "drain_ratio", "min_locked", "earned"
    ),
    "getColdkeyCollateral": Several(
        _subtensor("ColdkeyMinerCollateral"), _subtensor("ColdkeyCollateralHotkeys")
    ),
    "getCollateralConfig": Several(_subtensor("CollateralLockShare"), _subtensor("CollateralDrainRatio")),
    "getUnclaimedRootTaoByHotkey": Read(_claim_reads, _nothing_unclaimed),
    "getUnclaimedRootTaoBySubnet": _nothing_unclaimed_on_subnet,
}
