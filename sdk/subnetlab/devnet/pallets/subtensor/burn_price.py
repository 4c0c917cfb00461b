"""What a registration costs: the price halves over time and rises with every registration.

Source: `subnets/registration.rs`; the Q32 arithmetic is the runtime's, so prices match to the rao.
"""

from functools import cache

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import on_initialize
from subnetlab.devnet.pallets.subtensor import schedule
from subnetlab.devnet.pallets.subtensor.entries import netuids, number, read, write
from subnetlab.units import ROOT_NETUID
from subnetlab.yuma.fixed import U64F64

_ONE_Q32 = 1 << 32
_INTERVAL = "RegistrationsThisInterval"


def _power_q32(base: int, exponent: int) -> int:
    result = _ONE_Q32
    while exponent:
        if exponent & 1:
            result = result * base >> 32
        exponent >>= 1
        base = base * base >> 32
    return result


@cache
def decay_per_block(half_life: int) -> int:
    """The largest Q32 factor whose `half_life`-th power does not exceed one half."""
    if half_life == 0:
        return _ONE_Q32
    low, high = 0, _ONE_Q32
    while low + 1 < high:
        middle = (low + high) // 2
        if _power_q32(middle, half_life) > _ONE_Q32 // 2:
            high = middle
        else:
            low = middle
    return low


def _within_bounds(ledger: Ledger, netuid: int, burn: int) -> int:
    burn = max(burn, number(ledger, "MinBurn", netuid))
    return min(burn, number(ledger, "MaxBurn", netuid))


def bump(ledger: Ledger, netuid: int) -> None:
    """Raise the price after a registration; root has none."""
    if netuid == ROOT_NETUID:
        return
    factor = max(int(read(ledger, "BurnIncreaseMult", netuid)["bits"]), U64F64.one)
    raised = U64F64.to_int(U64F64.mul(U64F64.of(number(ledger, "Burn", netuid)), factor))
    write(ledger, "Burn", netuid, value=_within_bounds(ledger, netuid, raised))


@on_initialize(100)
def decay(ledger: Ledger) -> None:
    """Let every subnet's price fall by one block and start counting registrations anew.

    Only root still counts per interval; root never steps, so from its first tempo on every block starts one.
    """
    for netuid in netuids(ledger):
        burn, half_life = number(ledger, "Burn", netuid), number(ledger, "BurnHalfLife", netuid)
        decayed = burn
        if half_life and ledger.block_number > 1:
            decayed = burn * decay_per_block(half_life) >> 32
        decayed = _within_bounds(ledger, netuid, decayed)
        if decayed != burn:
            write(ledger, "Burn", netuid, value=decayed)
        if number(ledger, "RegistrationsThisBlock", netuid):
            write(ledger, "RegistrationsThisBlock", netuid, value=0)
    if schedule.is_epoch_due(ledger, ROOT_NETUID) and number(ledger, _INTERVAL, ROOT_NETUID):
        write(ledger, _INTERVAL, ROOT_NETUID, value=0)
