"""Registering neurons: by burning TAO on a subnet, by stake on root.

The burnt TAO buys alpha that is destroyed. Collateral shares are not kept, so the whole price is burnt
(fidelity table). Source: `subnets/registration.rs`, `subnets/collateral.rs`, `coinbase/root.rs`.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call, ensure_signed
from subnetlab.devnet.pallets import balances
from subnetlab.devnet.pallets.subtensor import burn_price, keys, money, share_pool, trading, uids
from subnetlab.devnet.pallets.subtensor.entries import (
    add,
    entries,
    event,
    exists,
    is_subnet,
    number,
    read,
    require,
    take,
    write,
)
from subnetlab.units import ROOT_NETUID
from subnetlab.yuma.pool import MAX_PRICE_RAO

_ROOT_INTERVAL_MULTIPLE = 3


@call("SubtensorModule", "burned_register")
def burned_register(ledger: Ledger, origin: Origin, netuid: int, hotkey: str) -> None:
    """Register a hotkey for the subnet's current price.

    Raises:
        DispatchError: in order RegistrationNotPermittedOnRootSubnet, SubnetNotExists,
            SubNetRegistrationDisabled, HotKeyAlreadyRegisteredInSubNet, NotEnoughBalanceToStake,
            NonAssociatedColdKey, NoNeuronIdAvailable.
    """
    coldkey = ensure_signed(origin)
    require(netuid != ROOT_NETUID, "RegistrationNotPermittedOnRootSubnet")
    require(is_subnet(ledger, netuid), "SubnetNotExists")
    require(read(ledger, "NetworkRegistrationAllowed", netuid), "SubNetRegistrationDisabled")
    require(uids.uid_of(ledger, netuid, hotkey) is None, "HotKeyAlreadyRegisteredInSubNet")
    price = number(ledger, "Burn", netuid)
    kept = balances.EXISTENTIAL_DEPOSIT
    require(money.spendable(ledger, coldkey) - kept >= price, "NotEnoughBalanceToStake")
    keys.pair(ledger, coldkey, hotkey)
    require(keys.owns(ledger, coldkey, hotkey), "NonAssociatedColdKey")
    slots = number(ledger, "MaxAllowedUids", netuid)
    require(slots, "NoNeuronIdAvailable")
    if number(ledger, "SubnetworkN", netuid) >= slots:
        require(uids.prunable(ledger, netuid) is not None, "NoNeuronIdAvailable")
    _burn(ledger, netuid, coldkey, price)
    uid = uids.register(ledger, netuid, hotkey)
    burn_price.bump(ledger, netuid)
    add(ledger, "RegistrationsThisBlock", netuid, amount=1)
    add(ledger, "RAORecycledForRegistration", netuid, amount=price)
    event(ledger, "NeuronRegistered", [netuid, uid, hotkey])


def _burn(ledger: Ledger, netuid: int, coldkey: str, price: int) -> None:
    """Buy alpha for the price and destroy it."""
    paid = money.pay_subnet(ledger, netuid, coldkey, price)
    done = trading.buy_alpha(ledger, netuid, paid, limit_rao=MAX_PRICE_RAO, fees=True)
    trading.pay_tao_fee(ledger, netuid, done.fee)
    trading.record_flow(ledger, netuid, done.taken)
    take(ledger, "SubnetAlphaOut", netuid, amount=done.paid)


@call("SubtensorModule", "register_limit")
def register_limit(ledger: Ledger, origin: Origin, netuid: int, hotkey: str, limit_price: int) -> None:
    """Register a hotkey unless the price (rao) has passed a limit."""
    ensure_signed(origin)
    require(netuid != ROOT_NETUID, "RegistrationNotPermittedOnRootSubnet")
    require(is_subnet(ledger, netuid), "SubnetNotExists")
    require(number(ledger, "Burn", netuid) <= limit_price, "RegistrationPriceLimitExceeded")
    burned_register(ledger, origin, netuid, hotkey)


@call("SubtensorModule", "root_register")
def root_register(ledger: Ledger, origin: Origin, hotkey: str) -> None:
    """Take a root seat, a free one or that of the member with the least root stake.

    Raises:
        DispatchError: in order RootNetworkDoesNotExist, TooManyRegistrationsThisBlock,
            TooManyRegistrationsThisInterval, HotKeyAlreadyRegisteredInSubNet, StakeTooLowForRoot.
    """
    require(is_subnet(ledger, ROOT_NETUID), "RootNetworkDoesNotExist")
    coldkey = ensure_signed(origin)
    most = number(ledger, "MaxRegistrationsPerBlock", ROOT_NETUID)
    require(number(ledger, "RegistrationsThisBlock", ROOT_NETUID) < most, "TooManyRegistrationsThisBlock")
    most = number(ledger, "TargetRegistrationsPerInterval", ROOT_NETUID) * _ROOT_INTERVAL_MULTIPLE
    recent = number(ledger, "RegistrationsThisInterval", ROOT_NETUID)
    require(recent < most, "TooManyRegistrationsThisInterval")
    require(not exists(ledger, "Uids", ROOT_NETUID, hotkey), "HotKeyAlreadyRegisteredInSubNet")
    keys.pair(ledger, coldkey, hotkey)
    if number(ledger, "SubnetworkN", ROOT_NETUID) < number(ledger, "MaxAllowedUids", ROOT_NETUID):
        uid = uids.append(ledger, ROOT_NETUID, hotkey)
    else:
        members = entries(ledger, "Keys", ROOT_NETUID)
        stakes = [(share_pool.hotkey_stake(ledger, key, ROOT_NETUID), uid) for uid, key in members]
        least, uid = min(stakes, key=lambda entry: entry[0])
        require(least < share_pool.hotkey_stake(ledger, hotkey, ROOT_NETUID), "StakeTooLowForRoot")
        uids.replace(ledger, ROOT_NETUID, uid, hotkey)
    if not exists(ledger, "Delegates", hotkey):  # every member of root is a delegate
        write(ledger, "Delegates", hotkey, value=number(ledger, "Delegates", hotkey))
    add(ledger, "RegistrationsThisInterval", ROOT_NETUID, amount=1)
    add(ledger, "RegistrationsThisBlock", ROOT_NETUID, amount=1)
    event(ledger, "NeuronRegistered", [ROOT_NETUID, uid, hotkey])
