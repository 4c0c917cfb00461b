"""0x808: a subnet's pool: price, reserves, emissions, and what a trade would pay.

Prices are rao per alpha with nine more decimals, so that one TAO per alpha reads 10^18; amounts are rao and
alpha-rao; fixed-point values come as their bits. Source: `alpha.rs`.
"""

from collections.abc import Sequence
from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError
from subnetlab.devnet.evm.precompiles.dispatch import message
from subnetlab.devnet.evm.precompiles.frame import Failed, Frame, wei_of
from subnetlab.devnet.evm.precompiles.words import (
    Arguments,
    Body,
    Call,
    Constants,
    Precompile,
    Read,
    Several,
    Stored,
)
from subnetlab.devnet.pallets import swap
from subnetlab.devnet.pallets.subtensor import emission
from subnetlab.devnet.pallets.subtensor.entries import netuids, read
from subnetlab.units import RAO_PER_TAO, ROOT_NETUID
from subnetlab.yuma.fixed import U64F64

_MODES = ("Burn", "Recycle")
_PRICE_READS = 4
_SWAP_READS = 9


def _rao(price: int) -> int:
    return U64F64.to_int(U64F64.mul(price, U64F64.of(RAO_PER_TAO)))


def _moving_price_rao(ledger: Ledger, netuid: int) -> int:
    return _rao(U64F64.one if netuid == ROOT_NETUID else emission.moving_price(ledger, netuid))


def _quote(trade: Any) -> Read:
    def paid(ledger: Ledger, netuid: int, amount: int) -> int:
        try:
            return trade(ledger, netuid, amount).paid
        except DispatchError as error:
            raise Failed(message(error)) from None

    return Read(_SWAP_READS, paid)


def _sum_of_prices(frame: Frame, _arguments: Arguments) -> Sequence[Any]:
    """The sum of all prices below one; it is charged for as many subnets as there may be."""
    ledger = frame.ledger
    subnets = [netuid for netuid in netuids(ledger) if netuid != ROOT_NETUID]
    frame.charge_reads(1 + max(int(read(ledger, "SubnetLimit")), 5 * len(subnets)))
    prices = (swap.price(ledger, netuid) for netuid in subnets)
    return [wei_of(_rao(sum(price for price in prices if price < U64F64.one)))]


def _recycle_or_burn(arguments: Arguments) -> str:
    if arguments["mode"] >= len(_MODES):
        raise Failed("invalid recycle-or-burn mode")
    return _MODES[arguments["mode"]]


def _flow(ledger: Ledger, netuid: int) -> tuple[Any, ...]:
    def smoothed(item: str) -> tuple[bool, int, Any]:
        found = read(ledger, item, netuid)
        return (False, 0, 0) if found is None else (True, found[0], found[1])

    own, protocol = read(ledger, "SubnetTaoFlow", netuid), read(ledger, "SubnetProtocolFlow", netuid)
    return own, *smoothed("SubnetEmaTaoFlow"), protocol, *smoothed("SubnetEmaProtocolFlow")


def _swap_state(ledger: Ledger, netuid: int) -> tuple[Any, ...]:
    return (
        ledger.get("Swap", "FeeRate", netuid),
        ledger.get("Swap", "PalSwapInitialized", netuid),
        ledger.get("Swap", "SwapBalancer", netuid)["quote"],
        ledger.get("Swap", "BalancerTaoReservoir", netuid),
        ledger.get("Swap", "BalancerAlphaReservoir", netuid),
    )


def _migrated(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    frame.charge_reads(1)
    return [frame.ledger.get("Swap", "HasMigrationRun", arguments["migration_name"])]


def _get(item: str, *keys: str) -> Stored:
    return Stored(f"SubtensorModule.{item}", *keys)


_BODIES: dict[str, Body] = {
    "getAlphaPrice": Read(_PRICE_READS, swap.price_rao, wei=True),
    "getMovingAlphaPrice": Read(2, _moving_price_rao, wei=True),
    "getSumAlphaPrice": _sum_of_prices,
    "getTaoInPool": _get("SubnetTAO"),
    "getAlphaInPool": _get("SubnetAlphaIn"),
    "getAlphaOutPool": _get("SubnetAlphaOut"),
    "getAlphaIssuance": Read(2, emission.alpha_issuance),
    "getTaoInEmission": _get("SubnetTaoInEmission"),
    "getAlphaInEmission": _get("SubnetAlphaInEmission"),
    "getAlphaOutEmission": _get("SubnetAlphaOutEmission"),
    "getSubnetVolume": _get("SubnetVolume"),
    "getSubnetMechanism": _get("SubnetMechanism"),
    "getEMAPriceHalvingBlocks": _get("EMAPriceHalvingBlocks"),
    "getRootNetuid": Constants(ROOT_NETUID),
    "getTaoWeight": _get("TaoWeight"),
    "getCKBurn": _get("CKBurn"),
    "simSwapTaoForAlpha": _quote(swap.buy),
    "simSwapAlphaForTao": _quote(swap.sell),
    "getEmissionAccounting": Several(
        _get("AlphaDividendsPerSubnet"),
        _get("RootAlphaDividendsPerSubnet"),
        _get("LastHotkeyEmissionOnNetuid", "hotkey", "netuid"),
        _get("PendingServerEmission", "netuid"),
        _get("PendingValidatorEmission", "netuid"),
        _get("PendingRootAlphaDivs", "netuid"),
        _get("PendingOwnerCut", "netuid"),
        _get("MinerBurned", "netuid"),
        _get("RAORecycledForRegistration", "netuid"),
    ),
    "getEmissionGateConfig": Several(
        _get("BlockEmission"),
        _get("SubnetMovingAlpha"),
        _get("NetTaoFlowEnabled"),
        _get("TaoFlowCutoff"),
        _get("FlowNormExponent"),
        _get("EmissionBarQuantile"),
        _get("EmissionGateExponent"),
        _get("EmissionGateBar"),
        _get("FlowEmaSmoothingFactor"),
    ),
    "getSubnetEconomicState": Several(
        _get("SubnetEmissionEnabled"),
        _get("RootProp"),
        _get("SubnetExcessTao"),
        _get("SubnetRootSellTao"),
        _get("SubnetProtocolAlpha"),
    ),
    "getSubnetFlowState": Read(4, _flow),
    "getSwapState": Read(5, _swap_state),
    "hasSwapMigrationRun": _migrated,
    "setBurnHalfLife": Call("AdminUtils.sudo_set_burn_half_life"),
    "setBurnIncreaseMultiplier": Call(
        "AdminUtils.sudo_set_burn_increase_mult", burn_increase_mult="raw_multiplier"
    ),
    "setRecycleOrBurn": Call("AdminUtils.sudo_set_recycle_or_burn", recycle_or_burn=_recycle_or_burn),
}

ALPHA = Precompile(name="alpha", switch="Alpha", bodies=_BODIES)
