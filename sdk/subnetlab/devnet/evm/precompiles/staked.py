"""What both staking precompiles answer about totals, what that costs, and the proxies both let a coldkey add.

Totals are in rao: a hotkey's at the current prices, a coldkey's as what selling would pay, fee included.
Source: `staking/helpers.rs`, `staking.rs`.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError
from subnetlab.devnet.evm.precompiles.words import Body, Call, always
from subnetlab.devnet.pallets import swap
from subnetlab.devnet.pallets.subtensor import share_pool
from subnetlab.devnet.pallets.subtensor.entries import entries, netuids, number, read
from subnetlab.yuma.fixed import U64F64

_STAKING_PROXY = {"proxy_type": always("Staking"), "delay": always(0)}
PROXIES: dict[str, Body] = {
    "addProxy": Call("Proxy.add_proxy", **_STAKING_PROXY),
    "removeProxy": Call("Proxy.remove_proxy", **_STAKING_PROXY),
}


READS_PER_STAKE = 7
_READS_PER_SUBNET = 5
_READS_PER_POSITION = 2
_READS_PER_SALE = READS_PER_STAKE + 13


def reads_of_hotkey(ledger: Ledger, _hotkey: str) -> int:
    """Database reads that a hotkey's total is charged for: those of as many subnets as there may be."""
    return 1 + _READS_PER_SUBNET * number(ledger, "SubnetLimit")


def reads_of_coldkey(ledger: Ledger, coldkey: str, netuid: int | None = None) -> int:
    """Database reads that a coldkey's total is charged for, on one subnet or on all."""
    hotkeys: list[str] = read(ledger, "StakingHotkeys", coldkey)
    found = [int(where) for one in hotkeys for where, _ in entries(ledger, "AlphaV2", one, coldkey)]
    sold = found if netuid is None else [where for where in found if where == netuid]
    return 2 + _READS_PER_POSITION * len(found) + _READS_PER_SALE * len(sold)


def total_of_hotkey(ledger: Ledger, hotkey: str) -> int:
    """Rao that all stake with a hotkey is worth, slippage aside."""
    bits = 0
    for netuid in netuids(ledger):
        alpha = U64F64.of(share_pool.hotkey_stake(ledger, hotkey, netuid))
        bits += U64F64.mul(alpha, swap.price(ledger, netuid))
    return U64F64.to_int(bits)


def total_of_coldkey(ledger: Ledger, coldkey: str) -> int:
    """Rao that selling all of a coldkey's stake would pay, the fee added back."""
    return sum(total_on_subnet(ledger, coldkey, netuid) for netuid in netuids(ledger))


def total_on_subnet(ledger: Ledger, coldkey: str, netuid: int) -> int:
    """The same for one subnet."""
    hotkeys: list[str] = read(ledger, "StakingHotkeys", coldkey)
    return sum(_sold(ledger, netuid, share_pool.stake_of(ledger, one, coldkey, netuid)) for one in hotkeys)


def _sold(ledger: Ledger, netuid: int, alpha: int) -> int:
    if not alpha:
        return 0
    try:
        done = swap.sell(ledger, netuid, alpha)
    except DispatchError:
        return 0
    return done.paid + swap.value_rao(ledger, netuid, done.fee)
