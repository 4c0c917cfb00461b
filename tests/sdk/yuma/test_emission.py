"""What a block mints and how it is shared: halvings, prices, injections, cuts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.yuma import emission as rules
from subnetlab.yuma import stake
from subnetlab.yuma.emission import TOTAL_SUPPLY, AlphaSplit, Candidate, Gate
from subnetlab.yuma.fixed import I96F32, U64F64, U96F32

TAO = 10**9
TENTH = 65_535 // 10


@pytest.mark.parametrize(
    ("issued_tao", "rao"),
    [
        (0, TAO),
        (10_000_000, TAO),
        (10_499_999, TAO),
        (10_500_000, TAO // 2),
        (15_749_999, TAO // 2),
        (15_750_000, TAO // 4),
        (18_375_000, TAO // 8),
        (20_000_000, TAO // 16),
        (20_999_999, 59),
        (21_000_000, 0),
        (22_000_000, 0),
    ],
)
def test_halvings(issued_tao: int, rao: int) -> None:
    """Half at each half of what is left of 21 million; the last row before the end is 2^-24 of a TAO."""
    assert rules.block_emission(issued_tao * TAO) == rao


@given(st.integers(0, TOTAL_SUPPLY), st.integers(0, TOTAL_SUPPLY))
def test_emission_never_grows(one: int, two: int) -> None:
    low, high = sorted((one, two))
    assert rules.block_emission(low) >= rules.block_emission(high)


def price(value: float) -> int:
    return int(value * 2**64)


OPEN = Gate(bar=0)


def shares(*candidates: Candidate, gate: Gate = OPEN) -> list[float]:
    emitted = rules.subnet_emissions(candidates, TAO, gate)
    return [emitted[candidate.netuid] / U96F32.one / TAO for candidate in candidates]


def test_tao_follows_moving_prices() -> None:
    """Set-up of test_coinbase_tao_issuance_different_prices: prices 1 and 2 share one to two."""
    one, two = Candidate(netuid=1, moving_price=price(1)), Candidate(netuid=2, moving_price=price(2))
    assert shares(one, two) == pytest.approx([1 / 3, 2 / 3], rel=1e-9)


def test_what_is_withheld_from_miners_moves_tao_away() -> None:
    one = Candidate(netuid=1, moving_price=price(1), withheld=U96F32.one // 2)
    two = Candidate(netuid=2, moving_price=price(1))
    assert shares(one, two) == pytest.approx([1 / 3, 2 / 3], rel=1e-9)
    gone = Candidate(netuid=1, moving_price=price(1), withheld=U96F32.one)
    assert shares(gone, two) == pytest.approx([0, 1])
    assert shares(gone) == pytest.approx([1])  # nobody would get anything: prices alone decide


def test_disabled_subnets_leave_their_part_to_the_others() -> None:
    one = Candidate(netuid=1, moving_price=price(3), enabled=False)
    two = Candidate(netuid=2, moving_price=price(1))
    three = Candidate(netuid=3, moving_price=price(2))
    assert shares(one, two, three) == pytest.approx([0, 1 / 3, 2 / 3], rel=1e-9)
    assert shares(one) == [0]


def test_no_prices_no_tao() -> None:
    assert shares(Candidate(netuid=1, moving_price=0), Candidate(netuid=2, moving_price=0)) == [0, 0]
    assert rules.subnet_emissions([], TAO, OPEN) == {}


def test_the_gate_holds_back_the_small() -> None:
    """At the bar a subnet passes half, at twice the bar 8/9: 2·8/9 to 1/2."""
    one, two = Candidate(netuid=1, moving_price=price(1)), Candidate(netuid=2, moving_price=price(2))
    small, large = shares(one, two, gate=Gate(bar=price(1 / 3)))
    assert large / small == pytest.approx((2 * 8 / 9) / (1 / 2), rel=1e-6)
    assert small + large == pytest.approx(1, rel=1e-9)
    assert shares(one, gate=Gate(bar=price(1))) == [1]


def test_the_bar_is_the_share_of_a_rank_or_of_a_mass() -> None:
    ranked = [price(share) for share in (0.1, 0.4, 0.0, 0.2, 0.3)]
    assert rules.gate_bar(ranked, rank=2, quantile=0) == price(0.3)
    assert rules.gate_bar(ranked, rank=32, quantile=0) == price(0.1)
    assert rules.gate_bar(ranked, rank=0, quantile=price(0.65)) == price(0.3)
    assert rules.gate_bar(ranked, rank=0, quantile=2 * price(1)) == price(0.1)
    assert rules.gate_bar([0, 0], rank=32, quantile=0) == 0


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        netuid=st.integers(),
        moving_price=st.integers(0, 2**66),
        withheld=st.integers(0, U96F32.one),
        enabled=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda candidate: candidate.netuid,
)


GATES = st.builds(Gate, bar=st.integers(0, 2**64), exponent=st.integers(0, 8 * 2**64))


@given(CANDIDATES, st.integers(0, TAO), GATES)
def test_no_more_tao_is_shared_than_minted(candidates: list[Candidate], minted: int, gate: Gate) -> None:
    emitted = rules.subnet_emissions(candidates, minted, gate)
    assert all(part >= 0 for part in emitted.values())
    assert sum(emitted.values()) <= U96F32.of(minted)


def test_injection_at_the_price_while_root_is_large() -> None:
    """test_coinbase_subnet_terms_with_alpha_in_lte_alpha_emission: nothing is left over."""
    done = rules.injection(
        U96F32.of(TAO // 10), alpha_emission=TAO, price=price(0.25), root_part=U96F32.one // 2
    )
    assert (done.tao, done.alpha, done.excess_tao) == (TAO // 10, 4 * TAO // 10, 0)


def test_injection_capped_by_roots_part() -> None:
    """test_coinbase_subnet_terms_with_alpha_in_gt_alpha_emission: the cap's TAO goes in, the rest buys."""
    done = rules.injection(U96F32.of(TAO), alpha_emission=TAO, price=price(0.25), root_part=U96F32.one // 2)
    assert (done.tao, done.alpha, done.excess_tao) == (TAO // 8, TAO // 2, TAO - TAO // 8)


def test_without_root_stake_all_tao_buys() -> None:
    done = rules.injection(U96F32.of(TAO), alpha_emission=TAO, price=price(0.5), root_part=0)
    assert (done.tao, done.alpha, done.excess_tao) == (0, 0, TAO)


def test_split_without_root() -> None:
    """Owner cut 10 %, then halves: set-up of test_coinbase_emit_to_subnets_with_no_root_sell."""
    split = rules.split_alpha(TAO, owner_cut=TENTH, root_part=0)
    assert split.owner == pytest.approx(TAO / 10, abs=10**4)
    assert split.miners == split.validators == pytest.approx((TAO - split.owner) / 2, abs=1)
    assert split.root == 0


def test_split_with_root_takes_from_validators() -> None:
    split = rules.split_alpha(TAO, owner_cut=0, root_part=U96F32.one // 4)
    assert split == AlphaSplit(owner=0, miners=TAO // 2, validators=3 * TAO // 8, root=TAO // 8)


@given(st.integers(0, TAO), st.integers(0, 65_535), st.integers(0, U96F32.one))
def test_split_loses_less_than_four(alpha: int, cut: int, root_part: int) -> None:
    split = rules.split_alpha(alpha, owner_cut=cut, root_part=root_part)
    parts = (split.owner, split.miners, split.validators, split.root)
    assert all(part >= 0 for part in parts)
    assert alpha - 4 <= sum(parts) <= alpha


def test_root_share() -> None:
    weight = U96F32.one // 2
    assert rules.root_share(100, weight, 150) == U96F32.one // 4
    assert rules.root_share(0, weight, 150) == 0
    assert rules.root_share(0, weight, 0) == 0


@pytest.mark.parametrize(
    ("alpha_in", "alpha_out", "part"),
    [
        (3_508_759_482_573_826, 2_571_524_969_828_018, 597_083_756),
        (435_539_509_978_376, 632_050_054_521_477, 2_057_545_551),
    ],
)
def test_root_share_of_mainnet(alpha_in: int, alpha_out: int, part: int) -> None:
    """`RootProp` of subnets 1 and 92 of finney at block 9,240,388 (spec 475)."""
    root_tao, weight = 5_454_229_642_958_192, stake.tao_weight(3_320_413_933_267_719_290)
    assert rules.root_share(root_tao, weight, alpha_in + alpha_out) == part


def moved(blocks: int, previous: float = 0.0, now: float = 1.0) -> float:
    bits = rules.moving_price(
        int(previous * I96F32.one), price(now),
        smoothing=I96F32.one // 2, blocks_since_start=blocks, halving_blocks=201_600,
    )  # fmt: skip
    return bits / I96F32.one


def test_moving_price_starts_slowly() -> None:
    """test_update_moving_price_initial and _after_time: under 0.001 at once, near 0.5 after years."""
    assert moved(11) < 0.001
    assert moved(144_000_001) == pytest.approx(0.5, abs=0.001)
    assert moved(0, previous=0.25) == 0.25


def test_moving_price_counts_a_price_above_one_as_one() -> None:
    assert moved(10**9, now=50.0) == pytest.approx(moved(10**9), abs=1e-9)


@pytest.mark.parametrize(
    ("alpha", "count", "split", "parts"),
    [
        (1_000, 2, None, [500, 500]),
        (1_000, 3, None, [334, 333, 333]),
        (65_535, 2, [1, 65_534], [1, 65_534]),
        (1_000, 2, [65_535], [1_000, 0]),
        (1_000, 1, [100, 200, 300], [1_000]),
        (0, 2, None, [0, 0]),
    ],
)
def test_mechanisms_share_everything(
    alpha: int, count: int, split: list[int] | None, parts: list[int]
) -> None:
    """Even split and remainder as in split_emissions_even_division and _rounding_to_first."""
    assert rules.split_mechanisms(alpha, count, split) == parts


def test_price_bits_are_u64f64() -> None:
    assert price(1) == U64F64.one
    assert stake.tao_weight(2**64 - 1) == U96F32.one
