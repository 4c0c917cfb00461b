"""Settings: root and owners, windows and rate limits, bounds, and every row of the table."""

from typing import Any

import pytest
from tests.sdk.devnet.pallets.refusals import refused
from tests.sdk.devnet.pallets.stage import ALICE, BOB, Stage, key

from subnetlab.devnet.chain.registry import CALLS
from subnetlab.devnet.pallets import admin_settings as table
from subnetlab.devnet.pallets.admin_settings import ChainSetting, SubnetSetting
from subnetlab.devnet.pallets.subtensor import schedule

ADMIN = "AdminUtils"
EXAMPLES: dict[str, Any] = {
    "max_allowed_uids": 128,
    "min_allowed_uids": 0,
    "max_burn": 200_000_000,
    "activity_cutoff": 400,
    "burn_increase_mult": {"bits": 2 << 64},
    "recycle_or_burn": "Recycle",
    "liquid_alpha_consensus_mode": "Previous",
    "tao_flow_normalization_exponent": {"bits": 3 << 63},
    "subnet_moving_alpha": {"bits": 5},
    "tao_flow_cutoff": {"bits": 7},
}
"""Values for rows where a plain 1 (or True) would not do."""


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.write("AdminFreezeWindow", value=0)
    return stage


@pytest.fixture
def netuid(stage: Stage) -> int:
    return stage.subnet()


def argument(stage: Stage, name: str, pallet: str) -> str:
    """The name of a setter's last argument, as the metadata has it."""
    described = stage.ledger.codec.runtime.metadata_ir()["pallets"]
    calls = next(p for p in described if p["name"] == pallet)["calls"]
    return next(c for c in calls if c["name"] == f"sudo_set_{name}")["args"][-1]["name"]


def example(stage: Stage, name: str, item: str, *keys: int) -> Any:
    if name in EXAMPLES:
        return EXAMPLES[name]
    present = stage.read(item, *keys)
    return (not present) if isinstance(present, bool) else 1


@pytest.mark.parametrize("row", table.CHAIN_SETTINGS, ids=lambda row: row.name)
def test_a_chain_setting_is_roots(stage: Stage, row: ChainSetting) -> None:
    name, value = argument(stage, row.name, row.pallet), example(stage, row.name, row.item)
    call = f"sudo_set_{row.name}"
    refused(stage, "BadOrigin", ALICE, call, module=row.pallet, **{name: value})
    stage.call(None, call, row.pallet, **{name: value})
    assert stage.read(row.item) == value
    stage.blocks()


@pytest.mark.parametrize("row", [*table.ROOT_SETTINGS, *table.OWNER_SETTINGS], ids=lambda row: row.name)
def test_a_subnet_setting_is_written(stage: Stage, netuid: int, row: SubnetSetting) -> None:
    name, value = argument(stage, row.name, ADMIN), example(stage, row.name, row.item, netuid)
    call, terms = f"sudo_set_{row.name}", {"netuid": netuid, name: value}
    refused(stage, "BadOrigin", BOB, call, module=ADMIN, **terms)
    owner_may = bool(row.owner) or row.owner_unlimited
    if not owner_may:
        refused(stage, "BadOrigin", ALICE, call, module=ADMIN, **terms)
    stage.call(ALICE if owner_may else None, call, ADMIN, **terms)
    assert stage.read(row.item, netuid) == value
    if row.owner:
        refused(stage, "TxRateLimitExceeded", ALICE, call, module=ADMIN, **terms)
        stage.call(None, call, ADMIN, **terms)


