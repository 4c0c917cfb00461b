"""0x803: registering a subnet, and its owner's hyperparameters.

The caller's account becomes, or must be, the subnet's owner. Three setters were taken from owners and do
nothing. The ABI of the longest `registerNetwork` ends with `logoUrl, additional`, which the runtime reads the
other way round; so does this. Source: `subnet.rs`.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm.precompiles.words import (
    Arguments,
    Body,
    Call,
    Constants,
    Maybe,
    Precompile,
    Read,
    Several,
    Stored,
    always,
    nothing,
    optional,
)
from subnetlab.devnet.pallets.subtensor.entries import read
from subnetlab.units import U16_MAX

_IDENTITY = ("subnet_name", "github_repo", "subnet_contact", "subnet_url", "discord", "description")
_SHORT = "registerNetwork(bytes32)"
_LONG = f"registerNetwork(bytes32,{','.join(['string'] * 7)})"
_LONGEST = f"registerNetwork(bytes32,{','.join(['string'] * 8)})"
_MODES = {"Burn": 0, "Recycle": 1}
_CONSENSUS = {"Yuma": 0, "Null": 1}


def _identity(arguments: Arguments) -> dict[str, bytes]:
    parts = {name: arguments[name] for name in _IDENTITY}
    if "logo_url" not in arguments:
        return {**parts, "logo_url": b"", "additional": arguments["additional"]}
    return {**parts, "logo_url": arguments["additional"], "additional": arguments["logo_url"]}


def _signed(arguments: Arguments) -> int:
    """The unsigned argument read as the signed one that is stored."""
    given = arguments["steepness"]
    return given - (U16_MAX + 1) if given > U16_MAX // 2 else given


def _set(name: str, /, **values: Any) -> Call:
    return Call(f"AdminUtils.sudo_set_{name}", **values)


def _get(item: str) -> Stored:
    return Stored(f"SubtensorModule.{item}")


def _several(*items: str) -> Several:
    return Several(*(_get(item) for item in items))


def _alpha_values(ledger: Ledger, netuid: int) -> tuple[int, int]:
    return read(ledger, "AlphaValues", netuid)


def _is_dissolving(ledger: Ledger, netuid: int) -> bool:
    return netuid in read(ledger, "DissolveCleanupQueue")


def _dissolution(ledger: Ledger, netuid: int) -> tuple[bool, bool, int]:
    """Nothing is ever cleaned up here, so no cleanup has a phase."""
    return _is_dissolving(ledger, netuid), False, 0


def _metadata(ledger: Ledger, netuid: int) -> tuple[Any, ...]:
    names = ("TokenSymbol", "SubnetOwner", "SubnetOwnerHotkey", "Tempo")
    return *(read(ledger, name, netuid) for name in names), _MODES[read(ledger, "RecycleOrBurn", netuid)]


def _consensus(ledger: Ledger, netuid: int) -> int:
    return _CONSENSUS[read(ledger, "SubnetEpochConsensus", netuid)]


_CALLS: dict[str, Body] = {
    _SHORT: Call("SubtensorModule.register_network_with_identity", identity=always(None)),
    _LONG: Call("SubtensorModule.register_network_with_identity", identity=_identity),
    _LONGEST: Call("SubtensorModule.register_network_with_identity", identity=_identity),
    "setSubnetIdentity": Call("SubtensorModule.set_subnet_identity"),
    "updateSubnetSymbol": Call("SubtensorModule.update_symbol"),
    "triggerEpoch": Call("SubtensorModule.trigger_epoch"),
    "setActivityCutoff": _set("activity_cutoff"),
    "setActivityCutoffFactor": Call("SubtensorModule.set_activity_cutoff_factor"),
    "setAdjustmentAlpha": _set("adjustment_alpha"),
    "setAlphaSigmoidSteepness": _set("alpha_sigmoid_steepness", steepness=_signed),
    "setAlphaValues": _set("alpha_values"),
    "setBondsMovingAverage": _set("bonds_moving_average"),
    "setBondsPenalty": _set("bonds_penalty"),
    "setBondsResetEnabled": _set("bonds_reset_enabled", enabled="bonds_reset_enabled"),
    "setCommitRevealWeightsEnabled": _set(
        "commit_reveal_weights_enabled", enabled="commit_reveal_weights_enabled"
    ),
    "setCommitRevealWeightsInterval": _set(
        "commit_reveal_weights_interval", interval="commit_reveal_weights_interval"
    ),
    "setDifficulty": _set("difficulty"),
    "setImmunityPeriod": _set("immunity_period"),
    "setKappa": _set("kappa"),
    "setLiquidAlphaEnabled": _set("liquid_alpha_enabled", enabled="liquid_alpha_enabled"),
    "setMaxAllowedUids": _set("max_allowed_uids"),
    "setMaxBurn": nothing,
    "setMaxBurnV2": _set("max_burn"),
    "setMaxDifficulty": _set("max_difficulty"),
    "setMechanismCount": _set("mechanism_count"),
    "setMechanismEmissionSplit": _set("mechanism_emission_split", maybe_split=optional("has_split", "split")),
    "setMinAllowedWeights": _set("min_allowed_weights"),
    "setMinBurn": nothing,
    "setMinBurnV2": _set("min_burn"),
    "setMinDifficulty": _set("min_difficulty"),
    "setNetworkPowRegistrationAllowed": _set(
        "network_pow_registration_allowed", registration_allowed="network_pow_registration_allowed"
    ),
    "setNetworkRegistrationAllowed": _set(
        "network_registration_allowed", registration_allowed="network_registration_allowed"
    ),
    "setOwnerCutAutoLockEnabled": _set("owner_cut_auto_lock_enabled"),
    "setOwnerCutEnabled": _set("owner_cut_enabled"),
    "setOwnerImmuneNeuronLimit": _set("owner_immune_neuron_limit"),
    "setRho": _set("rho"),
    "setServingRateLimit": _set("serving_rate_limit"),
    "setTempo": _set("tempo"),
    "setWeightsSetRateLimit": nothing,
    "setWeightsVersionKey": _set("weights_version_key"),
    "setYuma3Enabled": _set("yuma3_enabled", enabled="yuma3_enabled"),
    "toggleTransfers": _set("toggle_transfer"),
    "trimToMaxAllowedUids": Call("AdminUtils.sudo_trim_to_max_allowed_uids", max_n="max_uids"),
}
_READS: dict[str, Body] = {
    "getActivityCutoff": _get("ActivityCutoff"),
    "getActivityCutoffFactor": _get("ActivityCutoffFactorMilli"),
    "getAdjustmentAlpha": _get("AdjustmentAlpha"),
    "getAlphaSigmoidSteepness": _get("AlphaSigmoidSteepness"),
    "getAlphaValues": Read(1, _alpha_values),
    "getBondsMovingAverage": _get("BondsMovingAverage"),
    "getBondsResetEnabled": _get("BondsResetOn"),
    "getBurnConfig": _several("BurnHalfLife", "BurnIncreaseMult"),
    "getCommitRevealWeightsEnabled": _get("CommitRevealWeightsEnabled"),
    "getCommitRevealWeightsInterval": _get("RevealPeriodEpochs"),
    "getDifficulty": _get("Difficulty"),
    "getEpochConsensus": Read(1, _consensus),
    "getGlobalNetworkLimits": _several(
        "MinActivityCutoff",
        "AdminFreezeWindow",
        "OwnerHyperparamRateLimit",
        "DissolveNetworkScheduleDuration",
        "SubnetLimit",
        "TotalNetworks",
        "NetworkImmunityPeriod",
        "StartCallDelay",
        "NetworkMinLockCost",
        "NetworkLastLockCost",
        "NetworkLockReductionInterval",
        "SubnetOwnerCut",
    ),
    "getGlobalProtocolConfig": _several(
        "MaxMechanismCount",
        "CommitRevealWeightsVersion",
        "NetworkRegistrationStartBlock",
        "TaoInRefundDeploymentBlock",
    ),
    "getGlobalRateLimits": _several(
        "NetworkRateLimit",
        "WeightsVersionKeyRateLimit",
        "TxRateLimit",
        "TxDelegateTakeRateLimit",
        "TxChildkeyTakeRateLimit",
        "MaxEpochsPerBlock",
    ),
    "getImmunityPeriod": _get("ImmunityPeriod"),
    "getKappa": _get("Kappa"),
    "getLiquidAlphaEnabled": _get("LiquidAlphaOn"),
    "getMaxBurn": _get("MaxBurn"),
    "getMaxDifficulty": _get("MaxDifficulty"),
    "getMaxWeightLimit": Constants(U16_MAX),
    "getMechanismEmissionSplit": Maybe(_get("MechanismEmissionSplit")),
    "getMinAllowedWeights": _get("MinAllowedWeights"),
    "getMinBurn": _get("MinBurn"),
    "getMinDifficulty": _get("MinDifficulty"),
    "getNetworkPowRegistrationAllowed": _get("NetworkPowRegistrationAllowed"),
    "getNetworkRegistrationAllowed": _get("NetworkRegistrationAllowed"),
    "getNetworkRegistrationBlock": _get("NetworkRegisteredAt"),
    "getOwnerCutAutoLockEnabled": _get("OwnerCutAutoLockEnabled"),
    "getRegisteredSubnetCounter": _get("RegisteredSubnetCounter"),
    "getRho": _get("Rho"),
    "getServingRateLimit": _get("ServingRateLimit"),
    "getSubnetCapacityConfig": _several(
        "MinAllowedUids",
        "MaxAllowedUids",
        "MaxAllowedValidators",
        "AdjustmentInterval",
        "TargetRegistrationsPerInterval",
        "MinNonImmuneUids",
        "ImmuneOwnerUidsLimit",
        "BondsPenalty",
        "OwnerCutEnabled",
        "TransferToggle",
        "MaxRegistrationsPerBlock",
        "MechanismCountCurrent",
    ),
    "getSubnetDissolutionStatus": Read(2, _dissolution),
    "getSubnetMetadata": Read(5, _metadata),
    "getWeightsSetRateLimit": _get("WeightsSetRateLimit"),
    "getWeightsVersionKey": _get("WeightsVersionKey"),
    "getYuma3Enabled": _get("Yuma3On"),
    "isSubnetDissolving": Read(1, _is_dissolving),
}

SUBNET = Precompile(name="subnet", switch="Subnet", bodies={**_CALLS, **_READS})
