"""A hotkey replaced by another of the same owner, on one subnet or on all.

What the old key holds there goes to the new one: its uid, endpoints, commits, family, dividends and, unless
it is to keep it, the stake of everybody who staked with it. Source: `swap/swap_hotkey.rs` at spec 425.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call, ensure_signed
from subnetlab.devnet.pallets.subtensor import children, keys, limits, money, share_pool
from subnetlab.devnet.pallets.subtensor.entries import (
    entries,
    erase,
    event,
    exists,
    mechanisms,
    netuids,
    number,
    read,
    require,
    storage_index,
    write,
)
from subnetlab.units import ROOT_NETUID

COST_RAO, SUBNET_COST_RAO = 100_000_000, 1_000_000
INTERVAL_BLOCKS = 1
_RATE_KINDS = ("LastTxBlock", "LastTxBlockDelegateTake", "LastTxBlockChildKeyTake")
_PER_HOTKEY = ("Prometheus", "Axons", "NeuronCertificates")


def _check(ledger: Ledger, coldkey: str, old: str, new: str, netuid: int | None) -> None:
    require(keys.owns(ledger, coldkey, old), "NonAssociatedColdKey")
    require(not exists(ledger, "Owner", new) or keys.owns(ledger, coldkey, new), "NonAssociatedColdKey")
    require(old != new, "NewHotKeyIsSameWithOld")
    last, limit = _last_block(ledger, coldkey), number(ledger, "TxRateLimit")
    too_soon = limit and last and ledger.block_number - last <= limit
    require(not too_soon, "HotKeySetTxRateLimitExceeded")
    places = netuids(ledger) if netuid is None else [netuid]
    registered = any(read(ledger, "IsNetworkMember", new, place) for place in places)
    require(not registered, "HotKeyAlreadyRegisteredInSubNet")
    if ROOT_NETUID in places:
        claims = read(ledger, "RootClaimable", new) or entries(ledger, "RootClaimed", ROOT_NETUID, new)
        clean = not claims and not share_pool.hotkey_stake(ledger, new, ROOT_NETUID)
        require(clean, "NewHotKeyNotCleanForRootSwap")


def _last_block(ledger: Ledger, coldkey: str) -> int:
    return number(ledger, "LastRateLimitedBlock", {"LastTxBlock": coldkey})


def _pay(ledger: Ledger, coldkey: str, cost: int) -> None:
    require(money.spendable(ledger, coldkey) >= cost, "NotEnoughBalanceToPaySwapHotKey")
    money.recycle(ledger, coldkey, cost)


def _rename(ledger: Ledger, item: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> None:
    """Move a stored value from one key to another; nothing happens where there is none."""
    if exists(ledger, item, *old):
        write(ledger, item, *new, value=read(ledger, item, *old))
        erase(ledger, item, *old)


def _move_seat(ledger: Ledger, netuid: int, old: str, new: str) -> None:
    if not read(ledger, "IsNetworkMember", old, netuid):
        return
    erase(ledger, "IsNetworkMember", old, netuid)
    write(ledger, "IsNetworkMember", new, netuid, value=True)
    uid = read(ledger, "Uids", netuid, old)
    if uid is not None:
        erase(ledger, "Uids", netuid, old)
        write(ledger, "Uids", netuid, new, value=uid)
        write(ledger, "Keys", netuid, uid, value=new)
    for item in _PER_HOTKEY:
        _rename(ledger, item, (netuid, old), (netuid, new))
    for mechanism in mechanisms(ledger, netuid):
        index = storage_index(netuid, mechanism)
        _rename(ledger, "WeightCommits", (index, old), (index, new))


def _move_stake(ledger: Ledger, netuid: int, old: str, new: str) -> None:
    """Move dividends on record and every nominator's stake."""
    for item, former, latter in (
        ("TotalHotkeyAlphaLastEpoch", (old, netuid), (new, netuid)),
        ("AlphaDividendsPerSubnet", (netuid, old), (netuid, new)),
    ):
        if exists(ledger, item, *former):
            total = number(ledger, item, *former) + number(ledger, item, *latter)
            write(ledger, item, *latter, value=total)
            erase(ledger, item, *former)
    for coldkey, alpha in share_pool.holders(ledger, old, netuid):
        share_pool.debit(ledger, old, coldkey, netuid, alpha)
        share_pool.credit(ledger, new, coldkey, netuid, alpha)


def _swap_on(ledger: Ledger, netuid: int, old: str, new: str, *, keep_stake: bool) -> None:
    _move_seat(ledger, netuid, old, new)
    _rename(ledger, "ChildkeyTake", (old, netuid), (new, netuid))
    children.rename(ledger, netuid, old, new)
    for coldkey in read(ledger, "AutoStakeDestinationColdkeys", old, netuid):
        write(ledger, "AutoStakeDestination", coldkey, netuid, value=new)
    _rename(ledger, "AutoStakeDestinationColdkeys", (old, netuid), (new, netuid))
    owned = exists(ledger, "SubnetOwnerHotkey", netuid)
    if owned and read(ledger, "SubnetOwnerHotkey", netuid) == old:
        keys.set_owner_hotkey(ledger, netuid, new)
    if not keep_stake:
        _move_stake(ledger, netuid, old, new)
        if netuid == ROOT_NETUID:
            _move_claims(ledger, old, new)


