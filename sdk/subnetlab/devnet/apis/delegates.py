"""DelegateInfoRuntimeApi: hotkeys that others stake with.

Source: `rpc_info/delegate_info.rs`.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import runtime_api
from subnetlab.devnet.pallets.subtensor import share_pool, uids
from subnetlab.devnet.pallets.subtensor.entries import at, entries, exists, netuids, number, read
from subnetlab.units import RAO_PER_TAO, ROOT_NETUID, U16_MAX

_BLOCKS_PER_DAY = 7200


def _nominators(ledger: Ledger, hotkey: str) -> list[tuple[str, list[tuple[int, int]]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for netuid in netuids(ledger):
        for coldkey, alpha in share_pool.holders(ledger, hotkey, netuid):
            found.setdefault(coldkey, []).append((netuid, alpha))
    return sorted(found.items())


def _delegate(ledger: Ledger, hotkey: str, *, nominators: bool = True) -> dict[str, Any]:
    seats = {netuid: uids.uid_of(ledger, netuid, hotkey) for netuid in netuids(ledger)}
    held = {netuid: uid for netuid, uid in seats.items() if uid is not None}
    daily = 0
    for netuid, uid in held.items():
        emission, tempo = int(at(ledger, "Emission", netuid, uid=uid)), number(ledger, "Tempo", netuid)
        daily += emission * _BLOCKS_PER_DAY // tempo if tempo else 0
    share = number(ledger, "Delegates", hotkey)
    root_stake = share_pool.hotkey_stake(ledger, hotkey, ROOT_NETUID)
    kept = daily * (U16_MAX - share) // U16_MAX
    return {
        "delegate_ss58": hotkey,
        "take": share,
        "nominators": _nominators(ledger, hotkey) if nominators else [],
        "owner_ss58": read(ledger, "Owner", hotkey),
        "registrations": list(held),
        "validator_permits": [
            netuid
            for netuid, uid in held.items()
            if at(ledger, "ValidatorPermit", netuid, uid=uid, default=False)
        ],
        "return_per_1000": kept * 1000 * RAO_PER_TAO // root_stake if root_stake else 0,
        "total_daily_return": daily,
    }


@runtime_api("DelegateInfoRuntimeApi", "get_delegate")
def get_delegate(ledger: Ledger, hotkey: str) -> dict[str, Any] | None:
    """One delegate with its nominators."""
    return _delegate(ledger, hotkey) if exists(ledger, "Delegates", hotkey) else None


@runtime_api("DelegateInfoRuntimeApi", "get_delegates")
def get_delegates(ledger: Ledger) -> list[dict[str, Any]]:
    """Every delegate with its nominators."""
    return [_delegate(ledger, hotkey) for hotkey, _ in entries(ledger, "Delegates")]


@runtime_api("DelegateInfoRuntimeApi", "get_delegated")
def get_delegated(ledger: Ledger, coldkey: str) -> list[tuple[dict[str, Any], tuple[int, int]]]:
    """The delegates a coldkey stakes with, once per subnet, and its stake."""
    found: list[tuple[dict[str, Any], tuple[int, int]]] = []
    for hotkey, _ in entries(ledger, "Delegates"):
        for netuid in netuids(ledger):
            stake = share_pool.stake_of(ledger, hotkey, coldkey, netuid)
            if stake:
                found.append((_delegate(ledger, hotkey, nominators=False), (netuid, stake)))
    return found
