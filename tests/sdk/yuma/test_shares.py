"""Share pools: decimal floats with the chain's digits, and stakes that survive large emissions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.yuma.shares import MANTISSA_MAX, Shares, shares_for, stake_of


class SharePool:
    """One hotkey's pool in memory, moved only by the functions under test."""

    def __init__(self) -> None:
        self.value, self.outstanding, self.held = 0, Shares(), dict[str, Shares]()

    def add(self, who: str, amount: int) -> None:
        bought = shares_for(amount, value=self.value, outstanding=self.outstanding)
        self.held[who] = self.held.get(who, Shares()) + bought
        self.outstanding += bought
        self.value += amount

    def take(self, who: str, amount: int) -> None:
        sold = shares_for(amount, value=self.value, outstanding=self.outstanding)
        self.held[who] -= sold
        self.outstanding -= sold
        self.value -= amount

    def of(self, who: str) -> int:
        return stake_of(self.held[who], value=self.value, outstanding=self.outstanding)


@pytest.mark.parametrize(
    ("mantissa", "exponent", "normal"),
    [
        (1, 0, (10**21, -21)),
        (0, 5, (0, 0)),
        (10, 0, (10**21, -20)),
        (10**20, 0, (10**21, -1)),
        (MANTISSA_MAX, 0, (MANTISSA_MAX, 0)),
    ],
)
def test_normal_form(mantissa: int, exponent: int, normal: tuple[int, int]) -> None:
    """Numbers of test_safefloat_normalize in the share-pool crate."""
    made = Shares.of(mantissa, exponent)
    assert (made.mantissa, made.exponent) == normal


@pytest.mark.parametrize(
    ("left", "right", "total"),
    [
        ((1, 0), (1, 0), (2 * 10**20, -20)),
        ((0, 0), (1, -1), (10**21, -22)),
        ((1, -1000), (1, -1), (10**21, -22)),
        ((MANTISSA_MAX, 0), (MANTISSA_MAX, 0), (2 * 10**20, 1)),
        ((1, 0), (1, 22), (10**21, 1)),
        ((123, 1), (1, 23), (100_000_000_000_000_000_001, 3)),
        ((10**21 - 1, 0), (1, 22), (109_999_999_999_999_999_999, 2)),
        ((999_999, 1), (1, 23), (100_000_000_000_000_009_999, 3)),
        ((1, 24), (123_456_789_012_345_678_901, 0), (100_012_345_678_901_234_567, 4)),
        ((10**21 - 1, 22), (1, 22), (10**21, 22)),
    ],
)
def test_sums(left: tuple[int, int], right: tuple[int, int], total: tuple[int, int]) -> None:
    """Numbers of test_safefloat_add in the share-pool crate, both ways round."""
    one, two = Shares.of(*left), Shares.of(*right)
    assert one + two == two + one == Shares(*total)


def test_one_rao_survives_a_million_alpha() -> None:
    """test_denom_high_precision of the share-pool crate."""
    pool = SharePool()
    pool.add("one", 1)
    pool.add("two", 1)
    pool.value += 999_999_999_999_998
    pool.take("one", 499_999_999_999_990)
    pool.take("two", 499_999_999_999_990)
    pool.value += 999_999_999_999_980
    pool.add("one", 10**12)
    pool.add("two", 10**12)
    assert pool.of("one") == pytest.approx(501 * 10**12, abs=1)
    assert pool.of("two") == pytest.approx(501 * 10**12, abs=1)


def test_many_small_withdrawals() -> None:
    """test_denom_high_precision_many_small_unstakes of the share-pool crate."""
    pool = SharePool()
    pool.add("one", 1)
    pool.add("two", 1)
    pool.value += 10**15
    for _ in range(1000):
        pool.take("one", 500_000_000)
        pool.take("two", 500_000_000)
    pool.value += 10**15
    pool.add("one", 10**12)
    pool.add("two", 10**12)
    expected = 1_001_000_000_000_000 - 1000 * 500_000_000
    assert pool.of("one") == pytest.approx(expected, abs=1)
    assert pool.of("two") == pytest.approx(expected, abs=1)


def test_an_empty_pool_holds_nothing() -> None:
    assert stake_of(Shares.of(5), value=0, outstanding=Shares()) == 0
    assert shares_for(10, value=0, outstanding=Shares.of(7)) == Shares()


MOVES = st.lists(
    st.tuples(st.sampled_from(["add", "take", "reward"]), st.sampled_from("abc"), st.integers(1, 10**15)),
    max_size=25,
)


@given(MOVES)
def test_stakes_never_exceed_the_pool_and_lose_only_crumbs(moves: list[tuple[str, str, int]]) -> None:
    pool = SharePool()
    pool.add("a", 10**9)
    for kind, who, amount in moves:
        if kind == "add":
            pool.add(who, amount)
        elif kind == "reward":
            pool.value += amount
        elif who in pool.held and pool.of(who) >= amount:
            pool.take(who, amount)
        total = sum(pool.of(name) for name in pool.held)
        assert total <= pool.value + len(pool.held)
        assert total >= pool.value - len(pool.held) - 1


@given(st.integers(1, 10**16), st.integers(1, 10**16), st.integers(0, 10**16))
def test_a_reward_is_shared_by_stake(first: int, second: int, reward: int) -> None:
    pool = SharePool()
    pool.add("first", first)
    pool.add("second", second)
    pool.value += reward
    assert pool.of("first") == pytest.approx(first + reward * first // (first + second), abs=2)
