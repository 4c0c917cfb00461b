"""The table of settings that are one storage item each: who may change them, within which bounds.

`admin_utils` turns every row into a call `sudo_set_<name>`. Source: `pallets/admin-utils` at spec 425 and the
metadata of spec 461.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.pallets.subtensor.entries import number
from subnetlab.yuma.fixed import U64F64

ADMIN, MODULE = "AdminUtils", "SubtensorModule"


class Proposal(NamedTuple):
    """A value that somebody wants to set; netuid is -1 for a setting of the whole chain."""

    ledger: Ledger
    netuid: int
    value: Any
    by_owner: bool

    def now(self, item: str) -> int:
        """What an integer item of the same subnet holds."""
        return number(self.ledger, item, self.netuid)


@dataclass(frozen=True, slots=True)
class Bound:
    """A condition on a value, and the error where it does not hold."""

    holds: Callable[[Proposal], bool]
    error: str
    pallet: str = ADMIN


class OwnEvent(NamedTuple):
    """An event of AdminUtils itself: the subnet, and the value in a field of this name."""

    name: str
    field: str


class ChainSetting(NamedTuple):
    """A setting of the whole chain, for root alone."""

    name: str
    item: str
    event: str = ""
    bound: Bound | None = None
    pallet: str = ADMIN


class SubnetSetting(NamedTuple):
    """A setting of one subnet.

    `owner` names the rate limit of a subnet's owner and is empty where only root may. `event` is
    SubtensorModule's where it is a plain name.
    """

    name: str
    item: str
    event: str | OwnEvent = ""
    owner: str = ""
    bounds: tuple[Bound, ...] = ()
    window: bool = True
    must_exist: bool = True
    not_root: bool = False
    owner_unlimited: bool = False


def _between(low: int, high: int, error: str = "InvalidValue", pallet: str = ADMIN) -> tuple[Bound, ...]:
    return (Bound(lambda p: low <= int(p.value) <= high, error, pallet),)


def _bits_between(low: int, high: int, error: str = "InvalidValue") -> tuple[Bound, ...]:
    return (Bound(lambda p: low <= int(p.value["bits"]) <= high, error),)


MIN_BURN_CEILING, MAX_BURN_FLOOR = 1_000_000_000, 100_000_000
OWNER_BONDS_AVERAGE = 975_000
MOST_UIDS = 256
MOST_HALF_LIFE = 36_100
MOST_OWNER_UIDS = 10
MOST_REVEAL_PERIOD = 100
MOST_LOCK_SHARE = 62_258
MOST_DRAIN_RATIO = 10

CHAIN_SETTINGS = (
    ChainSetting("default_take", "MaxDelegateTake", "MaxDelegateTakeSet"),
    ChainSetting("tx_rate_limit", "TxRateLimit", "TxRateLimitSet"),
    ChainSetting("subnet_owner_cut", "SubnetOwnerCut", "SubnetOwnerCutSet"),
    ChainSetting("network_rate_limit", "NetworkRateLimit", "NetworkRateLimitSet"),
    ChainSetting("network_immunity_period", "NetworkImmunityPeriod", "NetworkImmunityPeriodSet"),
    ChainSetting("network_min_lock_cost", "NetworkMinLockCost", "NetworkMinLockCostSet"),
    ChainSetting("subnet_limit", "SubnetLimit", "SubnetLimitSet"),
    ChainSetting(
        "lock_reduction_interval", "NetworkLockReductionInterval", "NetworkLockCostReductionIntervalSet"
    ),
    ChainSetting("stake_threshold", "StakeThreshold", "StakeThresholdSet"),
    ChainSetting("tx_delegate_take_rate_limit", "TxDelegateTakeRateLimit", "TxDelegateTakeRateLimitSet"),
    ChainSetting("min_delegate_take", "MinDelegateTake", "MinDelegateTakeSet"),
    ChainSetting(
        "dissolve_network_schedule_duration",
        "DissolveNetworkScheduleDuration",
        "DissolveNetworkScheduleDurationSet",
    ),
    ChainSetting("subnet_moving_alpha", "SubnetMovingAlpha"),
    ChainSetting("commit_reveal_version", "CommitRevealWeightsVersion", "CommitRevealVersionSet"),
    ChainSetting("ck_burn", "CKBurn"),
    ChainSetting("admin_freeze_window", "AdminFreezeWindow", "AdminFreezeWindowSet"),
    ChainSetting("owner_hparam_rate_limit", "OwnerHyperparamRateLimit", "OwnerHyperparamRateLimitSet"),
    ChainSetting("tao_flow_cutoff", "TaoFlowCutoff"),
    ChainSetting(
        "tao_flow_normalization_exponent",
        "FlowNormExponent",
        bound=_bits_between(U64F64.one, 2 * U64F64.one)[0],
    ),
    ChainSetting("tao_flow_smoothing_factor", "FlowEmaSmoothingFactor"),
    ChainSetting("net_tao_flow_enabled", "NetTaoFlowEnabled"),
    ChainSetting("max_mechanism_count", "MaxMechanismCount", bound=_between(1, 8, pallet=MODULE)[0]),
    ChainSetting("start_call_delay", "StartCallDelay", "StartCallDelaySet"),
    ChainSetting(
        "coldkey_swap_announcement_delay", "ColdkeySwapAnnouncementDelay", "ColdkeySwapAnnouncementDelaySet"
    ),
    ChainSetting(
        "coldkey_swap_reannouncement_delay",
        "ColdkeySwapReannouncementDelay",
        "ColdkeySwapReannouncementDelaySet",
    ),
    ChainSetting(
        "max_epochs_per_block",
        "MaxEpochsPerBlock",
        "MaxEpochsPerBlockSet",
        _between(1, 255, "ValueNotInBounds")[0],
    ),
    ChainSetting(
        "tx_childkey_take_rate_limit",
        "TxChildkeyTakeRateLimit",
        "TxChildKeyTakeRateLimitSet",
        pallet=MODULE,
    ),
    ChainSetting("min_childkey_take", "MinChildkeyTake", "MinChildKeyTakeSet", pallet=MODULE),
    ChainSetting("max_childkey_take", "MaxChildkeyTake", "MaxChildKeyTakeSet", pallet=MODULE),
)

_MIN_BURN = (Bound(lambda p: int(p.value) < min(MIN_BURN_CEILING, p.now("MaxBurn")), "ValueNotInBounds"),)
_MAX_BURN = (Bound(lambda p: int(p.value) > max(MAX_BURN_FLOOR, p.now("MinBurn")), "ValueNotInBounds"),)
_BONDS_AVERAGE = (
    Bound(lambda p: not p.by_owner or int(p.value) <= OWNER_BONDS_AVERAGE, "BondsMovingAverageMaxReached"),
)
_MAX_UIDS = (
    Bound(lambda p: int(p.value) >= p.now("MinAllowedUids"), "MaxAllowedUidsLessThanMinAllowedUids"),
    Bound(lambda p: int(p.value) >= p.now("SubnetworkN"), "MaxAllowedUIdsLessThanCurrentUIds"),
    Bound(lambda p: int(p.value) <= MOST_UIDS, "MaxAllowedUidsGreaterThanDefaultMaxAllowedUids"),
    Bound(
        lambda p: int(p.value) * p.now("MechanismCountCurrent") <= MOST_UIDS,
        "TooManyUIDsPerMechanism",
        MODULE,
    ),
)
_MIN_UIDS = (
    Bound(lambda p: int(p.value) < p.now("MaxAllowedUids"), "MinAllowedUidsGreaterThanMaxAllowedUids"),
    Bound(lambda p: int(p.value) < p.now("SubnetworkN"), "MinAllowedUidsGreaterThanCurrentUids"),
)
_VALIDATORS = (Bound(lambda p: int(p.value) <= p.now("MaxAllowedUids"), "MaxValidatorsLargerThanMaxUIds"),)
_CUTOFF = (
    Bound(lambda p: int(p.value) >= number(p.ledger, "MinActivityCutoff"), "ActivityCutoffTooLow", MODULE),
)
_STEEPNESS = (Bound(lambda p: not p.by_owner or int(p.value) >= 0, "NegativeSigmoidSteepness"),)
_REVEAL_PERIOD = (
    Bound(lambda p: int(p.value) <= MOST_REVEAL_PERIOD, "RevealPeriodTooLarge", MODULE),
    Bound(lambda p: int(p.value) >= 1, "RevealPeriodTooSmall", MODULE),
)
_CHILD_TAKE = (
    Bound(
        lambda p: number(p.ledger, "MinChildkeyTake") <= int(p.value) <= number(p.ledger, "MaxChildkeyTake"),
        "InvalidValue",
    ),
)

ROOT_SETTINGS = (
    SubnetSetting("min_difficulty", "MinDifficulty", "MinDifficultySet"),
    SubnetSetting("weights_set_rate_limit", "WeightsSetRateLimit", "WeightsSetRateLimitSet", window=False),
    SubnetSetting("adjustment_interval", "AdjustmentInterval", "AdjustmentIntervalSet", window=False),
    SubnetSetting("kappa", "Kappa", "KappaSet", window=False),
    SubnetSetting(
        "network_registration_allowed",
        "NetworkRegistrationAllowed",
        "RegistrationAllowed",
        window=False,
        must_exist=False,
    ),
    SubnetSetting(
        "target_registrations_per_interval", "TargetRegistrationsPerInterval", "RegistrationPerIntervalSet"
    ),
    SubnetSetting("difficulty", "Difficulty", "DifficultySet"),
    SubnetSetting(
        "max_allowed_validators", "MaxAllowedValidators", "MaxAllowedValidatorsSet", bounds=_VALIDATORS
    ),
    SubnetSetting("max_registrations_per_block", "MaxRegistrationsPerBlock", "MaxRegistrationsPerBlockSet"),
    SubnetSetting(
        "rao_recycled", "RAORecycledForRegistration", "RAORecycledForRegistrationSet", window=False
    ),
    SubnetSetting("ema_price_halving_period", "EMAPriceHalvingBlocks", window=False, must_exist=False),
    SubnetSetting("subtoken_enabled", "SubtokenEnabled", must_exist=False),
    SubnetSetting("min_allowed_uids", "MinAllowedUids", "MinAllowedUidsSet", bounds=_MIN_UIDS),
    SubnetSetting(
        "min_non_immune_uids", "MinNonImmuneUids", "MinNonImmuneUidsSet", window=False, must_exist=False
    ),
    SubnetSetting(
        "subnet_emission_enabled",
        "SubnetEmissionEnabled",
        OwnEvent("SubnetEmissionEnabledSet", "enabled"),
        window=False,
        not_root=True,
    ),
)

OWNER_SETTINGS = (
    SubnetSetting(
        "serving_rate_limit", "ServingRateLimit", "ServingRateLimitSet", "ServingRateLimit", must_exist=False
    ),
    SubnetSetting("max_difficulty", "MaxDifficulty", "MaxDifficultySet", "MaxDifficulty"),
    SubnetSetting("adjustment_alpha", "AdjustmentAlpha", "AdjustmentAlphaSet", "AdjustmentAlpha"),
    SubnetSetting("immunity_period", "ImmunityPeriod", "ImmunityPeriodSet", "ImmunityPeriod"),
    SubnetSetting("min_allowed_weights", "MinAllowedWeights", "MinAllowedWeightSet", "MinAllowedWeights"),
    SubnetSetting(
        "max_allowed_uids", "MaxAllowedUids", "MaxAllowedUidsSet", "MaxAllowedUids", bounds=_MAX_UIDS
    ),
    SubnetSetting("rho", "Rho", "", "Rho"),
    SubnetSetting("activity_cutoff", "ActivityCutoff", "ActivityCutoffSet", "ActivityCutoff", bounds=_CUTOFF),
    SubnetSetting("min_burn", "MinBurn", "MinBurnSet", "MinBurn", bounds=_MIN_BURN),
    SubnetSetting("max_burn", "MaxBurn", "MaxBurnSet", "MaxBurn", bounds=_MAX_BURN),
    SubnetSetting(
        "bonds_moving_average",
        "BondsMovingAverage",
        "BondsMovingAverageSet",
        "BondsMovingAverage",
        bounds=_BONDS_AVERAGE,
    ),
    SubnetSetting("bonds_penalty", "BondsPenalty", "BondsPenaltySet", "BondsPenalty"),
    SubnetSetting(
        "min_childkey_take_per_subnet",
        "MinChildkeyTakePerSubnet",
        "MinChildKeyTakePerSubnetSet",
        "MinChildkeyTake",
        bounds=_CHILD_TAKE,
    ),
    SubnetSetting(
        "commit_reveal_weights_enabled",
        "CommitRevealWeightsEnabled",
        "CommitRevealEnabled",
        "CommitRevealEnabled",
    ),
    SubnetSetting("liquid_alpha_enabled", "LiquidAlphaOn", "", "LiquidAlphaEnabled", must_exist=False),
    SubnetSetting(
        "liquid_alpha_consensus_mode",
        "LiquidAlphaConsensusMode",
        "LiquidAlphaConsensusModeSet",
        "LiquidAlphaConsensusMode",
    ),
    SubnetSetting(
        "commit_reveal_weights_interval",
        "RevealPeriodEpochs",
        "CommitRevealPeriodsSet",
        "WeightCommitInterval",
        bounds=_REVEAL_PERIOD,
    ),
    SubnetSetting("toggle_transfer", "TransferToggle", "TransferToggle", "TransferEnabled", must_exist=False),
    SubnetSetting("recycle_or_burn", "RecycleOrBurn", "", "RecycleOrBurn", must_exist=False),
    SubnetSetting(
        "alpha_sigmoid_steepness",
        "AlphaSigmoidSteepness",
        "AlphaSigmoidSteepnessSet",
        "AlphaSigmoidSteepness",
        bounds=_STEEPNESS,
    ),
    SubnetSetting(
        "yuma3_enabled",
        "Yuma3On",
        OwnEvent("Yuma3EnableToggled", "enabled"),
        "Yuma3Enabled",
        must_exist=False,
    ),
    SubnetSetting(
        "bonds_reset_enabled",
        "BondsResetOn",
        OwnEvent("BondsResetToggled", "enabled"),
        "BondsResetEnabled",
        must_exist=False,
    ),
    SubnetSetting(
        "owner_immune_neuron_limit",
        "ImmuneOwnerUidsLimit",
        "",
        "ImmuneNeuronLimit",
        bounds=_between(1, MOST_OWNER_UIDS, pallet=MODULE),
        must_exist=False,
    ),
    SubnetSetting(
        "burn_half_life",
        "BurnHalfLife",
        OwnEvent("BurnHalfLifeSet", "burn_half_life"),
        "BurnHalfLife",
        bounds=_between(1, MOST_HALF_LIFE),
        not_root=True,
    ),
    SubnetSetting(
        "burn_increase_mult",
        "BurnIncreaseMult",
        OwnEvent("BurnIncreaseMultSet", "burn_increase_mult"),
        "BurnIncreaseMult",
        bounds=_bits_between(U64F64.one, 3 * U64F64.one),
        not_root=True,
    ),
    SubnetSetting("owner_cut_enabled", "OwnerCutEnabled", owner_unlimited=True, not_root=True),
    SubnetSetting(
        "owner_cut_auto_lock_enabled", "OwnerCutAutoLockEnabled", owner_unlimited=True, not_root=True
    ),
)
