"""The calls that move stake between hotkeys, subnets and coldkeys.

Within a subnet nothing is traded and nothing is charged; across subnets the stake is sold and bought again,
and only the sale pays a fee. Source: `staking/move_stake.rs`.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call, ensure_signed
from subnetlab.devnet.pallets import swap
from subnetlab.devnet.pallets.subtensor import money, share_pool, stake_checks, trading
from subnetlab.devnet.pallets.subtensor.entries import event, number, require, write
from subnetlab.devnet.pallets.subtensor.stake_checks import MIN_STAKE_RAO, most_addable, most_removable
from subnetlab.devnet.pallets.subtensor.trading import Position
from subnetlab.units import RAO_PER_TAO, ROOT_NETUID, U64_MAX
from subnetlab.yuma.fixed import U64F64

_TAO = U64F64.of(RAO_PER_TAO)


def _most_movable(ledger: Ledger, source: int, dest: int, limit: int) -> int:
    """The most alpha-rao that can move before the relative price falls below a limit (parts of 10^9)."""
    from_pool, to_pool = swap.is_dynamic(ledger, source), swap.is_dynamic(ledger, dest)
    if not from_pool and not to_pool:
        return 0 if limit > RAO_PER_TAO else U64_MAX
    if not from_pool:
        return U64_MAX if limit == 0 else most_addable(ledger, dest, RAO_PER_TAO * RAO_PER_TAO // limit)
    if not to_pool:
        return most_removable(ledger, source, limit)
    return _most_between_pools(ledger, source, dest, limit)


def _most_between_pools(ledger: Ledger, source: int, dest: int, limit: int) -> int:
    tao_1, tao_2 = (U64F64.of(number(ledger, "SubnetTAO", n)) for n in (source, dest))
    alpha_1, alpha_2 = (U64F64.of(number(ledger, "SubnetAlphaIn", n)) for n in (source, dest))
    if 0 in (tao_1, tao_2, alpha_1, alpha_2):
        return 0
    lowest = U64F64.div(U64F64.of(limit), _TAO)
    if lowest > U64F64.div(swap.price(ledger, source), swap.price(ledger, dest)):
        return 0
    if limit == 0:
        return U64_MAX
    total = U64F64.add(tao_1, tao_2)
    share_1, share_2 = U64F64.div(tao_1, total), U64F64.div(tao_2, total)
    reach = U64F64.div(U64F64.mul(alpha_2, share_1), lowest)
    return U64F64.to_int(U64F64.sub(reach, U64F64.mul(alpha_1, share_2)))


def _move(
    ledger: Ledger,
    source: Position,
    dest: Position,
    alpha: int,
    *,
    limit: int | None = None,
    partial: bool = True,
    transfer: bool = False,
) -> int:
    """Check and move; the rao the moved stake is worth."""
    crossing = source.netuid != dest.netuid
    most = alpha
    if crossing and limit is not None:
        most = _most_movable(ledger, source.netuid, dest.netuid, limit)
    stake_checks.check_move(ledger, source, dest, alpha, most=most, partial=partial, transfer=transfer)
    moved = min(alpha, most)
    return _across(ledger, source, dest, moved) if crossing else _within(ledger, source, dest, moved)


def _across(ledger: Ledger, source: Position, dest: Position, alpha: int) -> int:
    from_root = source.netuid == ROOT_NETUID
    received = trading.unstake_from(ledger, source, alpha, fees=not from_root)
    if source.coldkey != dest.coldkey:
        money.transfer(ledger, source.coldkey, dest.coldkey, received)
    if received >= MIN_STAKE_RAO:
        trading.become_delegate(ledger, dest.hotkey, dest.coldkey)
        trading.stake_into(ledger, dest, received, fees=from_root)
    return received


def _within(ledger: Ledger, source: Position, dest: Position, alpha: int) -> int:
    netuid = source.netuid
    require(share_pool.debit(ledger, source.hotkey, source.coldkey, netuid, alpha), "StakeUnavailable")
    trading.become_delegate(ledger, dest.hotkey, dest.coldkey)
    share_pool.credit(ledger, dest.hotkey, dest.coldkey, netuid, alpha)
    worth = swap.value_rao(ledger, netuid, alpha)
    require(worth >= stake_checks.MIN_TRANSFER_RAO, "AmountTooLow")
    write(ledger, "LastColdkeyHotkeyStakeBlock", dest.coldkey, dest.hotkey, value=ledger.block_number)
    event(ledger, "StakeRemoved", [source.coldkey, source.hotkey, worth, alpha, netuid, 0])
    event(ledger, "StakeAdded", [dest.coldkey, dest.hotkey, worth, alpha, netuid, 0])
    return worth


def _move_call(
    ledger: Ledger,
    origin: Origin,
    hotkeys: tuple[str, str],
    route: tuple[int, int],
    alpha: int,
    *,
    limit: int | None = None,
    partial: bool = True,
) -> None:
    coldkey = ensure_signed(origin)
    source = Position(hotkey=hotkeys[0], coldkey=coldkey, netuid=route[0])
    dest = Position(hotkey=hotkeys[1], coldkey=coldkey, netuid=route[1])
    rao = _move(ledger, source, dest, alpha, limit=limit, partial=partial)
    event(ledger, "StakeMoved", [coldkey, source.hotkey, source.netuid, dest.hotkey, dest.netuid, rao])


@call("SubtensorModule", "move_stake")
def move_stake(
    ledger: Ledger,
    origin: Origin,
    *,
    origin_hotkey: str,
    destination_hotkey: str,
    origin_netuid: int,
    destination_netuid: int,
    alpha_amount: int,
) -> None:
    """Move stake to another hotkey, on the same subnet or another."""
    route = (origin_netuid, destination_netuid)
    _move_call(ledger, origin, (origin_hotkey, destination_hotkey), route, alpha_amount)


@call("SubtensorModule", "move_stake_limit")
def move_stake_limit(
    ledger: Ledger,
    origin: Origin,
    *,
    origin_hotkey: str,
    destination_hotkey: str,
    origin_netuid: int,
    destination_netuid: int,
    alpha_amount: int,
    limit_price: int,
    allow_partial: bool,
) -> None:
    """Move stake to another hotkey while the relative price stays above a limit."""
    route = (origin_netuid, destination_netuid)
    pair = (origin_hotkey, destination_hotkey)
    _move_call(ledger, origin, pair, route, alpha_amount, limit=limit_price, partial=allow_partial)


def _swap_call(
    ledger: Ledger,
    origin: Origin,
    hotkey: str,
    route: tuple[int, int],
    alpha: int,
    **terms: int | bool | None,
) -> None:
    coldkey = ensure_signed(origin)
    source = Position(hotkey=hotkey, coldkey=coldkey, netuid=route[0])
    dest = Position(hotkey=hotkey, coldkey=coldkey, netuid=route[1])
    limit, partial = terms.get("limit"), bool(terms.get("partial", True))
    rao = _move(ledger, source, dest, alpha, limit=limit, partial=partial)
    event(ledger, "StakeSwapped", [coldkey, hotkey, route[0], route[1], rao])


@call("SubtensorModule", "swap_stake")
def swap_stake(
    ledger: Ledger,
    origin: Origin,
    *,
    hotkey: str,
    origin_netuid: int,
    destination_netuid: int,
    alpha_amount: int,
) -> None:
    """Move stake with one hotkey from one subnet to another."""
    _swap_call(ledger, origin, hotkey, (origin_netuid, destination_netuid), alpha_amount)


@call("SubtensorModule", "swap_stake_limit")
def swap_stake_limit(
    ledger: Ledger,
    origin: Origin,
    *,
    hotkey: str,
    origin_netuid: int,
    destination_netuid: int,
    alpha_amount: int,
    limit_price: int,
    allow_partial: bool,
) -> None:
    """Move stake between subnets while the relative price stays above a limit."""
    route = (origin_netuid, destination_netuid)
    _swap_call(ledger, origin, hotkey, route, alpha_amount, limit=limit_price, partial=allow_partial)


@call("SubtensorModule", "transfer_stake")
def transfer_stake(
    ledger: Ledger,
    origin: Origin,
    *,
    destination_coldkey: str,
    hotkey: str,
    origin_netuid: int,
    destination_netuid: int,
    alpha_amount: int,
) -> None:
    """Give stake to another coldkey, with the same hotkey."""
    coldkey = ensure_signed(origin)
    source = Position(hotkey=hotkey, coldkey=coldkey, netuid=origin_netuid)
    dest = Position(hotkey=hotkey, coldkey=destination_coldkey, netuid=destination_netuid)
    rao = _move(ledger, source, dest, alpha_amount, transfer=True)
    route = [origin_netuid, destination_netuid]
    event(ledger, "StakeTransferred", [coldkey, destination_coldkey, hotkey, *route, rao])


@call("SubtensorModule", "transfer_stake_and_hotkey")
def transfer_stake_and_hotkey(
    ledger: Ledger,
    origin: Origin,
    *,
    destination_coldkey: str,
    origin_hotkey: str,
    destination_hotkey: str,
    origin_netuid: int,
    destination_netuid: int,
    alpha_amount: int,
) -> None:
    """Give stake to another coldkey, with another hotkey."""
    coldkey = ensure_signed(origin)
    source = Position(hotkey=origin_hotkey, coldkey=coldkey, netuid=origin_netuid)
    dest = Position(hotkey=destination_hotkey, coldkey=destination_coldkey, netuid=destination_netuid)
    rao = _move(ledger, source, dest, alpha_amount, transfer=True)
    fields = {
        "origin_coldkey": coldkey,
        "destination_coldkey": destination_coldkey,
        "origin_hotkey": origin_hotkey,
        "destination_hotkey": destination_hotkey,
        "origin_netuid": origin_netuid,
        "destination_netuid": destination_netuid,
        "amount": rao,
    }
    event(ledger, "StakeAndHotkeyTransferred", fields)
