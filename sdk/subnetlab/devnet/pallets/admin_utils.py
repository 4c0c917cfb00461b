"""AdminUtils: settings of the chain for root, of a subnet for root and its owner.

Most calls come from the table `admin_settings`; the few that do more than write one item follow it. An owner
is held back in the blocks before an epoch (the admin freeze window) and by a rate limit per setting; the
window holds root back as well where the runtime says so. Collateral and baskets cannot be set, because
nothing here would obey them. Source: `pallets/admin-utils` at spec 425.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import CallFunction, DispatchError, Origin, call, ensure_root
from subnetlab.devnet.pallets import admin_settings as table
from subnetlab.devnet.pallets.admin_settings import ADMIN, ChainSetting, Proposal, SubnetSetting
from subnetlab.devnet.pallets.subtensor import keys, limits, schedule, trading
from subnetlab.devnet.pallets.subtensor.entries import (
    PALLET,
    entries,
    erase,
    event,
    is_subnet,
    mechanisms,
    number,
    read,
    require,
    storage_index,
    write,
)
from subnetlab.units import ROOT_NETUID, U16_MAX


def _require(condition: object, error: str, pallet: str = ADMIN) -> None:
    if not condition:
        raise DispatchError(pallet, error)


def _chain_setter(row: ChainSetting) -> CallFunction:
    def set_chain(ledger: Ledger, origin: Origin, **argument: Any) -> None:
        ensure_root(origin)
        (value,) = argument.values()
        if row.bound is not None:
            proposal = Proposal(ledger=ledger, netuid=-1, value=value, by_owner=False)
            _require(row.bound.holds(proposal), row.bound.error, row.bound.pallet)
        write(ledger, row.item, value=value)
        if row.event:
            event(ledger, row.event, [value])

    return set_chain


def _subnet_setter(row: SubnetSetting) -> CallFunction:
    def set_subnet(ledger: Ledger, origin: Origin, netuid: int, **argument: Any) -> None:
        (value,) = argument.values()
        by_owner = _authorised(ledger, origin, netuid, row)
        if row.window:
            schedule.ensure_window_open(ledger, netuid)
        _require(not row.must_exist or is_subnet(ledger, netuid), "SubnetDoesNotExist")
        _require(not row.not_root or netuid != ROOT_NETUID, "NotPermittedOnRootSubnet")
        proposal = Proposal(ledger=ledger, netuid=netuid, value=value, by_owner=by_owner)
        for bound in row.bounds:
            _require(bound.holds(proposal), bound.error, bound.pallet)
        write(ledger, row.item, netuid, value=value)
        _announce(ledger, row.event, netuid, value)
        if by_owner and row.owner:
            limits.mark(ledger, limits.owner_key(netuid, row.owner))

    return set_subnet


def _authorised(ledger: Ledger, origin: Origin, netuid: int, row: SubnetSetting) -> bool:
    """Let root pass, and an owner where the row has one; whether it was the owner."""
    if not row.owner and not row.owner_unlimited:
        ensure_root(origin)
        return False
    by_owner = keys.ensure_owner_or_root(ledger, origin, netuid) is not None
    if by_owner and row.owner:
        schedule.ensure_owner_limit(ledger, netuid, row.owner)
    return by_owner


def _announce(ledger: Ledger, what: str | table.OwnEvent, netuid: int, value: Any) -> None:
    if isinstance(what, table.OwnEvent):
        ledger.deposit_event(ADMIN, what.name, {"netuid": netuid, what.field: value})
    elif what:
        event(ledger, what, [netuid, value])


for _row in table.CHAIN_SETTINGS:
    call(_row.pallet, f"sudo_set_{_row.name}")(_chain_setter(_row))
for _setting in (*table.ROOT_SETTINGS, *table.OWNER_SETTINGS):
    call(ADMIN, f"sudo_set_{_setting.name}")(_subnet_setter(_setting))


# -- settings that do more than write one item

call(ADMIN, "sudo_set_tempo")(schedule.set_tempo)
call(ADMIN, "sudo_set_activity_cutoff_factor")(schedule.set_activity_cutoff_factor)


@call(ADMIN, "sudo_set_nominator_min_required_stake")
def sudo_set_nominator_min_required_stake(ledger: Ledger, origin: Origin, min_stake: int) -> None:
    """Set the least nomination (rao) and, where it rises, unstake what is now below it."""
    ensure_root(origin)
    before = number(ledger, "NominatorMinRequiredStake")
    write(ledger, "NominatorMinRequiredStake", value=min_stake)
    if min_stake > before:
        for (hotkey, coldkey, netuid), _ in entries(ledger, "AlphaV2"):
            position = trading.Position(hotkey=hotkey, coldkey=coldkey, netuid=netuid)
            trading.clear_small_nomination(ledger, position)


@call(ADMIN, "sudo_set_weights_version_key")
def sudo_set_weights_version_key(
    ledger: Ledger, origin: Origin, netuid: int, weights_version_key: int
) -> None:
    """Set the least version key that weights must carry; an owner's rate limit counts in tempos."""
    who = keys.ensure_owner_or_root(ledger, origin, netuid)
    blocks = number(ledger, "Tempo", netuid) * number(ledger, "WeightsVersionKeyRateLimit")
    _ensure_owner_kind(ledger, who, netuid, limits.WEIGHTS_VERSION_KEY, blocks)
    schedule.ensure_window_open(ledger, netuid)
    _require(is_subnet(ledger, netuid), "SubnetDoesNotExist")
    _mark_owner_kind(ledger, who, netuid, limits.WEIGHTS_VERSION_KEY)
    write(ledger, "WeightsVersionKey", netuid, value=weights_version_key)
    event(ledger, "WeightsVersionKeySet", [netuid, weights_version_key])


