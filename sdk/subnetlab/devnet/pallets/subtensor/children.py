"""Child hotkeys: lending part of a hotkey's stake weight to others on one subnet.

A change waits out a cooldown and takes effect after the epoch that follows (`apply_pending`, which the
coinbase calls); before a subnet has started it takes effect at once. Source: `staking/set_children/*.rs`.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError, Origin, call, ensure_root, ensure_signed
from subnetlab.devnet.pallets import swap
from subnetlab.devnet.pallets.subtensor import keys, limits, share_pool
from subnetlab.devnet.pallets.subtensor.entries import (
    entries,
    erase,
    event,
    exists,
    is_subnet,
    netuids,
    number,
    read,
    require,
    write,
)
from subnetlab.units import ROOT_NETUID, U64_MAX

MOST_CHILDREN = 5
Edges = list[tuple[int, str]]
"""`(proportion of 2^64-1, hotkey)` for every child or parent of a hotkey."""


def total_stake_rao(ledger: Ledger, hotkey: str) -> int:
    """What all stake with a hotkey is worth at current prices, in rao."""
    staked = ((n, share_pool.hotkey_stake(ledger, hotkey, n)) for n in netuids(ledger))
    return sum(swap.value_rao(ledger, netuid, alpha) for netuid, alpha in staked if alpha)


def _check_children(ledger: Ledger, hotkey: str, netuid: int, wanted: Edges) -> None:
    names = [child for _, child in wanted]
    require(len(set(names)) == len(names), "DuplicateChild")
    _check_relations(ledger, hotkey, netuid, wanted)
    enough = total_stake_rao(ledger, hotkey) >= number(ledger, "StakeThreshold")
    is_owner = read(ledger, "SubnetOwnerHotkey", netuid) == hotkey
    require(not wanted or enough or is_owner, "NotEnoughStakeToSetChildkeys")


def _check_relations(ledger: Ledger, hotkey: str, netuid: int, wanted: Edges) -> None:
    names = [child for _, child in wanted]
    require(hotkey not in names, "InvalidChild")
    require(len(names) <= MOST_CHILDREN, "TooManyChildren")
    require(sum(proportion for proportion, _ in wanted) <= U64_MAX, "ProportionOverflow")
    parents = {parent for _, parent in read(ledger, "ParentKeys", hotkey, netuid)}
    require(not parents.intersection(names), "ChildParentInconsistency")


def _store(ledger: Ledger, item: str, hotkey: str, netuid: int, edges: Edges) -> None:
    if edges:
        write(ledger, item, hotkey, netuid, value=edges)
    else:
        erase(ledger, item, hotkey, netuid)


def _link(ledger: Ledger, hotkey: str, netuid: int, wanted: Edges) -> None:
    """Replace a hotkey's children, and its entry among the parents of each."""
    before: Edges = read(ledger, "ChildKeys", hotkey, netuid)
    _store(ledger, "ChildKeys", hotkey, netuid, wanted)
    proportions = {child: proportion for proportion, child in wanted}
    for child in sorted({child for _, child in [*before, *wanted]}):
        parents: Edges = [
            (share, parent) for share, parent in read(ledger, "ParentKeys", child, netuid) if parent != hotkey
        ]
        if child in proportions:
            parents.append((proportions[child], hotkey))
        _store(ledger, "ParentKeys", child, netuid, parents)


def _apply(ledger: Ledger, hotkey: str, netuid: int, wanted: Edges) -> None:
    """Make children take effect, unless they contradict what has changed since: then drop them."""
    try:
        _check_relations(ledger, hotkey, netuid, wanted)
    except DispatchError:
        return
    _link(ledger, hotkey, netuid, wanted)
    event(ledger, "SetChildren", [hotkey, netuid, wanted])


def apply_pending(ledger: Ledger, netuid: int) -> None:
    """Make the children of a subnet whose cooldown has passed take effect."""
    started = read(ledger, "SubtokenEnabled", netuid)
    for hotkey, (wanted, block) in entries(ledger, "PendingChildKeys", netuid):
        if block < ledger.block_number or not started:
            _apply(ledger, hotkey, netuid, wanted)
            erase(ledger, "PendingChildKeys", netuid, hotkey)


def rename(ledger: Ledger, netuid: int, old: str, new: str) -> None:
    """Let a hotkey take another's place among parents and children, present and pending."""
    for item, mirror in (("ChildKeys", "ParentKeys"), ("ParentKeys", "ChildKeys")):
        edges: Edges = [(share, key) for share, key in read(ledger, item, old, netuid) if key != new]
        if edges:
            _store(ledger, item, new, netuid, edges)
        erase(ledger, item, old, netuid)
        for _, relative in edges:
            back: Edges = read(ledger, mirror, relative, netuid)
            renamed = [(share, new if key == old else key) for share, key in back]
            _store(ledger, mirror, relative, netuid, renamed)
    for parent, (wanted, block) in entries(ledger, "PendingChildKeys", netuid):
        renamed = [(share, new if key == old else key) for share, key in wanted]
        erase(ledger, "PendingChildKeys", netuid, parent)
        holder = new if parent == old else parent
        write(ledger, "PendingChildKeys", netuid, holder, value=(renamed, block))


