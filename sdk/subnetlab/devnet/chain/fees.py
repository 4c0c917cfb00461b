"""What an extrinsic costs: one rao per byte, and 0.0005 rao per unit of reference time.

The reference times of calls are benchmark results that metadata does not carry: those we know are in
`call_weights`, others cost a documented default. Source: `pallets/transaction-fee`; golden: 166,247 rao for a
transfer of 144 bytes, its length prefix counted.
"""

from typing import NamedTuple

BASE_REF_TIME = 108_157_000
"""Reference time every extrinsic pays before its call."""
RAO_PER_BYTE = 1
REF_TIME_PER_RAO = 2_000
REF_TIME_PER_GAS = 40_000
"""Three quarters of a block's four seconds, by the gas of a block."""
MOST_EXTRINSIC_REF_TIME = 2_599_891_843_000
"""The most one extrinsic may take without its base: the chain's constant `System.BlockWeights`."""
MOST_BLOCK_REF_TIME = 3_000_000_000_000
"""The most that signed extrinsics may take in one block, likewise."""


class CallWeight(NamedTuple):
    """What a call takes: picoseconds of reference time, bytes of proof."""

    ref_time: int
    proof_size: int

    def with_base(self) -> "CallWeight":
        """What the whole extrinsic takes."""
        return CallWeight(self.ref_time + BASE_REF_TIME, self.proof_size)


def weight_fee(ref_time: int) -> int:
    """Rao for a reference time, rounded to the nearest, halves down as `Perbill` multiplies."""
    return (ref_time + REF_TIME_PER_RAO // 2 - 1) // REF_TIME_PER_RAO


def fee(length: int, weight: CallWeight, tip: int = 0) -> int:
    """Rao for an extrinsic of `length` bytes around a call of this weight."""
    return length * RAO_PER_BYTE + weight_fee(BASE_REF_TIME) + weight_fee(weight.ref_time) + tip
