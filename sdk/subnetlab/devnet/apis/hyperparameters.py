"""SubnetInfoRuntimeApi, the part on hyperparameters: three generations of the same projection.

Source: `rpc_info/subnet_info.rs`; the third generation names each value and its kind.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import runtime_api
from subnetlab.devnet.pallets.subtensor.entries import is_subnet, number, read

ITEMS = {
    "rho": "Rho",
    "kappa": "Kappa",
    "immunity_period": "ImmunityPeriod",
    "min_allowed_weights": "MinAllowedWeights",
    "max_weights_limit": "MaxWeightsLimit",
    "tempo": "Tempo",
    "min_difficulty": "MinDifficulty",
    "max_difficulty": "MaxDifficulty",
    "weights_version": "WeightsVersionKey",
    "weights_rate_limit": "WeightsSetRateLimit",
    "adjustment_interval": "AdjustmentInterval",
    "registration_allowed": "NetworkRegistrationAllowed",
    "target_regs_per_interval": "TargetRegistrationsPerInterval",
    "min_burn": "MinBurn",
    "max_burn": "MaxBurn",
    "bonds_moving_avg": "BondsMovingAverage",
    "max_regs_per_block": "MaxRegistrationsPerBlock",
    "serving_rate_limit": "ServingRateLimit",
    "max_validators": "MaxAllowedValidators",
    "adjustment_alpha": "AdjustmentAlpha",
    "difficulty": "Difficulty",
    "commit_reveal_period": "RevealPeriodEpochs",
    "commit_reveal_weights_enabled": "CommitRevealWeightsEnabled",
    "liquid_alpha_enabled": "LiquidAlphaOn",
}
"""Hyperparameters that are one storage item each, in the words of the API."""
_LATER_ITEMS = {
    "activity_cutoff_factor": "ActivityCutoffFactorMilli",
    "burn_half_life": "BurnHalfLife",
    "burn_increase_mult": "BurnIncreaseMult",
    "subnet_is_active": "SubtokenEnabled",
    "transfers_enabled": "TransferToggle",
    "bonds_reset_enabled": "BondsResetOn",
    "owner_cut_enabled": "OwnerCutEnabled",
    "owner_cut_auto_lock_enabled": "OwnerCutAutoLockEnabled",
    "collateral_lock_share": "CollateralLockShare",
    "collateral_drain_ratio": "CollateralDrainRatio",
}
_SECOND = ("subnet_is_active", "transfers_enabled", "bonds_reset_enabled")
_KINDS = {
    "U16": "kappa immunity_period min_allowed_weights max_weights_limit tempo target_regs_per_interval "
    "burn_half_life max_regs_per_block max_validators alpha_high alpha_low yuma_version min_childkey_take "
    "collateral_lock_share",
    "U32": "activity_cutoff_factor",
    "U64": "weights_version weights_rate_limit activity_cutoff bonds_moving_avg serving_rate_limit "
    "commit_reveal_period",
    "Bool": "registration_allowed commit_reveal_weights_enabled liquid_alpha_enabled subnet_is_active "
    "transfers_enabled bonds_reset_enabled user_liquidity_enabled owner_cut_enabled "
    "owner_cut_auto_lock_enabled",
    "TaoBalance": "min_burn max_burn",
    "U64F64": "burn_increase_mult collateral_drain_ratio",
    "I32F32": "alpha_sigmoid_steepness",
}
"""What the third generation answers, by the kind of value."""


def activity_cutoff(ledger: Ledger, netuid: int) -> int:
    """Blocks without an update after which a validator counts as inactive."""
    factor = number(ledger, "ActivityCutoffFactorMilli", netuid)
    return max(factor * number(ledger, "Tempo", netuid) // 1000, 1)


def first_generation(ledger: Ledger, netuid: int) -> dict[str, Any]:
    """The hyperparameters every generation knows."""
    low, high = read(ledger, "AlphaValues", netuid)
    return {
        **{name: read(ledger, item, netuid) for name, item in ITEMS.items()},
        "activity_cutoff": activity_cutoff(ledger, netuid),
        "alpha_low": low,
        "alpha_high": high,
    }


def _second_generation(ledger: Ledger, netuid: int) -> dict[str, Any]:
    return {
        **first_generation(ledger, netuid),
        **{name: read(ledger, _LATER_ITEMS[name], netuid) for name in _SECOND},
        "alpha_sigmoid_steepness": {"bits": number(ledger, "AlphaSigmoidSteepness", netuid) << 32},
        "yuma_version": 3 if read(ledger, "Yuma3On", netuid) else 2,
        "user_liquidity_enabled": False,
    }


@runtime_api("SubnetInfoRuntimeApi", "get_subnet_hyperparams")
def get_subnet_hyperparams(ledger: Ledger, netuid: int) -> dict[str, Any] | None:
    """A subnet's hyperparameters, first generation."""
    return first_generation(ledger, netuid) if is_subnet(ledger, netuid) else None


@runtime_api("SubnetInfoRuntimeApi", "get_subnet_hyperparams_v2")
def get_subnet_hyperparams_v2(ledger: Ledger, netuid: int) -> dict[str, Any] | None:
    """A subnet's hyperparameters, second generation."""
    return _second_generation(ledger, netuid) if is_subnet(ledger, netuid) else None


@runtime_api("SubnetInfoRuntimeApi", "get_subnet_hyperparams_v3")
def get_subnet_hyperparams_v3(ledger: Ledger, netuid: int) -> list[dict[str, Any]] | None:
    """A subnet's hyperparameters as named values."""
    if not is_subnet(ledger, netuid):
        return None
    least = max(number(ledger, "MinChildkeyTake"), number(ledger, "MinChildkeyTakePerSubnet", netuid))
    values = {
        **_second_generation(ledger, netuid),
        **{name: read(ledger, item, netuid) for name, item in _LATER_ITEMS.items()},
        "min_childkey_take": least,
    }
    return [
        {"name": list(name.encode()), "value": {kind: values[name]}}
        for kind, names in _KINDS.items()
        for name in names.split()
    ]
