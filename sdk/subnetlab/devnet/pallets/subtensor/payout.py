"""Paying an epoch: the owner's cut, miners' incentives, validators' take and their nominators' dividends.

All pay is alpha that `coinbase` minted and set aside; here it becomes stake in share pools, or is burnt or
recycled where it would go to the subnet's own owner. Root stakers' part is noted as claimable per root stake,
as spec 425 does it (fidelity table: later runtimes keep it in validators' baskets). Leases and locks are not
kept.

Source: `coinbase/run_coinbase.rs: distribute_*`, `staking/claim_root.rs` of Subtensor at spec 425.
"""

from typing import NamedTuple

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.pallets.subtensor import emission, epoch, share_pool
from subnetlab.devnet.pallets.subtensor.entries import (
    add,
    entries,
    erase,
    event,
    exists,
    number,
    read,
    write,
)
from subnetlab.devnet.pallets.subtensor.epoch import Earned
from subnetlab.units import ROOT_NETUID, U16_MAX
from subnetlab.yuma import stake
from subnetlab.yuma.fixed import I96F32, U96F32
from subnetlab.yuma.stake import Earner, Parent, Validator


class Pending(NamedTuple):
    """Alpha-rao set aside since the last epoch."""

    miners: int
    validators: int
    root: int
    owner: int


def distribute(ledger: Ledger, netuid: int, pending: Pending) -> None:
    """Run a subnet's epoch and pay everybody; without any incentive validators take the miners' part too."""
    earned = epoch.run(ledger, netuid, pending.miners + pending.validators + pending.root)
    to_validators = pending.validators
    if not any(one.as_miner for one in earned):
        to_validators += pending.miners
    earners = _earners(ledger, netuid, earned)
    _pay_owner(ledger, netuid, pending.owner)
    _pay_miners(ledger, netuid, earned)
    _pay_validators(ledger, netuid, earners, alpha=to_validators, root=pending.root)


def _earners(ledger: Ledger, netuid: int, earned: list[Earned]) -> list[Earner]:
    """Dividends by hotkey after parents got their part, with the stakes that split them."""
    dividends: dict[str, int] = {}
    for one in earned:
        burn = number(ledger, "CKBurn")
        pay = stake.family_pay(
            one.as_validator,
            _validator(ledger, netuid, one.hotkey),
            weight=emission.tao_weight(ledger),
            burn=burn,
        )
        for hotkey, amount in (*pay.parents, (one.hotkey, pay.own)):
            dividends[hotkey] = dividends.get(hotkey, 0) + amount
        if pay.burned:
            emission.recycle_alpha(ledger, netuid, pay.burned)
    return [
        Earner(
            hotkey=hotkey,
            dividends=amount,
            alpha=share_pool.hotkey_stake(ledger, hotkey, netuid),
            root=share_pool.hotkey_stake(ledger, hotkey, ROOT_NETUID),
        )
        for hotkey, amount in dividends.items()
    ]


def _validator(ledger: Ledger, netuid: int, hotkey: str) -> Validator:
    owner = read(ledger, "Owner", hotkey)
    return Validator(
        alpha=share_pool.hotkey_stake(ledger, hotkey, netuid),
        root=share_pool.hotkey_stake(ledger, hotkey, ROOT_NETUID),
        given=tuple(int(part) for part, _ in read(ledger, "ChildKeys", hotkey, netuid)),
        parents=tuple(
            Parent(
                hotkey=key,
                proportion=int(part),
                alpha=share_pool.hotkey_stake(ledger, key, netuid),
                root=share_pool.hotkey_stake(ledger, key, ROOT_NETUID),
                same_owner=read(ledger, "Owner", key) == owner,
            )
            for part, key in read(ledger, "ParentKeys", hotkey, netuid)
        ),
        take=number(ledger, "ChildkeyTake", hotkey, netuid),
    )


def _pay_owner(ledger: Ledger, netuid: int, cut: int) -> None:
    if exists(ledger, "SubnetOwner", netuid) and exists(ledger, "SubnetOwnerHotkey", netuid):
        hotkey, coldkey = read(ledger, "SubnetOwnerHotkey", netuid), read(ledger, "SubnetOwner", netuid)
        share_pool.credit(ledger, hotkey, coldkey, netuid, cut)