def _ensure_owner_kind(ledger: Ledger, who: str | None, netuid: int, kind: int, blocks: int) -> None:
    require(who is None or limits.passes_for(ledger, who, netuid, kind, blocks), "TxRateLimitExceeded")


def _mark_owner_kind(ledger: Ledger, who: str | None, netuid: int, kind: int) -> None:
    if who is not None:
        limits.mark_for(ledger, who, netuid, kind)


_LEAST_ALPHA = U16_MAX // 40


@call(ADMIN, "sudo_set_alpha_values")
def sudo_set_alpha_values(
    ledger: Ledger, origin: Origin, netuid: int, alpha_low: int, alpha_high: int
) -> None:
    """Set between which rates liquid alpha moves bonds.

    Raises:
        DispatchError: LiquidAlphaDisabled, AlphaHighTooLow, AlphaLowOutOfRange.
    """
    who = keys.ensure_owner_or_root(ledger, origin, netuid)
    if who is not None:
        schedule.ensure_owner_limit(ledger, netuid, "AlphaValues")
    schedule.ensure_window_open(ledger, netuid)
    require(read(ledger, "LiquidAlphaOn", netuid), "LiquidAlphaDisabled")
    require(alpha_high >= _LEAST_ALPHA, "AlphaHighTooLow")
    require(_LEAST_ALPHA <= alpha_low <= alpha_high, "AlphaLowOutOfRange")
    write(ledger, "AlphaValues", netuid, value=(alpha_low, alpha_high))
    if who is not None:
        limits.mark(ledger, limits.owner_key(netuid, "AlphaValues"))


@call(ADMIN, "sudo_set_sn_owner_hotkey")
def sudo_set_sn_owner_hotkey(ledger: Ledger, origin: Origin, netuid: int, hotkey: str) -> None:
    """Choose the hotkey that earns the owner's cut; once a week."""
    keys.ensure_owner_or_root(ledger, origin, netuid)
    require(is_subnet(ledger, netuid), "SubnetNotExists")
    rate_key = {"SetSNOwnerHotkey": netuid}
    require(limits.passes(ledger, rate_key, limits.OWNER_HOTKEY_BLOCKS), "TxRateLimitExceeded")
    limits.mark(ledger, rate_key)
    keys.set_owner_hotkey(ledger, netuid, hotkey)


