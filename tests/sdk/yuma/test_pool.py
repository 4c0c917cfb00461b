"""The weighted pool: the chain's own numbers, and no trade takes more than the invariant allows."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from subnetlab.yuma import pool as pools
from subnetlab.yuma.fixed import U64F64
from subnetlab.yuma.pool import MIN_WEIGHT, WEIGHT_UNIT, Pool, Swap, SwapError

HALF = WEIGHT_UNIT // 2
RESERVES = st.integers(10**9, 10**16)
WEIGHTS = st.integers(MIN_WEIGHT, WEIGHT_UNIT - MIN_WEIGHT)


def value(bits: int) -> float:
    return bits / 2**64


def bits(number: float) -> int:
    return int(number * 2**64)


@pytest.mark.parametrize("tao_weight", [0.1, 0.49999999, 0.5, 0.50000001, 0.9])
@pytest.mark.parametrize(("tao", "alpha"), [(1500, 1000), (1, 1_000_000), (1_000_000, 1)])
@pytest.mark.parametrize("offered", [1, 10_000, 1_000_000, 2**64 - 1])
def test_trades_of_the_chain(tao: int, alpha: int, tao_weight: float, offered: int) -> None:
    """Grid and tolerance (2) of test_convert_deltas in the swap pallet's tests."""
    pool = Pool(tao=tao, alpha=alpha, tao_weight=round(tao_weight * 10**9) * 10**9)
    sold = tao * (1 - (alpha / (alpha + offered)) ** ((1 - tao_weight) / tao_weight))
    bought = alpha * (1 - (tao / (tao + offered)) ** (tao_weight / (1 - tao_weight)))
    assert pools.tao_for_alpha(pool, offered) == pytest.approx(int(sold), abs=2)
    assert pools.alpha_for_tao(pool, offered) == pytest.approx(int(bought), abs=2)


@pytest.mark.parametrize(
    ("tao_weight", "reserve", "entering", "sells", "stays"),
    [
        (5 * 10**17, 100_000, 100, True, 0.999000999000999),
        (25 * 10**16, 500_000, 5_000, True, 0.970590147927644),
        (75 * 10**16, 200_000, 2_000, False, 0.970590147927644),
        (9 * 10**17, 13_513_642, 1_673, False, 0.998886481979889),
        (773 * 10**15, 7_000_000_000, 10_000, True, 0.999999580484586),
    ],
)
def test_what_stays_in_the_pool(
    tao_weight: int, reserve: int, entering: int, sells: bool, stays: float
) -> None:
    """Numbers of test_exp_scaled in the balancer's tests, read off the payment from a large other reserve."""
    other = 10**18
    pool = Pool(tao=other if sells else reserve, alpha=reserve if sells else other, tao_weight=tao_weight)
    paid = (pools.tao_for_alpha if sells else pools.alpha_for_tao)(pool, entering)
    assert 1 - paid / other == pytest.approx(stays, abs=1e-9)


def test_fee_of_one_tao() -> None:
    """A buy of 1 TAO at the default rate pays 503,547 rao of fee, as mainnet does."""
    assert pools.fee_of(10**9) == 503_547
    done = pools.buy(Pool(tao=10**13, alpha=10**13), 10**9)
    assert isinstance(done, Swap)
    assert (done.taken, done.fee) == (999_496_453, 503_547)


SN1 = Pool(tao=23_027_286_571_256, alpha=3_508_759_482_573_826, tao_weight=499_999_996_087_712_508)
SN92 = Pool(tao=587_199_047_950, alpha=435_539_509_978_376, tao_weight=499_999_964_641_764_870)


def bought(pool: Pool, tao: int) -> tuple[int, int]:
    done = pools.buy(pool, tao)
    assert isinstance(done, Swap)
    return done.paid, done.fee