def _owner_hotkeys(ledger: Ledger, netuid: int) -> set[str]:
    """Hotkeys of the subnet's owner that hold a uid: their miner pay is withheld."""
    owned: list[str] = list(read(ledger, "OwnedHotkeys", read(ledger, "SubnetOwner", netuid)))
    if exists(ledger, "SubnetOwnerHotkey", netuid):
        owned.append(read(ledger, "SubnetOwnerHotkey", netuid))
    return {hotkey for hotkey in owned if read(ledger, "Uids", netuid, hotkey) is not None}


def _pay_miners(ledger: Ledger, netuid: int, earned: list[Earned]) -> None:
    """Stake incentives with the miner, or where its owner wants; withhold those of the subnet's owner."""
    withheld_from = _owner_hotkeys(ledger, netuid)
    recycles = read(ledger, "RecycleOrBurn", netuid) == "Recycle"
    withheld = 0
    for one in earned:
        if one.hotkey in withheld_from:
            withheld += one.as_miner
            destroy = emission.recycle_alpha if recycles else emission.burn_alpha
            destroy(ledger, netuid, one.as_miner)
            continue
        owner = read(ledger, "Owner", one.hotkey)
        destination = read(ledger, "AutoStakeDestination", owner, netuid)
        if destination is not None:
            fields = {"netuid": netuid, "destination": destination, "hotkey": one.hotkey}
            event(ledger, "AutoStakeAdded", {**fields, "owner": owner, "incentive": one.as_miner})
        share_pool.credit(ledger, destination or one.hotkey, owner, netuid, one.as_miner)
    total = sum(one.as_miner for one in earned)
    write(ledger, "MinerBurned", netuid, value={"bits": U96F32.ratio(withheld, total)})


def _pay_validators(ledger: Ledger, netuid: int, earners: list[Earner], *, alpha: int, root: int) -> None:
    """Give each validator its take and all its nominators, itself included, the rest."""
    shared = stake.shared_dividends(earners, alpha=alpha, root=root, weight=emission.tao_weight(ledger))
    for item in ("AlphaDividendsPerSubnet", "RootAlphaDividendsPerSubnet"):
        for hotkey, _ in entries(ledger, item, netuid):
            erase(ledger, item, netuid, hotkey)
    for hotkey, alpha_part, _ in shared:
        to_nominators = _pay_take(ledger, netuid, hotkey, alpha_part)
        share_pool.credit_all(ledger, hotkey, netuid, to_nominators)
        add(ledger, "AlphaDividendsPerSubnet", netuid, hotkey, amount=to_nominators)
        total = share_pool.hotkey_stake(ledger, hotkey, netuid)
        write(ledger, "TotalHotkeyAlphaLastEpoch", hotkey, netuid, value=total)
    for hotkey, _, root_part in shared:
        to_stakers = _pay_take(ledger, netuid, hotkey, root_part)
        _make_claimable(ledger, netuid, hotkey, to_stakers)
        add(ledger, "RootAlphaDividendsPerSubnet", netuid, hotkey, amount=to_stakers)


def _pay_take(ledger: Ledger, netuid: int, hotkey: str, pay: int) -> int:
    """Stake a validator's take of a pay (U96F32 bits); what is left for others, alpha-rao."""
    take = U96F32.mul(U96F32.ratio(number(ledger, "Delegates", hotkey), U16_MAX), pay)
    share_pool.credit(ledger, hotkey, read(ledger, "Owner", hotkey), netuid, U96F32.to_int(take))
    return U96F32.to_int(U96F32.sub(pay, take))


def _make_claimable(ledger: Ledger, netuid: int, hotkey: str, amount: int) -> None:
    """Raise what every rao of root stake may claim; the validator's owner takes what is too much for that."""
    root_stake = share_pool.hotkey_stake(ledger, hotkey, ROOT_NETUID)
    if amount > root_stake:
        share_pool.credit(ledger, hotkey, read(ledger, "Owner", hotkey), netuid, amount)
        return
    rate = I96F32.ratio(amount, root_stake)
    if rate:
        claimable: dict[int, dict[str, int]] = read(ledger, "RootClaimable", hotkey)
        before = int(claimable.get(netuid, {"bits": 0})["bits"])
        claimable[netuid] = {"bits": I96F32.add(before, rate)}
        write(ledger, "RootClaimable", hotkey, value=claimable)