@call(ADMIN, "sudo_set_mechanism_count")
def sudo_set_mechanism_count(ledger: Ledger, origin: Origin, netuid: int, mechanism_count: int) -> None:
    """Set how many mechanisms a subnet runs; what a dropped one stored is forgotten."""
    who = keys.ensure_owner_or_root(ledger, origin, netuid)
    _ensure_owner_kind(ledger, who, netuid, limits.MECHANISM_COUNT, 1)
    schedule.ensure_window_open(ledger, netuid)
    require(is_subnet(ledger, netuid), "MechanismDoesNotExist")
    require(1 <= mechanism_count <= number(ledger, "MaxMechanismCount"), "InvalidValue")
    slots = number(ledger, "MaxAllowedUids", netuid) * mechanism_count
    require(slots <= table.MOST_UIDS, "TooManyUIDsPerMechanism")
    for dropped in mechanisms(ledger, netuid)[mechanism_count:]:
        _forget_mechanism(ledger, storage_index(netuid, dropped))
    if mechanism_count != number(ledger, "MechanismCountCurrent", netuid):
        erase(ledger, "MechanismEmissionSplit", netuid)
    write(ledger, "MechanismCountCurrent", netuid, value=mechanism_count)
    _mark_owner_kind(ledger, who, netuid, limits.MECHANISM_COUNT)


def _forget_mechanism(ledger: Ledger, index: int) -> None:
    for item in ("LastUpdate", "Incentive"):
        erase(ledger, item, index)
    for item in ("Weights", "Bonds", "WeightCommits", "TimelockedWeightCommits"):
        for key, _ in entries(ledger, item, index):
            ledger.remove(PALLET, item, index, key)


@call(ADMIN, "sudo_set_mechanism_emission_split")
def sudo_set_mechanism_emission_split(
    ledger: Ledger, origin: Origin, netuid: int, maybe_split: list[int] | None
) -> None:
    """Set how a subnet's emission is divided between its mechanisms; None divides it evenly."""
    who = keys.ensure_owner_or_root(ledger, origin, netuid)
    _ensure_owner_kind(ledger, who, netuid, limits.MECHANISM_EMISSION, 1)
    schedule.ensure_window_open(ledger, netuid)
    require(is_subnet(ledger, netuid), "MechanismDoesNotExist")
    if maybe_split is None:
        erase(ledger, "MechanismEmissionSplit", netuid)
    else:
        require(maybe_split and len(maybe_split) <= len(mechanisms(ledger, netuid)), "InvalidValue")
        require(sum(maybe_split) == U16_MAX, "InvalidValue")
        write(ledger, "MechanismEmissionSplit", netuid, value=maybe_split)
    _mark_owner_kind(ledger, who, netuid, limits.MECHANISM_EMISSION)


@call(ADMIN, "sudo_toggle_evm_precompile")
def sudo_toggle_evm_precompile(ledger: Ledger, origin: Origin, precompile_id: str, enabled: bool) -> None:
    """Switch a precompiled contract on or off."""
    ensure_root(origin)
    if bool(ledger.get(ADMIN, "PrecompileEnable", precompile_id)) != enabled:
        ledger.put(ADMIN, "PrecompileEnable", precompile_id, value=enabled)
        fields = {"precompile_id": precompile_id, "enabled": enabled}
        ledger.deposit_event(ADMIN, "PrecompileUpdated", fields)


@call(ADMIN, "sudo_set_evm_chain_id")
def sudo_set_evm_chain_id(ledger: Ledger, origin: Origin, chain_id: int) -> None:
    """Set the chain id that Ethereum wallets see."""
    ensure_root(origin)
    ledger.put("EVMChainId", "ChainId", value=chain_id)


@call(ADMIN, "sudo_set_network_pow_registration_allowed")
def sudo_set_network_pow_registration_allowed(_ledger: Ledger, _origin: Origin, **_arguments: Any) -> None:
    """Refuse: registration by work is gone from this runtime."""
    raise DispatchError(ADMIN, "POWRegistrationDisabled")


@call(ADMIN, "sudo_set_total_issuance")
def sudo_set_total_issuance(_ledger: Ledger, _origin: Origin, **_arguments: Any) -> None:
    """Refuse: the issuance cannot be set."""
    raise DispatchError(ADMIN, "Deprecated")