def test_every_setter_of_the_runtime_is_answered(stage: Stage) -> None:
    described = stage.ledger.codec.runtime.metadata_ir()["pallets"]
    calls = {c["name"] for p in described if p["name"] == ADMIN for c in p["calls"]}
    absent = {name for name in calls if (ADMIN, name) not in CALLS}
    assert absent == {
        "swap_authorities",
        "schedule_grandpa_change",
        "sudo_trim_to_max_allowed_uids",
        "sudo_set_emission_bar_quantile",
        "sudo_set_emission_bar_rank",
        "sudo_set_emission_gate_exponent",
        "sudo_set_collateral_lock_share",
        "sudo_set_collateral_drain_ratio",
        "sudo_set_basket_concentration_cap",
        "sudo_set_basket_trading_enabled",
        "sudo_set_basket_trading_frozen",
        "sudo_set_basket_daily_turnover_cap",
        "sudo_set_basket_liquidity_cap",
    }


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("min_burn", 1_000_000_000, "ValueNotInBounds"),
        ("max_burn", 100_000_000, "ValueNotInBounds"),
        ("max_allowed_uids", 63, "MaxAllowedUidsLessThanMinAllowedUids"),
        ("max_allowed_uids", 257, "MaxAllowedUidsGreaterThanDefaultMaxAllowedUids"),
        ("max_allowed_validators", 257, "MaxValidatorsLargerThanMaxUIds"),
        ("min_allowed_uids", 256, "MinAllowedUidsGreaterThanMaxAllowedUids"),
        ("min_allowed_uids", 5, "MinAllowedUidsGreaterThanCurrentUids"),
        ("activity_cutoff", 359, "ActivityCutoffTooLow"),
        ("commit_reveal_weights_interval", 0, "RevealPeriodTooSmall"),
        ("commit_reveal_weights_interval", 101, "RevealPeriodTooLarge"),
        ("burn_half_life", 0, "InvalidValue"),
        ("burn_increase_mult", {"bits": 4 << 64}, "InvalidValue"),
        ("owner_immune_neuron_limit", 11, "InvalidValue"),
        ("min_childkey_take_per_subnet", 11_797, "InvalidValue"),
        ("activity_cutoff_factor", 999, "ActivityCutoffFactorMilliOutOfBounds"),
    ],
)
def test_a_bound_is_kept(*, stage: Stage, netuid: int, name: str, value: Any, error: str) -> None:
    terms = {"netuid": netuid, argument(stage, name, ADMIN): value}
    refused(stage, error, None, f"sudo_set_{name}", module=ADMIN, **terms)


def test_some_bounds_are_the_owners_alone(stage: Stage, netuid: int) -> None:
    average = {"netuid": netuid, "bonds_moving_average": 980_000}
    call = "sudo_set_bonds_moving_average"
    refused(stage, "BondsMovingAverageMaxReached", ALICE, call, module=ADMIN, **average)
    stage.call(None, call, ADMIN, **average)
    steep = {"netuid": netuid, "steepness": -5}
    call = "sudo_set_alpha_sigmoid_steepness"
    refused(stage, "NegativeSigmoidSteepness", ALICE, call, module=ADMIN, **steep)
    stage.call(None, call, ADMIN, **steep)
    assert stage.number("AlphaSigmoidSteepness", netuid) == -5


def test_an_unknown_subnet_has_no_settings(stage: Stage) -> None:
    terms = {"module": ADMIN, "netuid": 9, "kappa": 1}
    refused(stage, "SubnetDoesNotExist", None, "sudo_set_kappa", **terms)
    terms = {"module": ADMIN, "netuid": 0, "burn_half_life": 1}
    refused(stage, "NotPermittedOnRootSubnet", None, "sudo_set_burn_half_life", **terms)


def test_settings_stand_still_before_an_epoch(stage: Stage, netuid: int) -> None:
    stage.until_epoch(netuid)
    stage.call(None, "sudo_set_admin_freeze_window", ADMIN, window=3)
    terms = {"module": ADMIN, "netuid": netuid, "immunity_period": 7}
    for remaining in range(8, 0, -1):
        assert schedule.blocks_until_epoch(stage.ledger, netuid) == remaining
        assert schedule.is_frozen(stage.ledger, netuid) == (remaining < 3)
        if remaining < 3:
            error = "AdminActionProhibitedDuringWeightsWindow"
            refused(stage, error, ALICE, "sudo_set_immunity_period", **terms)
            refused(stage, error, None, "sudo_set_immunity_period", **terms)
        stage.blocks()


def test_a_tempo_starts_a_new_cycle(stage: Stage, netuid: int) -> None:
    terms = {"module": ADMIN, "netuid": netuid}
    refused(stage, "TempoOutOfBounds", ALICE, "sudo_set_tempo", tempo=359, **terms)
    refused(stage, "SubnetNotExists", None, "sudo_set_tempo", **{**terms, "netuid": 9}, tempo=8)
    stage.call(None, "sudo_set_tempo", ADMIN, netuid=netuid, tempo=5)
    assert stage.number("LastEpochBlock", netuid) == stage.ledger.block_number
    stage.call(ALICE, "sudo_set_tempo", ADMIN, netuid=netuid, tempo=400)
    refused(stage, "TxRateLimitExceeded", ALICE, "sudo_set_tempo", tempo=500, **terms)
    assert stage.events("TempoSet") == [[netuid, 5], [netuid, 400]]