def _move_claims(ledger: Ledger, old: str, new: str) -> None:
    """Move what root stake may claim on every subnet and has claimed; the new key had none of it."""
    _rename(ledger, "RootClaimable", (old,), (new,))
    for netuid in read(ledger, "RootClaimable", new):
        for coldkey, claimed in entries(ledger, "RootClaimed", netuid, old):
            total = claimed + number(ledger, "RootClaimed", netuid, new, coldkey)
            write(ledger, "RootClaimed", netuid, new, coldkey, value=total)
            erase(ledger, "RootClaimed", netuid, old, coldkey)
    _rename(ledger, "AutoParentDelegationEnabled", (old,), (new,))


def _own(ledger: Ledger, coldkey: str, new: str, *, instead_of: str | None) -> None:
    """Make a coldkey own the new hotkey, beside the old one or instead of it."""
    write(ledger, "Owner", new, value=coldkey)
    owned = [hotkey for hotkey in read(ledger, "OwnedHotkeys", coldkey) if hotkey != instead_of]
    if instead_of is not None:
        erase(ledger, "Owner", instead_of)
    write(ledger, "OwnedHotkeys", coldkey, value=owned if new in owned else [*owned, new])


def _swap_everywhere(ledger: Ledger, coldkey: str, old: str, new: str, *, keep_stake: bool) -> None:
    touched = [
        netuid
        for netuid in netuids(ledger)
        if read(ledger, "IsNetworkMember", old, netuid) or read(ledger, "ChildKeys", old, netuid)
    ]
    for netuid in touched:
        last = number(ledger, "LastHotkeySwapOnNetuid", netuid, coldkey)
        passed = last == 0 or last + INTERVAL_BLOCKS < ledger.block_number
        require(passed, "HotKeySwapOnSubnetIntervalNotPassed")
    _pay(ledger, coldkey, COST_RAO)
    staked = {who for (who, _), _ in entries(ledger, "AlphaV2", old)}
    _own(ledger, coldkey, new, instead_of=old)
    for netuid in netuids(ledger):
        _swap_on(ledger, netuid, old, new, keep_stake=keep_stake)
    for kind in _RATE_KINDS:
        erase(ledger, "LastRateLimitedBlock", {kind: old})
    _rename(ledger, "Delegates", (old,), (new,))
    for who in () if keep_stake else sorted(staked):
        known = [hotkey for hotkey in read(ledger, "StakingHotkeys", who) if hotkey not in (old, new)]
        write(ledger, "StakingHotkeys", who, value=[*known, new])
    for netuid in touched:
        write(ledger, "LastHotkeySwapOnNetuid", netuid, coldkey, value=ledger.block_number)
    fields = {"coldkey": coldkey, "old_hotkey": old, "new_hotkey": new}
    event(ledger, "HotkeySwapped", fields)


def _swap_on_subnet(
    ledger: Ledger, coldkey: str, old: str, new: str, *, netuid: int, keep_stake: bool
) -> None:
    last = number(ledger, "LastHotkeySwapOnNetuid", netuid, coldkey)
    require(last + INTERVAL_BLOCKS < ledger.block_number, "HotKeySwapOnSubnetIntervalNotPassed")
    _pay(ledger, coldkey, SUBNET_COST_RAO)
    _own(ledger, coldkey, new, instead_of=None)
    _swap_on(ledger, netuid, old, new, keep_stake=keep_stake)
    write(ledger, "LastHotkeySwapOnNetuid", netuid, coldkey, value=ledger.block_number)
    fields = {"coldkey": coldkey, "old_hotkey": old, "new_hotkey": new, "netuid": netuid}
    event(ledger, "HotkeySwappedOnSubnet", fields)


@call("SubtensorModule", "swap_hotkey")
def swap_hotkey(ledger: Ledger, origin: Origin, hotkey: str, new_hotkey: str, netuid: int | None) -> None:
    """Replace a hotkey and take its stake along."""
    swap_hotkey_v2(ledger, origin, hotkey=hotkey, new_hotkey=new_hotkey, netuid=netuid, keep_stake=False)


@call("SubtensorModule", "swap_hotkey_v2")
def swap_hotkey_v2(
    ledger: Ledger, origin: Origin, *, hotkey: str, new_hotkey: str, netuid: int | None, keep_stake: bool
) -> None:
    """Replace a hotkey, on one subnet or on all, its stake following or staying.

    Raises:
        DispatchError: in order NonAssociatedColdKey, NewHotKeyIsSameWithOld, HotKeySetTxRateLimitExceeded,
            HotKeyAlreadyRegisteredInSubNet, NewHotKeyNotCleanForRootSwap, CannotUseSystemAccount,
            HotKeySwapOnSubnetIntervalNotPassed, NotEnoughBalanceToPaySwapHotKey.
    """
    coldkey = ensure_signed(origin)
    _check(ledger, coldkey, hotkey, new_hotkey, netuid)
    require(not money.is_subnet_account(new_hotkey), "CannotUseSystemAccount")
    for kind in _RATE_KINDS:
        block = number(ledger, "LastRateLimitedBlock", {kind: hotkey})
        write(ledger, "LastRateLimitedBlock", {kind: new_hotkey}, value=block)
    if netuid is None:
        _swap_everywhere(ledger, coldkey, hotkey, new_hotkey, keep_stake=keep_stake)
    else:
        _swap_on_subnet(ledger, coldkey, hotkey, new_hotkey, netuid=netuid, keep_stake=keep_stake)
    limits.mark(ledger, {"LastTxBlock": coldkey})
