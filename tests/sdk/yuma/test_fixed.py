"""Fixed-point arithmetic against exact fractions: floor, truncate, saturate where the runtime does."""

import math
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subnetlab.yuma.fixed import I32F32, I64F64, I96F32, U64F64, U96F32, Format, exp, exp_bounded, floor_log2
from subnetlab.yuma.powers import power_scaled

FORMATS = [I32F32, I64F64, I96F32, U64F64, U96F32]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Format, int, int]:
    kind = draw(st.sampled_from(FORMATS))
    bits = st.integers(kind.minimum, kind.maximum)
    near = st.integers(max(kind.minimum, -(1 << 40)), 1 << 40)
    return kind, draw(bits | near), draw(bits | near)


def saturated(kind: Format, exact: Fraction) -> int:
    return max(kind.minimum, min(kind.maximum, math.floor(exact)))


@given(pairs())
def test_sums_and_products_floor_and_saturate(pair: tuple[Format, int, int]) -> None:
    kind, left, right = pair
    a, b = kind.fraction(left), kind.fraction(right)
    assert kind.add(left, right) == saturated(kind, (a + b) * kind.one)
    assert kind.sub(left, right) == saturated(kind, (a - b) * kind.one)
    assert kind.mul(left, right) == saturated(kind, a * b * kind.one)


@given(pairs())
def test_quotients_truncate_and_vanish_where_impossible(pair: tuple[Format, int, int]) -> None:
    kind, left, right = pair
    if right == 0:
        assert kind.div(left, right) == 0
        return
    exact = math.trunc(Fraction(left, right) * kind.one)
    fits = kind.minimum <= exact <= kind.maximum
    assert kind.div(left, right) == (exact if fits else 0)
    assert kind.saturating_div(left, right) == max(kind.minimum, min(kind.maximum, exact))


@given(pairs(), st.sampled_from(FORMATS))
def test_conversion_floors_and_saturates(pair: tuple[Format, int, int], target: Format) -> None:
    source, bits, _ = pair
    assert target.convert(bits, source) == saturated(target, source.fraction(bits) * target.one)


@given(pairs())
def test_integers_saturate_at_both_ends(pair: tuple[Format, int, int]) -> None:
    kind, bits, _ = pair
    value = kind.fraction(bits)
    assert kind.to_int(bits, 16) == max(0, min(65_535, math.floor(value)))
    assert kind.rounded(bits, 16) == max(0, min(65_535, math.floor(value + Fraction(1, 2))))


def test_integers_become_bits() -> None:
    assert I32F32.of(3) == 3 << 32
    assert I32F32.of(2**40) == I32F32.maximum == 2**63 - 1
    assert I32F32.of(-(2**40)) == I32F32.minimum == -(2**63)
    assert U64F64.of(-1) == 0
    assert U96F32.ratio(1, 3) == 2**32 // 3


@pytest.mark.parametrize("power", [-20, -7.25, -1, -0.5, 0.125, 0.5, 2, 5.75, 8])
def test_exponential_is_close(power: float) -> None:
    """Thirty-one terms are the runtime's whole series: enough up to 8, off by 0.3 % at 20."""
    value = exp(I32F32, int(power * I32F32.one))
    assert value is not None
    assert value / I32F32.one == pytest.approx(math.exp(power), rel=1e-7, abs=2**-31)


def test_exponential_of_one_has_the_runtimes_short_constant() -> None:
    assert exp(I32F32, I32F32.one) == 22_802_600 << 9
    assert exp(I32F32, 0) == I32F32.one


def test_exponential_is_bounded_at_twenty() -> None:
    twenty = I32F32.of(20)
    assert exp(I32F32, I32F32.of(22)) is None
    assert exp_bounded(I32F32, I32F32.maximum) == exp(I32F32, twenty)
    assert exp_bounded(I32F32, I32F32.minimum) == exp(I32F32, -twenty)


@given(st.integers(1, 2**32))
def test_logarithm_of_whole_numbers(number: int) -> None:
    bits = I96F32.of(number)
    assert floor_log2(I96F32, bits) == number.bit_length() - 1


def test_halving_rounds_up_in_the_logarithm() -> None:
    just_below_four = I96F32.of(4) - 1
    assert floor_log2(I96F32, just_below_four) == 2
    assert floor_log2(I96F32, just_below_four - 4) == 1


SMALL = st.integers(1, 10**6)


@given(SMALL, SMALL, st.integers(1, 12), st.integers(1, 12))
@example(num=36723, den=1, power=9, degree=1)  # a whole number of 60 digits after scaling
@example(num=10**6, den=1, power=12, degree=1)
def test_powers_with_small_exponents_are_exact(num: int, den: int, power: int, degree: int) -> None:
    scale = 10**18
    result = power_scaled((num, den), (power, degree), scale)
    base = Fraction(num, den) ** power
    assert Fraction(result, scale) ** degree <= base < Fraction(result + 1, scale) ** degree


@given(st.integers(1, 2**63), st.integers(1, 2**63), st.integers(10**16, 99 * 10**16))
def test_powers_with_any_weight_agree_with_exact_neighbours(num: int, den: int, weight: int) -> None:
    """A power grows with its exponent where the base is below one; exact roots on both sides hold it."""
    num, den = min(num, den), max(num, den)
    scale = whole = 10**18
    below = weight * 8 // whole
    result = power_scaled((num, den), (weight, whole), scale)
    assert power_scaled((num, den), (below + 1, 8), scale) <= result
    assert result <= power_scaled((num, den), (below, 8), scale)


@pytest.mark.parametrize(("power", "degree"), [(1, 9), (9, 1), (10, 11), (50, 49), (1, 1_000)])
def test_exact_roots_are_not_floored_away(power: int, degree: int) -> None:
    base = (2**degree, 3**degree)
    assert power_scaled(base, (power, degree), 3**power) == 2**power


def test_power_of_the_chain() -> None:
    """`test_perquintill_power` of the swap pallet's balancer: (21/28)^1.5 to eighteen digits."""
    base = (21_000_000_000_000_000, 28_000_000_000_000_000)
    assert power_scaled(base, (6 * 10**17, 4 * 10**17), 10**18) == 649_519_052_838_328_985


def test_degenerate_powers() -> None:
    assert power_scaled((0, 7), (1, 2), 10**18) == 0
    assert power_scaled((3, 7), (0, 5), 10**18) == 10**18
    assert power_scaled((7, 7), (123_456_789, 10**18), 10**18) == 10**18
