"""Subnets: what one costs, how one is made, and when it starts to trade.

A full chain would dissolve a subnet to make room; here the limit refuses (fidelity table). Source:
`subnets/subnet.rs`, `coinbase/root.rs` (lock cost), `macros/genesis.rs`.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call, ensure_signed
from subnetlab.devnet.pallets import balances, swap
from subnetlab.devnet.pallets.subtensor import (
    children,
    identity,
    keys,
    limits,
    money,
    share_pool,
    symbols,
    uids,
)
from subnetlab.devnet.pallets.subtensor.entries import (
    ZERO_ACCOUNT,
    add,
    event,
    exists,
    is_subnet,
    netuids,
    number,
    read,
    require,
    write,
)
from subnetlab.units import RAO_PER_TAO, ROOT_NETUID
from subnetlab.yuma.fixed import U64F64

_NEW_SUBNET: dict[str, Any] = {
    "SubnetworkN": 0,
    "NetworksAdded": True,
    "NetworkRegistrationAllowed": True,
    "MaxAllowedUids": 256,
    "MaxAllowedValidators": 64,
    "MinAllowedWeights": 1,
    "ImmunityPeriod": 5000,
    "Yuma3On": True,
    "SubnetEmissionEnabled": False,
    "SubnetAlphaOut": 0,
    "SubnetVolume": 0,
    "RAORecycledForRegistration": 0,
}
"""What `register_network` writes apart from what it computes; emission waits for root to enable it."""
_EXPLICIT = ("Kappa", "ActivityCutoff", "RegistrationsThisInterval", "Burn")
"""Defaults that a new subnet stores, so that later changes of the default leave it alone."""


def lock_cost(ledger: Ledger) -> int:
    """Rao that a new subnet costs now: twice the last price, falling to the minimum over the interval."""
    last, least = number(ledger, "NetworkLastLockCost"), number(ledger, "NetworkMinLockCost")
    last_block = number(ledger, "LastRateLimitedBlock", limits.NETWORK_REGISTERED)
    interval = number(ledger, "NetworkLockReductionInterval") * number(ledger, "BlockEmission") // RAO_PER_TAO
    fallen = last // interval * (ledger.block_number - last_block) if interval else 0
    return max(least, last * (2 if last_block else 1) - fallen)


def median_price(ledger: Ledger) -> int:
    """The median alpha price of all subnets as U64F64 bits; one where there is none."""
    prices = sorted(p for n in netuids(ledger) if n != ROOT_NETUID and (p := swap.price(ledger, n)))
    if not prices:
        return U64F64.one
    low, high = prices[(len(prices) - 1) // 2], prices[len(prices) // 2]
    return low if low == high else (low + high) // 2


def _next_netuid(ledger: Ledger) -> int:
    taken = set(netuids(ledger))
    return next(netuid for netuid in range(1, len(taken) + 2) if netuid not in taken)


def _check_registration(ledger: Ledger, coldkey: str, hotkey: str) -> None:
    known = exists(ledger, "Owner", hotkey)
    require(not known or keys.owns(ledger, coldkey, hotkey), "NonAssociatedColdKey")
    require(not money.is_subnet_account(hotkey), "CannotUseSystemAccount")
    started = ledger.block_number >= number(ledger, "NetworkRegistrationStartBlock")
    require(started, "SubNetRegistrationDisabled")
    passes = limits.passes(ledger, limits.NETWORK_REGISTERED, number(ledger, "NetworkRateLimit"))
    require(passes, "NetworkTxRateLimitExceeded")


def _register(ledger: Ledger, origin: Origin, hotkey: str, described: Any) -> None:
    coldkey = ensure_signed(origin)
    _check_registration(ledger, coldkey, hotkey)
    checked = None if described is None else identity.checked_subnet_identity(described)
    require(len(netuids(ledger)) - 1 < number(ledger, "SubnetLimit"), "SubnetLimitReached")
    cost = lock_cost(ledger)
    require(cost <= money.spendable(ledger, coldkey), "CannotAffordLockCost")
    price, netuid = median_price(ledger), _next_netuid(ledger)
    _initialise(ledger, netuid, number(ledger, "Tempo", netuid))
    locked = money.pay_subnet(ledger, netuid, coldkey, cost)
    write(ledger, "NetworkLastLockCost", value=locked)
    limits.mark(ledger, limits.NETWORK_REGISTERED)
    keys.pair(ledger, coldkey, hotkey)
    uids.append(ledger, netuid, hotkey)
    _found(ledger, netuid, coldkey, hotkey, locked=locked, price=price)
    if checked is not None:
        identity.put_subnet_identity(ledger, netuid, checked)
    children.adopt_owner(ledger, netuid)
    event(ledger, "NetworkAdded", [netuid, swap.DYNAMIC])


def _initialise(ledger: Ledger, netuid: int, tempo: int) -> None:
    """Write the parameters of a new subnet, its first epoch staggered by its netuid."""
    for item, value in _NEW_SUBNET.items():
        write(ledger, item, netuid, value=value)
    for item in _EXPLICIT:
        write(ledger, item, netuid, value=read(ledger, item, netuid))
    write(ledger, "Tempo", netuid, value=tempo)
    write(ledger, "LastEpochBlock", netuid, value=max(ledger.block_number - netuid % max(tempo, 1), 0))
    add(ledger, "TotalNetworks", amount=1)


def _found(ledger: Ledger, netuid: int, coldkey: str, hotkey: str, *, locked: int, price: int) -> None:
    """Write who owns a new subnet and put its lock into the pool, priced at the median of the others."""
    write(ledger, "SubnetMechanism", netuid, value=swap.DYNAMIC)
    write(ledger, "NetworkRegisteredAt", netuid, value=ledger.block_number)
    add(ledger, "RegisteredSubnetCounter", netuid, amount=1)
    symbols.assign(ledger, netuid, symbols.free_symbol(ledger, netuid))
    tao = max(locked, number(ledger, "NetworkMinLockCost"))
    write(ledger, "SubnetTAO", netuid, value=tao)
    write(ledger, "SubnetAlphaIn", netuid, value=U64F64.to_int(U64F64.div(U64F64.of(tao), price)))
    write(ledger, "SubnetOwner", netuid, value=coldkey)
    keys.set_owner_hotkey(ledger, netuid, hotkey)
    write(ledger, "SubnetLocked", netuid, value=locked)
    add(ledger, "TotalStake", amount=tao)


@call("SubtensorModule", "register_network")
def register_network(ledger: Ledger, origin: Origin, hotkey: str) -> None:
    """Make a subnet, its lock paid by the signer and its first uid held by the hotkey.

    Raises:
        DispatchError: in order NonAssociatedColdKey, CannotUseSystemAccount, SubNetRegistrationDisabled,
            NetworkTxRateLimitExceeded, InvalidIdentity, SubnetLimitReached, CannotAffordLockCost.
    """
    _register(ledger, origin, hotkey, None)


@call("SubtensorModule", "register_network_with_identity")
def register_network_with_identity(ledger: Ledger, origin: Origin, hotkey: str, identity: Any) -> None:
    """Make a subnet that describes itself from the start."""
    _register(ledger, origin, hotkey, identity)


@call("SubtensorModule", "start_call")
def start_call(ledger: Ledger, origin: Origin, netuid: int) -> None:
    """Let a subnet's token trade and earn from the next block on; for its owner, once.

    Raises:
        DispatchError: SubnetNotExists, BadOrigin, FirstEmissionBlockNumberAlreadySet, StartCallNotReady.
    """
    require(is_subnet(ledger, netuid), "SubnetNotExists")
    keys.ensure_owner(ledger, origin, netuid)
    require(not exists(ledger, "FirstEmissionBlockNumber", netuid), "FirstEmissionBlockNumberAlreadySet")
    ready = number(ledger, "NetworkRegisteredAt", netuid) + number(ledger, "StartCallDelay")
    require(ledger.block_number >= ready, "StartCallNotReady")
    write(ledger, "FirstEmissionBlockNumber", netuid, value=ledger.block_number + 1)
    write(ledger, "SubtokenEnabled", netuid, value=True)
    event(ledger, "FirstEmissionBlockNumberSet", [netuid, ledger.block_number + 1])


# -- genesis

_GENESIS_TEMPO = 100
_GENESIS_POOL_TAO = 10
_ROOT: dict[str, Any] = {
    "NetworksAdded": True,
    "SubnetworkN": 0,
    "MaxAllowedUids": 64,
    "MaxAllowedValidators": 64,
    "MinAllowedWeights": 0,
    "Tempo": _GENESIS_TEMPO,
    "NetworkRegistrationAllowed": True,
    "TargetRegistrationsPerInterval": 1,
    "SubtokenEnabled": True,
}
_FIRST: dict[str, Any] = {
    "NetworksAdded": True,
    "SubnetworkN": 0,
    "MaxAllowedUids": 256,
    "MaxAllowedValidators": 64,
    "MinAllowedWeights": 0,
    "Tempo": _GENESIS_TEMPO,
    "NetworkRegistrationAllowed": True,
    "SubnetMechanism": swap.DYNAMIC,
    "SubnetTAO": _GENESIS_POOL_TAO * RAO_PER_TAO,
    "SubnetAlphaIn": _GENESIS_POOL_TAO * RAO_PER_TAO,
    "SubnetOwner": ZERO_ACCOUNT,
    "SubnetLocked": 1,
    "LargestLocked": 1,
}


def genesis(ledger: Ledger, *, owner: str, owner_hotkey: str) -> None:
    """Make root, which `owner` has, and subnet 1 as a localnet has them; call it once, after the balances.

    Unlike a localnet's, subnet 1's reserve is really in its account, and stake on root is open from the
    first block.
    """
    for item, value in _ROOT.items():
        write(ledger, item, ROOT_NETUID, value=value)
    write(ledger, "SubnetOwner", ROOT_NETUID, value=owner)
    write(ledger, "SubnetOwnerHotkey", ROOT_NETUID, value=owner_hotkey)
    symbols.assign(ledger, ROOT_NETUID, symbols.symbol_at(ROOT_NETUID))
    _found_first(ledger)
    write(ledger, "TotalNetworks", value=2)
    write(ledger, "TotalIssuance", value=int(ledger.get("Balances", "TotalIssuance")))


def _found_first(ledger: Ledger) -> None:
    netuid = 1
    for item, value in _FIRST.items():
        write(ledger, item, netuid, value=value)
    balances.set_free(ledger, money.subnet_account(netuid), _GENESIS_POOL_TAO * RAO_PER_TAO)
    balances.issue(ledger, _GENESIS_POOL_TAO * RAO_PER_TAO)
    write(ledger, "Owner", ZERO_ACCOUNT, value=ZERO_ACCOUNT)
    share_pool.credit(ledger, ZERO_ACCOUNT, ZERO_ACCOUNT, netuid, RAO_PER_TAO)
    write(ledger, "SubnetAlphaOut", netuid, value=RAO_PER_TAO)
    uids.append(ledger, netuid, ZERO_ACCOUNT)
    symbols.assign(ledger, netuid, symbols.symbol_at(netuid))