def test_quotes_of_mainnet() -> None:
    """Pools 1 and 92 of finney at block 9,240,388 (spec 475), and what its `sim_swap` answered there.

    Their weights have left one half, so these hold the powers to the last rao.
    """
    rao = U64F64.of(10**9)
    assert U64F64.to_int(U64F64.mul(SN1.price, rao)) == 6_562_800
    assert bought(SN1, 10**9) == (152_290_647_774, 503_547)
    assert U64F64.to_int(U64F64.mul(SN92.price, rao)) == 1_348_210
    assert bought(SN92, 10**10) == (7_289_425_629_146, 5_035_477)
    assert bought(SN92, 10**11) == (63_351_665_005_924, 50_354_772)
    sold = pools.sell(SN92, 10**12)
    assert isinstance(sold, Swap)
    assert sold.paid == 1_344_446_749


def test_constant_product_by_hand() -> None:
    """At equal weights a fee-less buy of dy from (y, x) pays x·dy/(y+dy)."""
    done = pools.buy(Pool(tao=1_000_000, alpha=4_000_000), 250_000, fee_rate=0)
    assert isinstance(done, Swap)
    assert done.paid == 800_000
    assert done.after == Pool(tao=1_250_000, alpha=3_200_000)


@pytest.mark.parametrize(
    ("tao_weight", "price"), [(HALF, 2.5), (WEIGHT_UNIT // 4, 7.5), (4 * 10**17, 3.75), (8 * 10**17, 0.625)]
)
def test_price_is_the_weighted_ratio(tao_weight: int, price: float) -> None:
    assert value(Pool(tao=10, alpha=4, tao_weight=tao_weight).price) == pytest.approx(price, rel=1e-15)


def test_price_of_an_empty_pool() -> None:
    assert Pool(tao=5, alpha=0).price == 0
    assert Pool(tao=0, alpha=5).price == 0


def test_a_limit_stops_a_buy_where_the_price_gets_there() -> None:
    """test_calculate_quote_delta_in: y·((p'/p)^0.75 - 1) with w_alpha 0.75, price 0.1 to 0.2."""
    pool = Pool(tao=10**9, alpha=3 * 10**10, tao_weight=WEIGHT_UNIT // 4)
    assert value(pool.price) == pytest.approx(0.1)
    done = pools.buy(pool, 10**11, fee_rate=0, limit=bits(0.2))
    assert isinstance(done, Swap)
    assert done.taken == int(10**9 * (2**0.75 - 1))
    assert value(done.after.price) == pytest.approx(0.2, rel=1e-8)


def test_a_limit_stops_a_sale_where_the_price_gets_there() -> None:
    """test_calculate_base_delta_in: x·((p/p')^0.25 - 1) with w_tao 0.25, price 0.2 to 0.1."""
    pool = Pool(tao=66_666_667, alpha=10**9, tao_weight=WEIGHT_UNIT // 4)
    done = pools.sell(pool, 10**11, fee_rate=0, limit=bits(0.1))
    assert isinstance(done, Swap)
    assert done.taken == pytest.approx(10**9 * (2**0.25 - 1), rel=1e-7)
    assert value(done.after.price) == pytest.approx(0.1, rel=1e-7)


def test_fee_on_a_limited_trade_is_of_the_part_that_got_in() -> None:
    pool = Pool(tao=10**12, alpha=10**12)
    done = pools.buy(pool, 10**12, limit=pools.price_limit(1_100_000_000))
    assert isinstance(done, Swap)
    assert done.taken + done.fee < 10**12
    assert done.fee == pytest.approx(pools.fee_of(done.taken + done.fee), abs=1)


def test_refusals_have_the_pallets_names() -> None:
    pool = Pool(tao=10**9, alpha=10**9)
    one = U64F64.one
    assert pools.buy(pool, 10**6, limit=one) is SwapError.PRICE_LIMIT_EXCEEDED
    assert pools.sell(pool, 10**6, limit=one) is SwapError.PRICE_LIMIT_EXCEEDED
    assert pools.buy(pool, 10**12 + 1, fee_rate=0) is SwapError.SWAP_INPUT_TOO_LARGE
    assert isinstance(pools.buy(pool, 10**12, fee_rate=0), Swap)
    assert pools.sell(Pool(tao=999_999, alpha=10**9), 10**6) is SwapError.RESERVES_TOO_LOW
    assert pools.buy(Pool(tao=10**9, alpha=10**6), 1, fee_rate=0) is SwapError.RESERVES_TOO_LOW


@given(RESERVES, RESERVES, WEIGHTS, st.integers(0, 10**16))
def test_a_trade_never_lowers_the_invariant(tao: int, alpha: int, weight: int, offered: int) -> None:
    """x^w_alpha · y^w_tao does not fall: nobody takes out more than the pool sells."""
    pool = Pool(tao=tao, alpha=alpha, tao_weight=weight)
    for done in (pools.buy(pool, offered, fee_rate=0), pools.sell(pool, offered, fee_rate=0)):
        if isinstance(done, SwapError):
            continue
        after, share = done.after, weight / WEIGHT_UNIT
        grown = share * math.log(after.tao / tao) + (1 - share) * (
            math.log(after.alpha / alpha) if after.alpha else -math.inf
        )
        assert after.alpha == 0 or grown >= -1e-9
        assert done.paid >= 0


@given(RESERVES, RESERVES, WEIGHTS, st.integers(10**3, 10**12))
def test_there_and_back_never_gains(tao: int, alpha: int, weight: int, offered: int) -> None:
    there = pools.buy(Pool(tao=tao, alpha=alpha, tao_weight=weight), offered)
    assume(isinstance(there, Swap))
    assert isinstance(there, Swap)
    back = pools.sell(there.after, there.paid)
    assert isinstance(back, SwapError) or back.paid <= there.taken


@given(RESERVES, RESERVES, WEIGHTS, st.integers(0, 10**12), st.integers(0, 10**12))
def test_an_injection_leaves_the_price_alone(
    tao: int, alpha: int, weight: int, tao_in: int, alpha_in: int
) -> None:
    pool = Pool(tao=tao, alpha=alpha, tao_weight=weight)
    grown = pool.injected(tao_in, alpha_in)
    if grown is None:
        return
    assert (grown.tao, grown.alpha) == (tao + tao_in, alpha + alpha_in)
    assert grown.price / pool.price == pytest.approx(1.0, rel=1e-12)


def test_an_injection_that_would_tip_the_weights_is_refused() -> None:
    assert Pool(tao=10**9, alpha=10**9).injected(10**12, 0) is None
    empty = Pool(tao=0, alpha=0).injected(0, 5)
    assert empty == Pool(tao=0, alpha=5)


@pytest.mark.parametrize(
    ("tao_in", "alpha_in"),
    [(0, 1), (1, 0), (10**9, 0), (0, 10**12), (10**12, 10**12), (1_234_567, 2_432_765_890)],
)
def test_injections_of_the_chain(tao_in: int, alpha_in: int) -> None:
    """Cases and tolerance of test_adjust_protocol_liquidity_happy in the swap pallet's tests."""
    pool = Pool(tao=10**12, alpha=4 * 10**12)
    grown = pool.injected(tao_in, alpha_in)
    assert grown is not None
    expected = grown.tao / (grown.alpha * 0.25 + grown.tao)
    assert grown.tao_weight / WEIGHT_UNIT == pytest.approx(expected, rel=1e-12)


@given(RESERVES, RESERVES, st.floats(0.05, 20))
def test_a_pool_can_be_made_at_a_price(tao: int, alpha: int, times: float) -> None:
    price = bits(tao / alpha * times)
    pool = pools.pool_at_price(tao=tao, alpha=alpha, price=price)
    assert pool is not None
    assert pool.price / price == pytest.approx(1.0, rel=1e-6)


def test_no_weights_make_an_extreme_price() -> None:
    assert pools.pool_at_price(tao=1, alpha=10**9, price=U64F64.one) is None
    assert pools.pool_at_price(tao=0, alpha=0, price=U64F64.one) is None
