"""What a hotkey's stake weighs on a subnet, its children and parents counted.

Reads storage for `yuma.stake`, which has the mathematics. Source: `staking/stake_utils/inherited_stake.rs`.
"""

from typing import NamedTuple

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.pallets.subtensor import share_pool
from subnetlab.devnet.pallets.subtensor.entries import number, read
from subnetlab.units import ROOT_NETUID
from subnetlab.yuma import stake
from subnetlab.yuma.fixed import I64F64


class StakeWeight(NamedTuple):
    """Alpha-rao on the subnet, rao on root, and both together at the TAO weight (alpha-rao)."""

    alpha: int
    tao: int
    total: int


def _inherited(ledger: Ledger, hotkey: str, netuid: int, staked_on: int) -> int:
    children: list[tuple[int, str]] = read(ledger, "ChildKeys", hotkey, netuid)
    parents: list[tuple[int, str]] = read(ledger, "ParentKeys", hotkey, netuid)
    return stake.inherited(
        share_pool.hotkey_stake(ledger, hotkey, staked_on),
        [int(part) for part, _ in children],
        [(int(part), share_pool.hotkey_stake(ledger, parent, staked_on)) for part, parent in parents],
    )


def of(ledger: Ledger, hotkey: str, netuid: int) -> StakeWeight:
    """A hotkey's stake weight on a subnet."""
    alpha = _inherited(ledger, hotkey, netuid, netuid)
    tao = _inherited(ledger, hotkey, netuid, ROOT_NETUID)
    bits = stake.stake_weight(alpha, tao, stake.tao_weight(number(ledger, "TaoWeight")))
    return StakeWeight(alpha=alpha, tao=tao, total=I64F64.to_int(bits))
