"""StakeInfoRuntimeApi: who holds how much.

Locks are not kept (fidelity table): all stake is available, no hotkey has conviction. Source:
`rpc_info/stake_info.rs`.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import runtime_api
from subnetlab.devnet.pallets import swap
from subnetlab.devnet.pallets.subtensor import share_pool
from subnetlab.devnet.pallets.subtensor.entries import exists, is_subnet, netuids, number, read
from subnetlab.units import ROOT_NETUID


def _info(ledger: Ledger, hotkey: str, coldkey: str, netuid: int, alpha: int) -> dict[str, Any]:
    return {
        "hotkey": hotkey,
        "coldkey": coldkey,
        "netuid": netuid,
        "stake": alpha,
        "locked": 0,
        "emission": number(ledger, "AlphaDividendsPerSubnet", netuid, hotkey),
        "tao_emission": 0,
        "drain": 0,
        "is_registered": exists(ledger, "Uids", netuid, hotkey),
    }


@runtime_api("StakeInfoRuntimeApi", "get_stake_info_for_coldkey")
def get_stake_info_for_coldkey(ledger: Ledger, coldkey: str) -> list[dict[str, Any]]:
    """Every position of a coldkey that is not empty."""
    hotkeys: list[str] = read(ledger, "StakingHotkeys", coldkey)
    return [
        _info(ledger, hotkey, coldkey, netuid, alpha)
        for netuid in netuids(ledger)
        for hotkey in hotkeys
        if (alpha := share_pool.stake_of(ledger, hotkey, coldkey, netuid))
    ]


@runtime_api("StakeInfoRuntimeApi", "get_stake_info_for_coldkeys")
def get_stake_info_for_coldkeys(
    ledger: Ledger, coldkeys: list[str]
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Every position of several coldkeys."""
    return [(coldkey, get_stake_info_for_coldkey(ledger, coldkey)) for coldkey in coldkeys]


@runtime_api("StakeInfoRuntimeApi", "get_stake_info_for_hotkey_coldkey_netuid")
def get_stake_info_for_hotkey_coldkey_netuid(
    ledger: Ledger, hotkey: str, coldkey: str, netuid: int
) -> dict[str, Any]:
    """One position, empty or not."""
    return _info(ledger, hotkey, coldkey, netuid, share_pool.stake_of(ledger, hotkey, coldkey, netuid))


@runtime_api("StakeInfoRuntimeApi", "get_stake_availability_for_coldkeys")
def get_stake_availability_for_coldkeys(
    ledger: Ledger, coldkeys: list[str], wanted: list[int] | None
) -> dict[str, dict[int, dict[str, int]]]:
    """What each coldkey may unstake on each subnet; nothing where nothing is staked."""
    known = netuids(ledger)
    chosen = known if wanted is None else sorted(set(wanted))
    if len(chosen) > len(known):
        chosen = []
    answer: dict[str, dict[int, dict[str, int]]] = {}
    for coldkey in coldkeys:
        hotkeys: list[str] = read(ledger, "StakingHotkeys", coldkey)
        answer[coldkey] = {}
        for netuid in (n for n in chosen if is_subnet(ledger, n)):
            total = sum(share_pool.stake_of(ledger, hotkey, coldkey, netuid) for hotkey in hotkeys)
            if total:
                answer[coldkey][netuid] = {"total": total, "locked": 0, "available": total}
    return answer


@runtime_api("StakeInfoRuntimeApi", "get_stake_fee")
def get_stake_fee(
    ledger: Ledger,
    origin: tuple[str, int] | None,
    _origin_coldkey: str,
    destination: tuple[str, int] | None,
    _destination_coldkey: str,
    amount: int,
) -> int:
    """The trading fee of a move, roughly."""
    if origin == destination:
        return 0
    place = destination or origin
    return swap.fee(ledger, ROOT_NETUID if place is None else place[1], amount)
