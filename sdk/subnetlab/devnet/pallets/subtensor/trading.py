"""Stake and unstake: TAO into a subnet's pool, alpha to a hotkey, and back.

The bodies that every staking call shares once its arguments are checked (`stake_checks`). They move TAO
between accounts, reserves and outstanding alpha together, so the sum of balances never changes. Fees go to
the block's author, who receives alpha fees already sold; without an author they are burnt. Miner collateral
and conviction locks are not kept (fidelity table). Source: `staking/stake_utils/stake_swap.rs`.
"""

from typing import NamedTuple

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.pallets import swap
from subnetlab.devnet.pallets.subtensor import money, share_pool
from subnetlab.devnet.pallets.subtensor.entries import add, event, number, read, require, take, write
from subnetlab.yuma import pool as pools
from subnetlab.yuma.pool import Swap


class Position(NamedTuple):
    """Stake of one coldkey with one hotkey on one subnet."""

    hotkey: str
    coldkey: str
    netuid: int


def held(ledger: Ledger, position: Position) -> int:
    """Alpha-rao in a position (rao on root)."""
    return share_pool.stake_of(ledger, position.hotkey, position.coldkey, position.netuid)


def buy_alpha(ledger: Ledger, netuid: int, tao: int, *, limit_rao: int, fees: bool) -> Swap:
    """Trade TAO that already lies in the subnet's account for alpha, and move the reserves."""
    done = swap.buy(ledger, netuid, tao, limit_rao=limit_rao, fees=fees)
    swap.settle(ledger, netuid)
    take(ledger, "SubnetAlphaIn", netuid, amount=done.paid)
    add(ledger, "SubnetAlphaOut", netuid, amount=done.paid)
    add(ledger, "SubnetTAO", netuid, amount=done.taken)
    add(ledger, "TotalStake", amount=tao)
    _count_volume(ledger, netuid, tao)
    return done


def sell_alpha(ledger: Ledger, netuid: int, alpha: int, *, limit_rao: int, fees: bool) -> Swap:
    """Trade alpha for TAO that stays in the subnet's account for the caller to pay out."""
    done = swap.sell(ledger, netuid, alpha, limit_rao=limit_rao, fees=fees)
    swap.settle(ledger, netuid)
    add(ledger, "SubnetAlphaIn", netuid, amount=done.taken)
    take(ledger, "SubnetAlphaOut", netuid, amount=done.taken)
    take(ledger, "SubnetTAO", netuid, amount=done.paid)
    take(ledger, "TotalStake", amount=done.paid)
    _count_volume(ledger, netuid, done.paid)
    return done


def pay_tao_fee(ledger: Ledger, netuid: int, fee: int) -> None:
    """Give a fee taken in TAO to the block's author, or burn it."""
    if fee == 0:
        return
    if ledger.author is None:
        money.burn(ledger, money.subnet_account(netuid), fee)
    else:
        money.pay_from_subnet(ledger, netuid, ledger.author, fee)


def _pay_alpha_fee(ledger: Ledger, netuid: int, fee: int) -> int:
    """Sell a fee taken in alpha for the block's author, or burn it; the rao that left the subnet."""
    if fee == 0:
        return 0
    if ledger.author is None:
        burnt = int(ledger.get("AlphaAssets", "AlphaBurned", netuid)) + fee
        ledger.put("AlphaAssets", "AlphaBurned", netuid, value=burnt)
        return 0
    done = sell_alpha(ledger, netuid, fee, limit_rao=pools.MIN_PRICE_RAO, fees=False)
    money.pay_from_subnet(ledger, netuid, ledger.author, done.paid)
    return done.paid


def record_flow(ledger: Ledger, netuid: int, change: int) -> None:
    """Count TAO that entered (or left, negative) a subnet since its last epoch."""
    write(ledger, "SubnetTaoFlow", netuid, value=number(ledger, "SubnetTaoFlow", netuid) + change)


