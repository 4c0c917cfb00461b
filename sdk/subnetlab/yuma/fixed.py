"""Fixed-point numbers as the runtime computes them: plain integers read at a fixed binary scale.

A number travels as its raw bits (an `int`); a `Format` says how wide it is and where the point is.
Rounding is the runtime's: multiplication floors, division truncates towards zero, conversion to fewer
fractional bits floors, and everything saturates at the ends of the format instead of wrapping. What this
does not do: sums that overflow (the runtime would panic there), trigonometry, square roots.

Source: the rounding rules of the `substrate-fixed` 0.6 types that Subtensor uses.
"""

from dataclasses import dataclass, field
from fractions import Fraction

_EXP_LIMIT = 20
# Euler's number as the runtime keeps it: 23 fractional bits, floored.
_E_23 = 22802600


@dataclass(frozen=True, slots=True)
class Format:
    """One fixed-point type: `signed` or not, `int_bits` before and `frac_bits` after the point."""

    signed: bool
    int_bits: int
    frac_bits: int
    one: int = field(init=False)
    """The bits of 1."""
    maximum: int = field(init=False)
    """The largest representable bits."""
    minimum: int = field(init=False)
    """The smallest representable bits."""

    def __post_init__(self) -> None:
        maximum = (1 << (self.int_bits + self.frac_bits - self.signed)) - 1
        object.__setattr__(self, "one", 1 << self.frac_bits)
        object.__setattr__(self, "maximum", maximum)
        object.__setattr__(self, "minimum", -maximum - 1 if self.signed else 0)

    def clamp(self, bits: int) -> int:
        """Saturate bits at the ends of the format."""
        if bits > self.maximum:
            return self.maximum
        return max(bits, self.minimum)

    def of(self, number: int) -> int:
        """Turn an integer into bits, saturating."""
        return self.clamp(number << self.frac_bits)

    def ratio(self, numerator: int, denominator: int) -> int:
        """Divide two integers, each converted first; zero where the division is impossible."""
        return self.div(self.of(numerator), self.of(denominator))

    def convert(self, bits: int, source: "Format") -> int:
        """Read bits of another format in this one: extra fraction is floored, the range saturates."""
        shift = self.frac_bits - source.frac_bits
        return self.clamp(bits << shift if shift >= 0 else bits >> -shift)

    def add(self, left: int, right: int) -> int:
        """Add, saturating."""
        return self.clamp(left + right)

    def sub(self, left: int, right: int) -> int:
        """Subtract, saturating (at zero when unsigned)."""
        return self.clamp(left - right)

    def mul(self, left: int, right: int) -> int:
        """Multiply, flooring and saturating."""
        return self.clamp((left * right) >> self.frac_bits)

    def quotient(self, left: int, right: int) -> int:
        """Divide without limits: truncated towards zero, not yet saturated. `right` is not zero."""
        scaled = left << self.frac_bits
        magnitude = abs(scaled) // abs(right)
        return magnitude if (scaled >= 0) == (right > 0) else -magnitude

    def div(self, left: int, right: int) -> int:
        """Divide, answering zero where the divisor is zero or the result does not fit."""
        if right == 0:
            return 0
        bits = self.quotient(left, right)
        return bits if self.minimum <= bits <= self.maximum else 0

    def saturating_div(self, left: int, right: int) -> int:
        """Divide, saturating where the result does not fit. `right` is not zero."""
        return self.clamp(self.quotient(left, right))

    def to_int(self, bits: int, width: int = 64) -> int:
        """Floor to an unsigned integer of `width` bits, saturating at both ends."""
        return max(0, min((1 << width) - 1, bits >> self.frac_bits))

    def rounded(self, bits: int, width: int = 64) -> int:
        """Round halves away from zero to an unsigned integer of `width` bits (no negative survives)."""
        return max(0, min((1 << width) - 1, (bits + (self.one >> 1)) >> self.frac_bits))

    def fraction(self, bits: int) -> Fraction:
        """Give the exact value, for a person or a test."""
        return Fraction(bits, self.one)


I32F32 = Format(signed=True, int_bits=32, frac_bits=32)
I64F64 = Format(signed=True, int_bits=64, frac_bits=64)
I96F32 = Format(signed=True, int_bits=96, frac_bits=32)
U64F64 = Format(signed=False, int_bits=64, frac_bits=64)
U96F32 = Format(signed=False, int_bits=96, frac_bits=32)


def floor_log2(kind: Format, bits: int) -> int:
    """Integer part of the base-2 logarithm of a number that is at least 1.

    Halving rounds halves up, as the runtime's own logarithm does, so a number one bit below a power of two
    may already count as that power.
    """
    result = 0
    while bits >= 2 << kind.frac_bits:
        result += 1
        bits = (bits >> 1) + (bits & 1)
    return result


def exp(kind: Format, bits: int) -> int | None:
    """Raise e to a number by the runtime's truncated series; None where it leaves the format."""
    if bits == 0:
        return kind.one
    if bits == kind.one:
        return _E_23 << (kind.frac_bits - 23)
    operand = abs(bits)
    result, term = kind.one + operand, operand
    for index in range(2, kind.frac_bits):
        product = (term * operand) >> kind.frac_bits
        term = product // index
        result += term
        if max(product, result) > kind.maximum:
            return None
    return kind.quotient(kind.one, result) if bits < 0 else result


def exp_bounded(kind: Format, bits: int) -> int:
    """Raise e to a number held within [-20, 20]; the format's maximum where even that does not fit."""
    limit = kind.of(_EXP_LIMIT)
    value = exp(kind, max(-limit, min(limit, bits)))
    if value is None:
        return 0 if bits <= 0 else kind.maximum
    return value
