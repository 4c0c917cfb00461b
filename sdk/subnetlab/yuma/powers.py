"""Powers of a ratio to a rational exponent, scaled to an integer and floored.

Exponents whose reduced terms are tiny (1, 1/2, 3/2, …) are computed with integer roots; any other goes
through logarithm and exponential at 160 decimal digits. What comes within 10^-50 below an integer is that
integer: an exact root, as a power that is not a whole number does not come so near. The runtime, with exact
roots for terms up to 1024 and 256 fractional bits beyond, therefore floors to the same integer.

Source: what `pow_ratio_scaled` of the `safe-bigmath` crate promises; the pool's balancer is its only user.
"""

from decimal import ROUND_FLOOR, Context, Decimal
from math import gcd

_EXACT_LIMIT = 8
_NEAR = Decimal("1e-50")
_CONTEXT = Context(prec=160, rounding=ROUND_FLOOR, Emax=10**9, Emin=-(10**9))


def _root_floor(numerator: int, denominator: int, degree: int) -> int:
    """Largest integer whose `degree`-th power times `denominator` does not exceed `numerator`."""
    if degree == 1:
        return numerator // denominator
    value = numerator // denominator
    if value == 0:
        return 0
    guess = 1 << -(-value.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better


def power_scaled(base: tuple[int, int], exponent: tuple[int, int], scale: int) -> int:
    """Floor of `(base[0]/base[1]) ** (exponent[0]/exponent[1]) * scale`.

    Args:
        base: numerator and denominator, neither negative, the denominator positive.
        exponent: numerator and denominator, neither negative, the denominator positive.
        scale: what the power is multiplied with before flooring.
    """
    base_num, base_den = base
    if base_num == 0:
        return 0
    common = gcd(*exponent)
    power, degree = exponent[0] // common, exponent[1] // common
    if power == 0:
        return scale
    if power <= _EXACT_LIMIT and degree <= _EXACT_LIMIT:
        return _root_floor(base_num**power * scale**degree, base_den**power, degree)
    if base_num == base_den:
        return scale
    logarithm = _CONTEXT.subtract(
        _CONTEXT.ln(Decimal(base_num)),
        _CONTEXT.ln(Decimal(base_den)),
    )
    raised = _CONTEXT.exp(_CONTEXT.divide(_CONTEXT.multiply(logarithm, Decimal(power)), Decimal(degree)))
    scaled = _CONTEXT.add(_CONTEXT.multiply(raised, Decimal(scale)), _NEAR)
    return int(scaled.to_integral_value(ROUND_FLOOR))
