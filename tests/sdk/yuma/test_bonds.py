"""Bonds: what their speed is, and what they tend to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.yuma import bonds
from subnetlab.yuma.bonds import BondRules
from subnetlab.yuma.fixed import I32F32, I64F64
from subnetlab.yuma.vectors import max_upscaled, weighted_median

ONE = I32F32.one
SHARES = st.integers(0, ONE)


def share(value: float) -> int:
    return int(value * ONE)


def test_alpha_is_what_the_moving_average_leaves() -> None:
    assert BondRules(moving_average=1_000_000).alpha == 0
    assert BondRules(moving_average=0).alpha == ONE
    stays = I32F32.convert(I64F64.ratio(900_000, 1_000_000), I64F64)
    assert BondRules(moving_average=900_000).alpha == ONE - stays


@given(st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=6), SHARES)
def test_average_lies_between_old_and_new(entries: list[tuple[int, int]], alpha: int) -> None:
    new = [[(j, value) for j, (value, _) in enumerate(entries)]]
    old = [[(j, value) for j, (_, value) in enumerate(entries)]]
    moved = dict(bonds.moved(new, old, alpha)[0])
    for j, (fresh, before) in enumerate(entries):
        assert min(fresh, before) - 2 <= moved.get(j, 0) <= max(fresh, before)


def test_a_bond_without_weight_fades_at_one_speed_but_is_dropped_at_its_own() -> None:
    old = [[(0, ONE)]]
    assert bonds.moved([[]], old, share(0.25)) == [[(0, ONE - share(0.25))]]
    assert bonds.moved_each([[]], old, [[]]) == [[]]


def test_equal_limits_make_liquid_alpha_one_speed() -> None:
    """Set-up of the chain's test_liquid_alpha_equal_values_against_itself."""
    weights = [
        [(1, share(0.1))],
        [(0, share(0.2)), (1, share(0.4)), (3, share(0.3))],
        [(0, share(0.1)), (2, share(0.4)), (3, share(0.5))],
    ]
    held = [
        [(1, share(0.1))],
        [(1, share(0.4)), (3, share(0.1))],
        [(0, share(0.1)), (2, share(0.4)), (3, share(0.2))],
    ]
    consensus = [share(c) for c in (0.3, 0.2, 0.1, 0.4)]
    rules = BondRules(
        liquid_alpha=True, alpha_low=65_535 // 10, alpha_high=65_535 // 10, moving_average=900_000
    )
    liquid = bonds.moved_each(weights, held, bonds.liquid_alphas(weights, held, consensus, rules))
    still = bonds.moved(weights, held, rules.alpha)
    for row, other in zip(liquid, still, strict=True):
        assert [j for j, _ in row] == [j for j, _ in other]
        for (_, one), (_, two) in zip(row, other, strict=True):
            assert one / ONE == pytest.approx(two / ONE, abs=1e-3)


@given(SHARES, SHARES, SHARES)
def test_liquid_alpha_stays_within_its_limits(weight: int, bond: int, consensus: int) -> None:
    rules = BondRules(liquid_alpha=True, alpha_low=6_553, alpha_high=19_660)
    ((entry,),) = bonds.liquid_alphas([[(0, weight)]], [[(0, bond)]], [consensus], rules)
    assert I32F32.ratio(6_553, 65_535) <= entry[1] <= I32F32.ratio(19_660, 65_535)


def test_speed_grows_with_distance_from_consensus_and_with_what_is_sold() -> None:
    rules = BondRules(liquid_alpha=True, alpha_low=6_553, alpha_high=58_982)

    def speed(weight: float, bond: float, consensus: float) -> int:
        matrix = bonds.liquid_alphas([[(0, share(weight))]], [[(0, share(bond))]], [share(consensus)], rules)
        return matrix[0][0][1]

    assert speed(0.9, 0.1, 0.1) > speed(0.9, 0.1, 0.5) > speed(0.9, 0.1, 0.9)
    assert speed(0.1, 0.9, 0.5) > speed(0.1, 0.5, 0.5) > speed(0.1, 0.2, 0.5)


@pytest.mark.parametrize(
    ("given_weights", "stored"),
    [
        ([], []),
        ([0], [0]),
        ([0, 0], [0, 0]),
        ([1], [65_535]),
        ([0, 1], [0, 65_535]),
        ([65_534], [65_535]),
        ([65_535, 65_535], [65_535, 65_535]),
        ([0, 1, 65_534], [0, 1, 65_535]),
        ([0, 1, 2, 3, 4, 65_533, 65_535], [0, 1, 2, 3, 4, 65_533, 65_535]),
        ([16_384], [65_535]),
        ([32_768], [65_535]),
        ([0, 1, 2, 32_768, 32_769], [0, 2, 4, 65_533, 65_535]),
    ],
)
def test_weights_are_stored_with_the_largest_at_the_top(given_weights: list[int], stored: list[int]) -> None:
    """Numbers of test_vec_u16_max_upscale_to_u16 and its neighbour in the chain's math tests."""
    assert max_upscaled(given_weights) == stored


@pytest.mark.parametrize(
    ("stake", "score", "majority", "median"),
    [
        ([], [], 0.51, 0.0),
        ([1.0], [1.0], 0.51, 1.0),
        ([0.49, 0.51], [0.5, 1.0], 0.51, 1.0),
        ([0.51, 0.49], [0.5, 1.0], 0.51, 0.5),
        ([0.49, 0.0, 0.51], [0.5, 0.7, 1.0], 0.51, 1.0),
        ([0.25, 0.25, 0.25, 0.25], [0.4, 0.1, 0.3, 0.2], 0.5, 0.3),
    ],
)
def test_weighted_median(stake: list[float], score: list[float], majority: float, median: float) -> None:
    """First rows as in test_math_weighted_median of the chain's math tests."""
    minority = share(1.0) - share(majority)
    assert weighted_median([share(s) for s in stake], [share(w) for w in score], minority) == share(median)
