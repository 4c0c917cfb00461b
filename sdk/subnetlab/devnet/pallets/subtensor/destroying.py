"""Alpha given up for good: recycled, so that it can be emitted again, or burnt, which counts as issued.

Source: `staking/recycle_alpha.rs`, `coinbase/alpha.rs`.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call, ensure_signed
from subnetlab.devnet.pallets.subtensor import emission, share_pool, staking, trading
from subnetlab.devnet.pallets.subtensor.entries import event, exists, is_subnet, number, read, require
from subnetlab.devnet.pallets.subtensor.trading import Position
from subnetlab.units import ROOT_NETUID


def _take_stake(ledger: Ledger, position: Position, amount: int) -> int:
    """Check that stake may be destroyed, take it from its holder, and return how much there was of it."""
    netuid = position.netuid
    require(is_subnet(ledger, netuid), "SubnetNotExists")
    require(netuid != ROOT_NETUID, "CannotBurnOrRecycleOnRootSubnet")
    require(read(ledger, "SubtokenEnabled", netuid), "SubtokenDisabled")
    require(exists(ledger, "Owner", position.hotkey), "HotKeyAccountNotExists")
    amount = min(amount, trading.held(ledger, position))
    require(number(ledger, "SubnetAlphaOut", netuid) >= amount, "InsufficientLiquidity")
    share_pool.debit(ledger, position.hotkey, position.coldkey, netuid, amount)
    return amount


@call("SubtensorModule", "recycle_alpha")
def recycle_alpha(ledger: Ledger, origin: Origin, hotkey: str, amount: int, netuid: int) -> None:
    """Give up staked alpha so that it can be emitted again.

    Raises:
        DispatchError: in order SubnetNotExists, CannotBurnOrRecycleOnRootSubnet, SubtokenDisabled,
            HotKeyAccountNotExists, InsufficientLiquidity.
    """
    position = Position(hotkey=hotkey, coldkey=ensure_signed(origin), netuid=netuid)
    taken = _take_stake(ledger, position, amount)
    emission.recycle_alpha(ledger, netuid, taken)
    event(ledger, "AlphaRecycled", [position.coldkey, hotkey, taken, netuid])


@call("SubtensorModule", "burn_alpha")
def burn_alpha(ledger: Ledger, origin: Origin, hotkey: str, amount: int, netuid: int) -> None:
    """Destroy staked alpha; it stays counted as outstanding."""
    position = Position(hotkey=hotkey, coldkey=ensure_signed(origin), netuid=netuid)
    taken = _take_stake(ledger, position, amount)
    emission.burn_alpha(ledger, netuid, taken)
    event(ledger, "AlphaBurned", [position.coldkey, hotkey, taken, netuid])


@call("SubtensorModule", "add_stake_burn")
def add_stake_burn(
    ledger: Ledger, origin: Origin, *, hotkey: str, netuid: int, amount: int, limit: int | None
) -> None:
    """Buy alpha with TAO (rao), at most at a limit, and destroy it."""
    position = Position(hotkey=hotkey, coldkey=ensure_signed(origin), netuid=netuid)
    before = trading.held(ledger, position)
    terms = {"hotkey": hotkey, "netuid": netuid, "amount_staked": amount}
    if limit is None:
        staking.add_stake(ledger, origin, **terms)
    else:
        staking.add_stake_limit(ledger, origin, limit_price=limit, allow_partial=False, **terms)
    bought = trading.held(ledger, position) - before
    burn_alpha(ledger, origin, hotkey, bought, netuid)
    event(ledger, "AddStakeBurn", {"netuid": netuid, "hotkey": hotkey, "amount": amount, "alpha": bought})
