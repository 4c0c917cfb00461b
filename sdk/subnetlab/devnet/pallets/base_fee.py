"""BaseFee: wei a gas that every Ethereum transaction pays, floating with the load of blocks.

A block that is less than half full lowers it by up to an eighth, a fuller one raises it as far; it never
falls below half the default. Source: pallet-base-fee and its thresholds in Subtensor's runtime.
"""

from subnetlab.devnet.chain.codec import limbs
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call, ensure_root, on_finalize

MOST_REF_TIME = 4_000_000_000_000
"""The reference time of a full block."""
_PARTS = 1_000_000
"""Of a `Permill`."""
_TARGET = _PARTS // 2
_LOWEST_FEE = 10_000_000_000
"""Half the default of 20 gwei."""


def base_fee(ledger: Ledger) -> int:
    """Wei a gas that every transaction of the block being built pays."""
    return int(ledger.get("BaseFee", "BaseFeePerGas"))


@on_finalize(10)
def float_base_fee(ledger: Ledger) -> None:
    """Move the base fee towards what half-full blocks need."""
    elasticity = int(ledger.get("BaseFee", "Elasticity"))
    usage = min(ledger.ref_time * _PARTS // MOST_REF_TIME, _PARTS)
    if elasticity == 0 or usage == _TARGET:
        return
    before = base_fee(ledger)
    step = before * (elasticity * abs(usage - _TARGET) * 2 // _PARTS) // _PARTS
    after = before + step if usage > _TARGET else max(before - step, _LOWEST_FEE)
    if after != before:
        ledger.put("BaseFee", "BaseFeePerGas", value=limbs(after))


@call("BaseFee", "set_base_fee_per_gas")
def set_base_fee_per_gas(ledger: Ledger, origin: Origin, fee: int) -> None:
    """Set the base fee, as root."""
    ensure_root(origin)
    ledger.put("BaseFee", "BaseFeePerGas", value=limbs(fee))
    ledger.deposit_event("BaseFee", "NewBaseFeePerGas", {"fee": list(limbs(fee))})


@call("BaseFee", "set_elasticity")
def set_elasticity(ledger: Ledger, origin: Origin, elasticity: int) -> None:
    """Set how fast the base fee moves, as root; zero keeps it still."""
    ensure_root(origin)
    ledger.put("BaseFee", "Elasticity", value=elasticity)
    ledger.deposit_event("BaseFee", "NewElasticity", {"elasticity": elasticity})
