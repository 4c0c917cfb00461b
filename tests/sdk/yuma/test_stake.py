"""Stake weight and family pay: what parents lend comes back as dividends, and nothing is made of nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.yuma import stake
from subnetlab.yuma.fixed import I64F64, U96F32
from subnetlab.yuma.stake import Earner, Parent, Validator

WHOLE = 2**64 - 1
STAKES = st.integers(0, 10**16)
WEIGHT = stake.tao_weight(971_718_665_099_567_868)


def test_default_tao_weight() -> None:
    assert WEIGHT / U96F32.one == pytest.approx(0.0527, abs=1e-4)


def test_stake_weight_adds_weighted_tao() -> None:
    half = U96F32.one // 2
    assert I64F64.to_int(stake.stake_weight(1_000, 500, half)) == 1_250
    assert stake.stake_weight(1_000, 1, half) == I64F64.of(1_000) + I64F64.one // 2


def test_inheritance_moves_stake() -> None:
    assert stake.inherited(1_000, [], []) == 1_000
    assert stake.inherited(1_000, [WHOLE], []) == 0
    assert stake.inherited(1_000, [WHOLE // 4], [(WHOLE // 2, 600)]) == pytest.approx(1_050, abs=2)


@given(STAKES, st.lists(st.integers(0, WHOLE), max_size=5))
def test_what_children_inherit_is_what_the_parent_gave(own: int, weights: list[int]) -> None:
    total = sum(weights)
    given_parts = [part * WHOLE // total for part in weights] if total else []
    left = stake.inherited(own, given_parts, [])
    received = [stake.inherited(0, [], [(part, own)]) for part in given_parts]
    # Proportions keep 32 fractional bits, so each child may miss own / 2^32 and a rao.
    crumbs = len(given_parts) * (own // 2**32 + 2)
    assert own - crumbs <= left + sum(received) <= own + 1


def parent(proportion: int, alpha: int, *, same_owner: bool = False) -> Parent:
    return Parent(hotkey="parent", proportion=proportion, alpha=alpha, root=0, same_owner=same_owner)


def test_without_parents_all_pay_is_kept() -> None:
    pay = stake.family_pay(1_000, Validator(alpha=5, root=5), weight=WEIGHT, burn=0)
    assert (pay.own, pay.parents, pay.burned) == (1_000, (), 0)


def test_parents_are_paid_by_what_they_lent() -> None:
    who = Validator(alpha=100, root=0, parents=(parent(WHOLE, 300),))
    pay = stake.family_pay(1_000, who, weight=WEIGHT, burn=0)
    assert (pay.own, pay.parents) == (250, (("parent", 750),))


def test_a_child_takes_its_take_from_strangers_only() -> None:
    strangers = Validator(alpha=0, root=0, parents=(parent(WHOLE, 300),), take=65_535 // 10)
    pay = stake.family_pay(1_000_000, strangers, weight=WEIGHT, burn=0)
    assert pay.own == pytest.approx(100_000, abs=20)
    family = Validator(alpha=0, root=0, parents=(parent(WHOLE, 300, same_owner=True),), take=65_535 // 10)
    pay = stake.family_pay(1_000_000, family, weight=WEIGHT, burn=0)
    assert pay.parents == (("parent", 1_000_000),)


def test_part_of_strangers_pay_is_burned() -> None:
    who = Validator(alpha=0, root=0, parents=(parent(WHOLE, 300),))
    pay = stake.family_pay(1_000, who, weight=WEIGHT, burn=WHOLE // 2)
    assert (pay.own, pay.parents, pay.burned) == (0, (("parent", 500),), 499)


PARENTS = st.lists(
    st.builds(
        Parent,
        hotkey=st.text(max_size=3),
        proportion=st.integers(0, WHOLE),
        alpha=STAKES,
        root=STAKES,
        same_owner=st.booleans(),
    ),
    max_size=4,
).map(tuple)


@given(
    st.integers(0, 10**15),
    st.builds(
        Validator,
        alpha=STAKES,
        root=STAKES,
        given=st.lists(st.integers(0, WHOLE // 5), max_size=5).map(tuple),
        parents=PARENTS,
        take=st.integers(0, 11_796),
    ),
    st.integers(0, WHOLE // 5),
)
def test_family_pay_is_conserved(dividends: int, who: Validator, burn: int) -> None:
    pay = stake.family_pay(dividends, who, weight=WEIGHT, burn=burn)
    paid = [pay.own, pay.burned, *(amount for _, amount in pay.parents)]
    assert all(amount >= 0 for amount in paid)
    assert dividends - 2 * len(who.parents) - 1 <= sum(paid) <= dividends


def test_dividends_split_by_alpha_and_root() -> None:
    """Set-up of test_calculate_dividend_distribution_totals: both pots are shared out completely."""
    earners = [
        Earner(hotkey="one", dividends=77_783_738, alpha=4_859_302, root=2_342_352),
        Earner(hotkey="two", dividends=19_283_940, alpha=23_423, root=859_273),
    ]
    weight = int(0.18 * U96F32.one)
    alpha, root = 183_123_567_452, 837_120_949_872
    shared = stake.shared_dividends(earners, alpha=alpha, root=root, weight=weight)
    assert U96F32.to_int(sum(a for _, a, _ in shared)) == pytest.approx(alpha, abs=1_000)
    assert U96F32.to_int(sum(r for _, _, r in shared)) == pytest.approx(root, abs=1_000)


@given(
    st.lists(
        st.builds(
            Earner, hotkey=st.text(max_size=2), dividends=st.integers(0, 10**15), alpha=STAKES, root=STAKES
        ),
        max_size=6,
    ),
    st.integers(0, 10**15),
    st.integers(0, 10**15),
)
def test_dividends_are_never_more_than_the_pots(earners: list[Earner], alpha: int, root: int) -> None:
    shared = stake.shared_dividends(earners, alpha=alpha, root=root, weight=WEIGHT)
    assert sum(part for _, part, _ in shared) <= U96F32.of(alpha)
    assert sum(part for _, _, part in shared) <= U96F32.of(root)
    assert all(a >= 0 and r >= 0 for _, a, r in shared)