def _schedule(ledger: Ledger, coldkey: str, hotkey: str, netuid: int, wanted: Edges) -> None:
    passes = limits.passes_for(ledger, hotkey, netuid, limits.SET_CHILDREN, limits.SET_CHILDREN_BLOCKS)
    require(passes, "TxRateLimitExceeded")
    require(netuid != ROOT_NETUID, "RegistrationNotPermittedOnRootSubnet")
    require(is_subnet(ledger, netuid), "SubnetNotExists")
    require(keys.owns(ledger, coldkey, hotkey), "NonAssociatedColdKey")
    _check_children(ledger, hotkey, netuid, wanted)
    limits.mark_for(ledger, hotkey, netuid, limits.SET_CHILDREN)
    if not read(ledger, "SubtokenEnabled", netuid):
        _apply(ledger, hotkey, netuid, wanted)
        return
    block = ledger.block_number + number(ledger, "PendingChildKeyCooldown")
    write(ledger, "PendingChildKeys", netuid, hotkey, value=(wanted, block))
    event(ledger, "SetChildrenScheduled", [hotkey, netuid, block, wanted])


@call("SubtensorModule", "set_children")
def set_children(ledger: Ledger, origin: Origin, hotkey: str, netuid: int, children: Edges) -> None:
    """Choose the children of a hotkey; for its owner.

    Raises:
        DispatchError: in order TxRateLimitExceeded, RegistrationNotPermittedOnRootSubnet, SubnetNotExists,
            NonAssociatedColdKey, DuplicateChild, InvalidChild, TooManyChildren, ProportionOverflow,
            ChildParentInconsistency, NotEnoughStakeToSetChildkeys.
    """
    _schedule(ledger, ensure_signed(origin), hotkey, netuid, [(int(share), key) for share, key in children])


def adopt_owner(ledger: Ledger, netuid: int) -> None:
    """Make the owner hotkey of a new subnet the child of every root validator that allows it."""
    owner_hotkey = read(ledger, "SubnetOwnerHotkey", netuid)
    for _, validator in entries(ledger, "Keys", ROOT_NETUID):
        if validator == owner_hotkey or not read(ledger, "AutoParentDelegationEnabled", validator):
            continue
        coldkey = read(ledger, "Owner", validator)
        try:
            with ledger.transaction():
                _schedule(ledger, coldkey, validator, netuid, [(U64_MAX, owner_hotkey)])
        except DispatchError:
            continue  # one validator's limits never stop a subnet from being made


@call("SubtensorModule", "set_childkey_take")
def set_childkey_take(ledger: Ledger, origin: Origin, hotkey: str, netuid: int, take: int) -> None:
    """Set what a child keeps of the dividends it earns for its parents (parts of 65535).

    Raises:
        DispatchError: NonAssociatedColdKey, InvalidChildkeyTake, TxChildkeyTakeRateLimitExceeded.
    """
    coldkey = ensure_signed(origin)
    require(keys.owns(ledger, coldkey, hotkey), "NonAssociatedColdKey")
    least = max(number(ledger, "MinChildkeyTake"), number(ledger, "MinChildkeyTakePerSubnet", netuid))
    require(least <= take <= number(ledger, "MaxChildkeyTake"), "InvalidChildkeyTake")
    if take > max(number(ledger, "ChildkeyTake", hotkey, netuid), least):
        blocks = number(ledger, "TxChildkeyTakeRateLimit")
        passes = limits.passes_for(ledger, hotkey, netuid, limits.SET_CHILDKEY_TAKE, blocks)
        require(passes, "TxChildkeyTakeRateLimitExceeded")
    limits.mark_for(ledger, hotkey, netuid, limits.SET_CHILDKEY_TAKE)
    write(ledger, "ChildkeyTake", hotkey, netuid, value=take)
    event(ledger, "ChildKeyTakeSet", [hotkey, take])


@call("SubtensorModule", "set_pending_childkey_cooldown")
def set_pending_childkey_cooldown(ledger: Ledger, origin: Origin, cooldown: int) -> None:
    """Set how many blocks a change of children waits; for root."""
    ensure_root(origin)
    write(ledger, "PendingChildKeyCooldown", value=cooldown)


@call("SubtensorModule", "set_auto_parent_delegation_enabled")
def set_auto_parent_delegation_enabled(ledger: Ledger, origin: Origin, hotkey: str, enabled: bool) -> None:
    """Choose whether new subnets' owners become children of a root validator; for its owner."""
    coldkey = ensure_signed(origin)
    require(exists(ledger, "Owner", hotkey), "HotKeyAccountNotExists")
    require(keys.owns(ledger, coldkey, hotkey), "NonAssociatedColdKey")
    write(ledger, "AutoParentDelegationEnabled", hotkey, value=enabled)
    event(ledger, "AutoParentDelegationEnabledSet", {"hotkey": hotkey, "enabled": enabled})