def _count_volume(ledger: Ledger, netuid: int, tao: int) -> None:
    write(ledger, "SubnetVolume", netuid, value=number(ledger, "SubnetVolume", netuid) + tao)


def stake_into(
    ledger: Ledger,
    to: Position,
    tao: int,
    *,
    limit_rao: int = pools.MAX_PRICE_RAO,
    fees: bool = True,
) -> int:
    """Turn a coldkey's TAO into stake with a hotkey; what a price limit keeps out goes back.

    Returns:
        The alpha-rao received.

    Raises:
        DispatchError: AmountTooLow, InsufficientLiquidity, or a SwapError's name.
    """
    moved = money.pay_subnet(ledger, to.netuid, to.coldkey, tao)
    done = buy_alpha(ledger, to.netuid, moved, limit_rao=limit_rao, fees=fees)
    require(done.paid, "AmountTooLow")
    require(share_pool.can_credit(ledger, to.hotkey, to.netuid, done.paid), "InsufficientLiquidity")
    share_pool.credit(ledger, to.hotkey, to.coldkey, to.netuid, done.paid)
    pay_tao_fee(ledger, to.netuid, done.fee)
    unused = moved - done.taken - done.fee
    if unused:
        money.pay_from_subnet(ledger, to.netuid, to.coldkey, unused)
        take(ledger, "TotalStake", amount=unused)
    record_flow(ledger, to.netuid, done.taken)
    write(ledger, "LastColdkeyHotkeyStakeBlock", to.coldkey, to.hotkey, value=ledger.block_number)
    event(ledger, "StakeAdded", [to.coldkey, to.hotkey, moved, done.paid, to.netuid, done.fee])
    return done.paid


def unstake_from(
    ledger: Ledger,
    out_of: Position,
    alpha: int,
    *,
    limit_rao: int = pools.MIN_PRICE_RAO,
    fees: bool = True,
) -> int:
    """Turn stake back into TAO of its coldkey; what a price limit keeps out stays staked.

    Returns:
        The rao received.

    Raises:
        DispatchError: StakeUnavailable, or a SwapError's name.
    """
    netuid = out_of.netuid
    require(share_pool.debit(ledger, out_of.hotkey, out_of.coldkey, netuid, alpha), "StakeUnavailable")
    done = sell_alpha(ledger, netuid, alpha, limit_rao=limit_rao, fees=fees)
    unused = alpha - done.taken - done.fee
    if unused:
        share_pool.credit(ledger, out_of.hotkey, out_of.coldkey, netuid, unused)
    money.pay_from_subnet(ledger, netuid, out_of.coldkey, done.paid)
    fee_rao = _pay_alpha_fee(ledger, netuid, done.fee)
    record_flow(ledger, netuid, -(done.paid + fee_rao))
    write(ledger, "LastColdkeyHotkeyStakeBlock", out_of.coldkey, out_of.hotkey, value=ledger.block_number)
    event(ledger, "StakeRemoved", [out_of.coldkey, out_of.hotkey, done.paid, done.taken, netuid, done.fee])
    return done.paid


def become_delegate(ledger: Ledger, hotkey: str, coldkey: str) -> None:
    """Make a hotkey a delegate when a coldkey that does not own it stakes with it."""
    if read(ledger, "Owner", hotkey) != coldkey and not ledger.has("SubtensorModule", "Delegates", hotkey):
        write(ledger, "Delegates", hotkey, value=number(ledger, "Delegates", hotkey))


def clear_small_nomination(ledger: Ledger, position: Position) -> None:
    """Unstake what a nominator left below the least nomination the chain keeps."""
    if read(ledger, "Owner", position.hotkey) == position.coldkey:
        return
    stake, least_rao = held(ledger, position), number(ledger, "NominatorMinRequiredStake")
    if stake and swap.value_rao(ledger, position.netuid, stake) < least_rao:
        unstake_from(ledger, position, stake)
