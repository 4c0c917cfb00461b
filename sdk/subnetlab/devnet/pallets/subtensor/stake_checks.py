"""What a staking call checks before anything moves, in the chain's order.

Amounts are rao for TAO and alpha-rao for stake. Conviction locks and miner collateral never hold stake back
here (fidelity table). Source: `staking/stake_utils/stake_validation.rs` and the callers of it.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError
from subnetlab.devnet.pallets import swap
from subnetlab.devnet.pallets.subtensor import money, share_pool
from subnetlab.devnet.pallets.subtensor.entries import error, exists, is_subnet, number, read, require
from subnetlab.devnet.pallets.subtensor.trading import Position, held
from subnetlab.units import RAO_PER_TAO, ROOT_NETUID, U64_MAX
from subnetlab.yuma.pool import MAX_INPUT_MULTIPLE, Swap

MIN_STAKE_RAO = 2_000_000
"""The smallest stake, move across subnets or partial withdrawal, fee excluded."""
MIN_TRANSFER_RAO = 100_000
"""The smallest stake that changes its coldkey, or its hotkey within a subnet."""


def within_swap_limit(ledger: Ledger, netuid: int, amount: int, reserve: str) -> None:
    """Refuse an input that no pool could price: more than a thousand times its reserve."""
    if netuid != ROOT_NETUID and swap.is_dynamic(ledger, netuid):
        require(amount <= number(ledger, reserve, netuid) * MAX_INPUT_MULTIPLE, "InsufficientLiquidity")


def most_addable(ledger: Ledger, netuid: int, limit_rao: int) -> int:
    """The most rao a purchase can take before the price passes a limit."""
    if netuid == ROOT_NETUID or not swap.is_dynamic(ledger, netuid):
        return U64_MAX if limit_rao >= RAO_PER_TAO else 0
    probe = number(ledger, "SubnetTAO", netuid) * MAX_INPUT_MULTIPLE
    done = swap.buy(ledger, netuid, probe, limit_rao=limit_rao)
    return done.taken + done.fee


def most_removable(ledger: Ledger, netuid: int, limit_rao: int) -> int:
    """The most alpha-rao a sale can take before the price passes a limit."""
    if netuid == ROOT_NETUID or not swap.is_dynamic(ledger, netuid):
        return U64_MAX if limit_rao <= RAO_PER_TAO else 0
    probe = number(ledger, "SubnetAlphaIn", netuid) * MAX_INPUT_MULTIPLE
    done = swap.sell(ledger, netuid, probe, limit_rao=limit_rao)
    return done.taken + done.fee


def check_add(ledger: Ledger, to: Position, tao: int, *, most: int, partial: bool) -> None:
    """Check a purchase of stake.

    Raises:
        DispatchError: in order SubnetNotExists, SubtokenDisabled, AmountTooLow, SlippageTooHigh,
            NotEnoughBalanceToStake, HotKeyAccountNotExists, InsufficientLiquidity.
    """
    require(is_subnet(ledger, to.netuid), "SubnetNotExists")
    require(read(ledger, "SubtokenEnabled", to.netuid), "SubtokenDisabled")
    require(tao >= MIN_STAKE_RAO + _fee_of_minimum(ledger, to.netuid), "AmountTooLow")
    if not partial:
        require(tao <= most, "SlippageTooHigh")
    tao = min(tao, most)
    require(tao <= money.spendable(ledger, to.coldkey), "NotEnoughBalanceToStake")
    require(exists(ledger, "Owner", to.hotkey), "HotKeyAccountNotExists")
    done = _simulated(ledger, to.netuid, tao, buying=True)
    require(done.taken >= MIN_STAKE_RAO, "AmountTooLow")
    require(done.paid, "InsufficientLiquidity")
    require(share_pool.can_credit(ledger, to.hotkey, to.netuid, done.paid), "InsufficientLiquidity")


def check_remove(ledger: Ledger, out_of: Position, alpha: int, *, most: int, partial: bool) -> None:
    """Check a sale of stake.

    Raises:
        DispatchError: in order SubnetNotExists, AmountTooLow, NotEnoughStakeToWithdraw,
            InsufficientLiquidity, AmountTooLow, SlippageTooHigh, HotKeyAccountNotExists.
    """
    require(is_subnet(ledger, out_of.netuid), "SubnetNotExists")
    require(alpha, "AmountTooLow")
    rest = held(ledger, out_of) - alpha
    require(rest >= 0, "NotEnoughStakeToWithdraw")
    done = _simulated(ledger, out_of.netuid, alpha, buying=False)
    require(rest == 0 or done.paid >= MIN_STAKE_RAO, "AmountTooLow")
    if not partial:
        require(alpha <= most, "SlippageTooHigh")
    require(exists(ledger, "Owner", out_of.hotkey), "HotKeyAccountNotExists")


def check_move(
    ledger: Ledger, source: Position, dest: Position, alpha: int, *, most: int, partial: bool, transfer: bool
) -> None:
    """Check stake that changes its hotkey, subnet or (`transfer`) coldkey.

    Raises:
        DispatchError: in order SameNetuid, SubnetNotExists, SubtokenDisabled, HotKeyAccountNotExists,
            NotEnoughStakeToWithdraw, InsufficientLiquidity, AmountTooLow, SlippageTooHigh,
            TransferDisallowed.
    """
    require(source != dest, "SameNetuid")
    for netuid in (source.netuid, dest.netuid):
        require(is_subnet(ledger, netuid), "SubnetNotExists")
    for netuid in (source.netuid, dest.netuid):
        require(read(ledger, "SubtokenEnabled", netuid), "SubtokenDisabled")
    for hotkey in (source.hotkey, dest.hotkey):
        require(exists(ledger, "Owner", hotkey), "HotKeyAccountNotExists")
    require(alpha <= held(ledger, source), "NotEnoughStakeToWithdraw")
    if source.netuid != dest.netuid:
        done = _simulated(ledger, source.netuid, alpha, buying=False)
        require(done.paid > (MIN_TRANSFER_RAO if transfer else MIN_STAKE_RAO), "AmountTooLow")
        require(partial or alpha <= most, "SlippageTooHigh")
    if transfer:
        for netuid in (source.netuid, dest.netuid):
            require(read(ledger, "TransferToggle", netuid), "TransferDisallowed")


def _fee_of_minimum(ledger: Ledger, netuid: int) -> int:
    try:
        return swap.buy(ledger, netuid, MIN_STAKE_RAO).fee
    except DispatchError:
        return swap.fee(ledger, netuid, MIN_STAKE_RAO)


def _simulated(ledger: Ledger, netuid: int, amount: int, *, buying: bool) -> Swap:
    try:
        return swap.buy(ledger, netuid, amount) if buying else swap.sell(ledger, netuid, amount)
    except DispatchError as refused:
        raise error("InsufficientLiquidity") from refused
