"""The calls that stake and unstake.

Bodies: `trading`; checks: `stake_checks`. Source: `staking/add_stake.rs`, `staking/remove_stake`.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError, Origin, call, ensure_signed
from subnetlab.devnet.pallets.subtensor import children, stake_checks, trading
from subnetlab.devnet.pallets.subtensor.entries import (
    erase,
    exists,
    is_subnet,
    netuids,
    number,
    read,
    require,
)
from subnetlab.devnet.pallets.subtensor.trading import Position
from subnetlab.units import ROOT_NETUID
from subnetlab.yuma.pool import MIN_PRICE_RAO


@call("SubtensorModule", "add_stake")
def add_stake(ledger: Ledger, origin: Origin, hotkey: str, netuid: int, amount_staked: int) -> None:
    """Stake TAO with a hotkey at whatever the pool asks.

    Raises:
        DispatchError: as `stake_checks.check_add`, InsufficientLiquidity first for absurd amounts.
    """
    to = Position(hotkey=hotkey, coldkey=ensure_signed(origin), netuid=netuid)
    stake_checks.within_swap_limit(ledger, netuid, amount_staked, "SubnetTAO")
    stake_checks.check_add(ledger, to, amount_staked, most=amount_staked, partial=False)
    trading.stake_into(ledger, to, amount_staked)


@call("SubtensorModule", "add_stake_limit")
def add_stake_limit(
    ledger: Ledger,
    origin: Origin,
    *,
    hotkey: str,
    netuid: int,
    amount_staked: int,
    limit_price: int,
    allow_partial: bool,
) -> None:
    """Stake TAO as long as alpha costs no more than a limit (rao per alpha)."""
    to = Position(hotkey=hotkey, coldkey=ensure_signed(origin), netuid=netuid)
    stake_checks.within_swap_limit(ledger, netuid, amount_staked, "SubnetTAO")
    most = stake_checks.most_addable(ledger, netuid, limit_price)
    stake_checks.check_add(ledger, to, amount_staked, most=most, partial=allow_partial)
    trading.become_delegate(ledger, hotkey, to.coldkey)
    trading.stake_into(ledger, to, min(amount_staked, most), limit_rao=limit_price)


@call("SubtensorModule", "remove_stake")
def remove_stake(ledger: Ledger, origin: Origin, hotkey: str, netuid: int, amount_unstaked: int) -> None:
    """Unstake alpha at whatever the pool pays; more than is held means all.

    Raises:
        DispatchError: SubtokenDisabled, then as `stake_checks.check_remove`.
    """
    out_of = Position(hotkey=hotkey, coldkey=ensure_signed(origin), netuid=netuid)
    require(read(ledger, "SubtokenEnabled", netuid), "SubtokenDisabled")
    alpha = min(amount_unstaked, trading.held(ledger, out_of))
    stake_checks.within_swap_limit(ledger, netuid, alpha, "SubnetAlphaIn")
    stake_checks.check_remove(ledger, out_of, alpha, most=alpha, partial=False)
    _remove(ledger, out_of, alpha, MIN_PRICE_RAO)


@call("SubtensorModule", "remove_stake_limit")
def remove_stake_limit(
    ledger: Ledger,
    origin: Origin,
    *,
    hotkey: str,
    netuid: int,
    amount_unstaked: int,
    limit_price: int,
    allow_partial: bool,
) -> None:
    """Unstake alpha as long as it pays no less than a limit (rao per alpha)."""
    out_of = Position(hotkey=hotkey, coldkey=ensure_signed(origin), netuid=netuid)
    stake_checks.within_swap_limit(ledger, netuid, amount_unstaked, "SubnetAlphaIn")
    most = stake_checks.most_removable(ledger, netuid, limit_price)
    stake_checks.check_remove(ledger, out_of, amount_unstaked, most=most, partial=allow_partial)
    _remove(ledger, out_of, min(amount_unstaked, most), limit_price)


@call("SubtensorModule", "remove_stake_full_limit")
def remove_stake_full_limit(
    ledger: Ledger, origin: Origin, hotkey: str, netuid: int, limit_price: int | None
) -> None:
    """Unstake everything with a hotkey on a subnet, with or without a limit."""
    require(is_subnet(ledger, netuid), "SubnetNotExists")
    position = Position(hotkey=hotkey, coldkey=ensure_signed(origin), netuid=netuid)
    alpha = trading.held(ledger, position)
    if limit_price is None:
        remove_stake(ledger, origin, hotkey, netuid, alpha)
    else:
        remove_stake_limit(
            ledger,
            origin,
            hotkey=hotkey,
            netuid=netuid,
            amount_unstaked=alpha,
            limit_price=limit_price,
            allow_partial=False,
        )


def _remove(ledger: Ledger, out_of: Position, alpha: int, limit_rao: int) -> None:
    trading.unstake_from(ledger, out_of, alpha, limit_rao=limit_rao)
    trading.clear_small_nomination(ledger, out_of)
    if children.total_stake_rao(ledger, out_of.hotkey) < number(ledger, "StakeThreshold"):
        for netuid in netuids(ledger):
            erase(ledger, "PendingChildKeys", netuid, out_of.hotkey)


def _remove_everywhere(ledger: Ledger, coldkey: str, hotkey: str, *, root_too: bool) -> int:
    """Unstake on every subnet where the checks pass; the rao received."""
    require(exists(ledger, "Owner", hotkey), "HotKeyAccountNotExists")
    received = 0
    for netuid in netuids(ledger):
        if not read(ledger, "SubtokenEnabled", netuid) or (netuid == ROOT_NETUID and not root_too):
            continue
        position = Position(hotkey=hotkey, coldkey=coldkey, netuid=netuid)
        alpha = trading.held(ledger, position)
        try:
            stake_checks.check_remove(ledger, position, alpha, most=alpha, partial=False)
        except DispatchError:
            continue  # what cannot be unstaked stays
        received += trading.unstake_from(ledger, position, alpha)
        trading.clear_small_nomination(ledger, position)
    return received


@call("SubtensorModule", "unstake_all")
def unstake_all(ledger: Ledger, origin: Origin, hotkey: str) -> None:
    """Unstake everything the signer holds with a hotkey, on every subnet and root."""
    _remove_everywhere(ledger, ensure_signed(origin), hotkey, root_too=True)


@call("SubtensorModule", "unstake_all_alpha")
def unstake_all_alpha(ledger: Ledger, origin: Origin, hotkey: str) -> None:
    """Unstake everything the signer holds with a hotkey on subnets, and stake it on root."""
    coldkey = ensure_signed(origin)
    received = _remove_everywhere(ledger, coldkey, hotkey, root_too=False)
    to_root = Position(hotkey=hotkey, coldkey=coldkey, netuid=ROOT_NETUID)
    trading.stake_into(ledger, to_root, received)
