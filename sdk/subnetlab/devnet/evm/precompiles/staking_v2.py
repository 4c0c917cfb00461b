"""0x805: everything a coldkey does with stake, in rao and alpha-rao; value that comes along is ignored.

The caller's account is the coldkey. Locks, collateral and claims of root dividends are calls that the devnet
does not have: they fail as filtered, and what they would have written reads as empty. Source: `staking.rs`.
"""

from collections.abc import Sequence
from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm.precompiles import staked
from subnetlab.devnet.evm.precompiles.allowances import ALLOWANCES
from subnetlab.devnet.evm.precompiles.frame import Frame, Reverted
from subnetlab.devnet.evm.precompiles.staking_reads import MOST_HOTKEYS, READS, few
from subnetlab.devnet.evm.precompiles.words import (
    Arguments,
    Body,
    Call,
    Precompile,
    Read,
    account,
    always,
    optional,
)
from subnetlab.devnet.pallets.subtensor import share_pool
from subnetlab.devnet.pallets.subtensor.entries import entries, number, read
from subnetlab.devnet.pallets.subtensor.stake_checks import MIN_STAKE_RAO

_PER_MILLION = 1_000_000


def _positions_of(ledger: Ledger, hotkey: str, _netuid: int) -> int:
    return len(entries(ledger, "AlphaV2", hotkey))


def _holders(ledger: Ledger, hotkey: str, netuid: int) -> list[str]:
    return [coldkey for coldkey, _ in share_pool.holders(ledger, hotkey, netuid)]


def _least_stake(_ledger: Ledger) -> int:
    return MIN_STAKE_RAO


def _least_nomination(ledger: Ledger) -> int:
    return MIN_STAKE_RAO * number(ledger, "NominatorMinRequiredStake") // _PER_MILLION


def positions(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    """The stakes of one coldkey with the hotkeys asked about, empty ones left out."""
    hotkeys = few(frame, arguments["hotkeys"], "stake info")
    frame.charge_reads(staked.READS_PER_STAKE * len(hotkeys))
    coldkey, netuid = account(arguments["coldkey"]), arguments["netuid"]
    stakes = [(key, share_pool.stake_of(frame.ledger, account(key), coldkey, netuid)) for key in hotkeys]
    return [[(key, stake) for key, stake in stakes if stake]]


def page(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    """Some of the hotkeys a coldkey stakes with, and how many there are."""
    offset, limit = arguments["offset"], arguments["limit"]
    if not limit:
        raise Reverted("staking hotkeys page limit must be nonzero")
    if limit > MOST_HOTKEYS:
        raise Reverted("staking hotkeys page limit exceeds 64")
    frame.charge_reads(1)
    hotkeys: list[str] = read(frame.ledger, "StakingHotkeys", account(arguments["coldkey"]))
    return [hotkeys[offset : offset + limit], len(hotkeys)]


_MOVES: dict[str, Body] = {
    "addStake": Call("SubtensorModule.add_stake", amount_staked="amount"),
    "addStakeLimit": Call("SubtensorModule.add_stake_limit", amount_staked="amount"),
    "addStakeBurn": Call("SubtensorModule.add_stake_burn", limit=optional("has_limit", "limit")),
    "removeStake": Call("SubtensorModule.remove_stake", amount_unstaked="amount"),
    "removeStakeLimit": Call("SubtensorModule.remove_stake_limit", amount_unstaked="amount"),
    "removeStakeFull": Call("SubtensorModule.remove_stake_full_limit", limit_price=always(None)),
    "removeStakeFullLimit": Call("SubtensorModule.remove_stake_full_limit"),
    "unstakeAll": Call("SubtensorModule.unstake_all"),
    "unstakeAllAlpha": Call("SubtensorModule.unstake_all_alpha"),
    "moveStake": Call("SubtensorModule.move_stake", alpha_amount="amount"),
    "moveStakeLimit": Call("SubtensorModule.move_stake_limit"),
    "swapStake": Call("SubtensorModule.swap_stake"),
    "swapStakeLimit": Call("SubtensorModule.swap_stake_limit"),
    "transferStake": Call("SubtensorModule.transfer_stake", alpha_amount="amount"),
    "transferStakeAndHotkey": Call("SubtensorModule.transfer_stake_and_hotkey"),
    "burnAlpha": Call("SubtensorModule.burn_alpha"),
    "recycleAlpha": Call("SubtensorModule.recycle_alpha"),
}
_SETTINGS: dict[str, Body] = {
    "increaseTake": Call("SubtensorModule.increase_take"),
    "decreaseTake": Call("SubtensorModule.decrease_take"),
    "setChildkeyTake": Call("SubtensorModule.set_childkey_take"),
    "setMinChildkeyTakePerSubnet": Call("AdminUtils.sudo_set_min_childkey_take_per_subnet"),
    "setColdkeyAutoStakeHotkey": Call("SubtensorModule.set_coldkey_auto_stake_hotkey"),
    "setAutoParentDelegationEnabled": Call("SubtensorModule.set_auto_parent_delegation_enabled"),
    "claimRoot": Call("SubtensorModule.claim_root"),
    "claimRootWithHotkey": Call("SubtensorModule.claim_root_with_hotkey"),
    "setRootClaimThreshold": Call("SubtensorModule.sudo_set_root_claim_threshold", new_value="threshold"),
    "lockStake": Call("SubtensorModule.lock_stake"),
    "moveLock": Call("SubtensorModule.move_lock"),
    "setPerpetualLock": Call("SubtensorModule.set_perpetual_lock"),
    "setRejectLockedAlpha": Call("SubtensorModule.set_reject_locked_alpha"),
    "addCollateral": Call("SubtensorModule.add_collateral"),
    "setMinCollateral": Call("SubtensorModule.set_min_collateral"),
    "setCollateralLockShare": Call("AdminUtils.sudo_set_collateral_lock_share"),
    "setCollateralDrainRatio": Call("AdminUtils.sudo_set_collateral_drain_ratio", drain_ratio="raw_ratio"),
}
_STAKES: dict[str, Body] = {
    "getStake": Read(staked.READS_PER_STAKE, share_pool.stake_of),
    "getStakeInfoForColdkeyAndNetuid": positions,
    "getStakingHotkeys": page,
    "getAlphaStakedValidators": Read(_positions_of, _holders),
    "getTotalAlphaStaked": Read(2, share_pool.hotkey_stake),
    "getTotalColdkeyStake": Read(staked.reads_of_coldkey, staked.total_of_coldkey),
    "getTotalColdkeyStakeOnSubnet": Read(staked.reads_of_coldkey, staked.total_on_subnet),
    "getTotalHotkeyStake": Read(staked.reads_of_hotkey, staked.total_of_hotkey),
    "getNominatorMinRequiredStake": Read(2, _least_nomination),
    "getDefaultMinStake": Read(1, _least_stake),
}

STAKING_V2 = Precompile(
    name="staking-v2",
    switch="Staking",
    bodies={**_MOVES, **_SETTINGS, **_STAKES, **READS, **staked.PROXIES, **ALLOWANCES},
)
