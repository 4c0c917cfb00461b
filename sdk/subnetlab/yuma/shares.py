"""Share pools: how one hotkey's stake on a subnet belongs to many coldkeys at once.

A pool has a value (alpha-rao) and a number of shares outstanding; a coldkey's stake is its part of the
shares times the value. Raising the value alone rewards every nominator without touching any of them. Shares
are decimal floating-point numbers of 21 digits, so that one alpha-rao always moves them. Nothing here knows
storage: the devnet's `share_pool` reads and writes what these functions compute.

Source: `primitives/share-pool` of Subtensor at spec 425.
"""

from dataclasses import dataclass
from typing import Final

from subnetlab.units import U64_MAX

MANTISSA_MAX: Final = 10**21
_DIGITS: Final = 21


@dataclass(frozen=True, slots=True)
class Shares:
    """A non-negative number `mantissa · 10^exponent`, kept with 21 significant digits."""

    mantissa: int = 0
    exponent: int = 0

    @classmethod
    def of(cls, mantissa: int, exponent: int = 0) -> "Shares":
        """Normalise to 21 digits; what does not fit is cut off."""
        if mantissa == 0:
            return cls()
        while mantissa > MANTISSA_MAX:
            mantissa, exponent = mantissa // 10, exponent + 1
        while mantissa <= MANTISSA_MAX // 10:
            mantissa, exponent = mantissa * 10, exponent - 1
        return cls(mantissa, exponent)

    def __bool__(self) -> bool:
        return self.mantissa != 0

    def __add__(self, other: "Shares") -> "Shares":
        if not self or not other:
            return self or other
        left, right, exponent = _aligned(self, other)
        return Shares.of(left + right, exponent)

    def __sub__(self, other: "Shares") -> "Shares":
        """Subtract, stopping at zero; the smaller-exponent operand loses its last digits first."""
        if not other:
            return self
        left, right, exponent = _aligned(self, other)
        return Shares.of(max(0, left - right), exponent)

    def times(self, factor: "Shares", divisor: "Shares") -> "Shares":
        """`self · factor / divisor`, cut off; zero where the divisor is zero."""
        if not divisor:
            return Shares()
        exponent = self.exponent + factor.exponent - divisor.exponent
        return Shares.of(self.mantissa * factor.mantissa // divisor.mantissa, exponent)

    def to_int(self) -> int:
        """Floor to alpha-rao, saturating at 2^64 - 1."""
        if self.exponent >= 0:
            return min(U64_MAX, self.mantissa * 10 ** min(self.exponent, _DIGITS + 1))
        return min(U64_MAX, self.mantissa // 10 ** min(-self.exponent, _DIGITS + 1))


def _aligned(left: Shares, right: Shares) -> tuple[int, int, int]:
    """Both mantissas at the larger exponent."""
    exponent = max(left.exponent, right.exponent)
    at_left = left.mantissa // 10 ** min(exponent - left.exponent, _DIGITS + 1)
    at_right = right.mantissa // 10 ** min(exponent - right.exponent, _DIGITS + 1)
    return at_left, at_right, exponent


def stake_of(shares: Shares, *, value: int, outstanding: Shares) -> int:
    """Alpha-rao that these shares are worth in a pool of this value."""
    return Shares.of(value).times(shares, outstanding).to_int()


def shares_for(amount: int, *, value: int, outstanding: Shares) -> Shares:
    """Shares that an amount of alpha-rao buys or returns; the first amount names the unit.

    Zero for a pool that has shares but no value: such a pool takes no stake.
    """
    if not outstanding:
        return Shares.of(amount)
    return Shares.of(amount).times(outstanding, Shares.of(value))