def test_alpha_values_need_liquid_alpha(stage: Stage, netuid: int) -> None:
    terms = {"module": ADMIN, "netuid": netuid, "alpha_low": 2000, "alpha_high": 60_000}
    call = "sudo_set_alpha_values"
    refused(stage, "LiquidAlphaDisabled", None, call, **terms)
    stage.write("LiquidAlphaOn", netuid, value=True)
    refused(stage, "AlphaHighTooLow", None, call, **{**terms, "alpha_high": 1637})
    refused(stage, "AlphaLowOutOfRange", None, call, **{**terms, "alpha_low": 60_001})
    stage.call(ALICE, call, **terms)
    assert tuple(stage.read("AlphaValues", netuid)) == (2000, 60_000)
    refused(stage, "TxRateLimitExceeded", ALICE, call, **terms)


def test_the_owners_hotkey_changes_once_a_week(stage: Stage, netuid: int) -> None:
    terms = {"module": ADMIN, "netuid": netuid, "hotkey": key("//chosen")}
    refused(stage, "BadOrigin", BOB, "sudo_set_sn_owner_hotkey", **terms)
    stage.call(ALICE, "sudo_set_sn_owner_hotkey", **terms)
    assert stage.read("SubnetOwnerHotkey", netuid) == key("//chosen")
    refused(stage, "TxRateLimitExceeded", ALICE, "sudo_set_sn_owner_hotkey", **terms)


def test_mechanisms_come_and_go(stage: Stage, netuid: int) -> None:
    terms = {"module": ADMIN, "netuid": netuid}
    count = "sudo_set_mechanism_count"
    refused(stage, "TooManyUIDsPerMechanism", None, count, mechanism_count=2, **terms)
    stage.write("MaxAllowedUids", netuid, value=128)
    refused(stage, "InvalidValue", None, count, mechanism_count=3, **terms)
    stage.call(None, count, mechanism_count=2, **terms)
    split = "sudo_set_mechanism_emission_split"
    refused(stage, "InvalidValue", None, split, maybe_split=[1, 2], **terms)
    stage.call(None, split, maybe_split=[60_000, 5_535], **terms)
    stage.write("Weights", netuid + 4096, 0, value=[(0, 1)])
    stage.call(None, count, mechanism_count=1, **terms)
    assert stage.read("MechanismEmissionSplit", netuid) is None
    assert list(stage.read("Weights", netuid + 4096, 0)) == []


def test_the_version_key_waits_in_tempos(stage: Stage, netuid: int) -> None:
    terms = {"module": ADMIN, "netuid": netuid, "weights_version_key": 3}
    stage.call(ALICE, "sudo_set_weights_version_key", **terms)
    assert stage.number("WeightsVersionKey", netuid) == 3
    refused(stage, "TxRateLimitExceeded", ALICE, "sudo_set_weights_version_key", **terms)
    stage.call(None, "sudo_set_weights_version_key", **terms)


def test_what_the_runtime_itself_refuses(stage: Stage, netuid: int) -> None:
    work = {"module": ADMIN, "netuid": netuid, "registration_allowed": True}
    refused(stage, "POWRegistrationDisabled", None, "sudo_set_network_pow_registration_allowed", **work)
    refused(stage, "Deprecated", None, "sudo_set_total_issuance", module=ADMIN, total_issuance=1)


def test_precompiles_and_the_chain_id(stage: Stage) -> None:
    stage.call(None, "sudo_set_evm_chain_id", ADMIN, chain_id=945)
    assert int(stage.ledger.get("EVMChainId", "ChainId")) == 945
    toggle = {"precompile_id": "Staking", "enabled": False}
    stage.call(None, "sudo_toggle_evm_precompile", ADMIN, **toggle)
    stage.call(None, "sudo_toggle_evm_precompile", ADMIN, **toggle)
    assert stage.ledger.get(ADMIN, "PrecompileEnable", "Staking") is False
    assert stage.events("PrecompileUpdated") == [toggle]
