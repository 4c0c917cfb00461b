"""Yuma against the numbers of the chain's own tests, and against what must hold for any subnet."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subnetlab.yuma import vectors
from subnetlab.yuma.bonds import BondRules
from subnetlab.yuma.epoch import Epoch, EpochInput, EpochRules, Neuron, run_epoch
from subnetlab.yuma.fixed import I32F32, I64F64

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "yuma_epochs.json").read_text(encoding="utf-8"))
SCENARIOS = {scenario["name"]: scenario for scenario in GOLDEN["scenarios"]}
ONE = I32F32.one
U16 = 65_535


class Subnet:
    """Neurons that live from epoch to epoch, as storage keeps them."""

    def __init__(self, stakes: list[int], rules: EpochRules, *, tempo: int, registered_at: int = 0) -> None:
        self.rules, self.tempo = rules, tempo
        self.neurons = [
            Neuron(stake=I64F64.of(s), last_update=registered_at, registered_at=registered_at) for s in stakes
        ]

    def change(self, uid: int, **values: Any) -> None:
        self.neurons[uid] = replace(self.neurons[uid], **values)

    def set_weights(self, uid: int, row: list[tuple[int, int]], block: int) -> None:
        scaled = vectors.max_upscaled([weight for _, weight in row])
        columns = [j for j, _ in row]
        self.change(uid, weights=tuple(zip(columns, scaled, strict=True)), last_update=block)

    def epoch(self, block: int, emission: int = 10**9, owner_uid: int | None = None) -> Epoch:
        result = run_epoch(
            EpochInput(
                block=block, fresh_since=max(0, block - self.tempo), emission=emission,
                neurons=tuple(self.neurons), rules=self.rules, owner_uid=owner_uid,
            )
        )  # fmt: skip
        for uid, (permit, bonds) in enumerate(zip(result.new_permits, result.stored_bonds, strict=True)):
            self.change(uid, permit=permit, bonds=bonds)
        return result


def bond(epoch: Epoch, uid: int, column: int) -> int:
    return dict(epoch.stored_bonds[uid]).get(column, 0)


def check(epoch: Epoch, expected: dict[str, Any]) -> None:
    if "emission" in expected:
        assert epoch.emission == expected["emission"]
    if "dividends" in expected:
        assert vectors.u16_shares(epoch.dividends) == expected["dividends"]
    for uid, column, value in expected.get("bonds", ()):
        assert bond(epoch, uid, column) == value
    for uid, column, share in expected.get("bond_shares", ()):
        assert bond(epoch, uid, column) / U16 == pytest.approx(share, abs=expected["near"])
    for share, near in zip(epoch.dividends, expected.get("dividend_shares", ()), strict=False):
        assert share / ONE == pytest.approx(near, abs=expected["near"])
    for name, numbers in expected.get("tenth_digit", {}).items():
        # The traces print ten decimals, cut or rounded, of numbers with 32 fractional bits.
        assert [bits / ONE for bits in getattr(epoch, name)] == pytest.approx(numbers, abs=2.5e-10), name


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios_of_the_chain(name: str) -> None:
    scenario = SCENARIOS[name]
    rules = EpochRules(**scenario["rules"], bonds=BondRules(**scenario["bond_rules"]))
    subnet = Subnet(
        scenario["stakes"], rules, tempo=scenario["tempo"], registered_at=scenario["registered_at"]
    )
    if scenario["first_epoch"] is not None:
        subnet.epoch(scenario["first_epoch"])
    for step in scenario["steps"]:
        for uid, block in step.get("replace", {}).items():
            subnet.change(int(uid), stake=0, permit=False, registered_at=block, bonds=())
        for uid, row in step.get("weights", {}).items():
            subnet.set_weights(int(uid), [tuple(entry) for entry in row], step["set_at"])
        check(subnet.epoch(step["block"]), step["expect"])


def test_large_subnet_of_equals() -> None:
    """Numbers of test_512_graph in the chain's epoch tests: 64 validators, 448 miners, equal weights."""
    stake, n, validators = 328_125_000_000_000, 512, 64
    rules = EpochRules(max_validators=validators, bonds=BondRules(yuma3=False))
    subnet = Subnet([stake if uid < validators else 0 for uid in range(n)], rules, tempo=65_534)
    subnet.epoch(0)
    for uid in range(validators):
        subnet.set_weights(uid, [(miner, U16 // n) for miner in range(validators, n)], 1)
    for _ in range(2):
        epoch = subnet.epoch(1)
    assert vectors.u16_shares(epoch.dividends) == [1023] * validators + [0] * (n - validators)
    assert vectors.u16_shares(epoch.consensus) == [0] * validators + [146] * (n - validators)
    assert vectors.u16_shares(epoch.incentive) == [0] * validators + [146] * (n - validators)
    assert epoch.emission == [7_812_500] * validators + [1_116_071] * (n - validators)


def test_owner_may_weigh_itself_and_needs_no_permit_and_no_stake_threshold() -> None:
    subnet = Subnet([5_000, 0], EpochRules(stake_threshold=10_000), tempo=360)
    subnet.set_weights(0, [(0, 32_767), (1, 32_767)], 2)
    alone = subnet.epoch(2, owner_uid=0)
    assert alone.permits == (True, False)
    assert alone.incentive[0] == alone.incentive[1] > 0
    stranger = Subnet([5_000, 0], EpochRules(), tempo=360)
    stranger.epoch(1)
    stranger.set_weights(0, [(0, 32_767), (1, 32_767)], 2)
    assert stranger.epoch(2).incentive == [0, ONE]


def test_stake_below_the_threshold_counts_nothing() -> None:
    subnet = Subnet([10, 99, 100, 300], EpochRules(stake_threshold=100), tempo=360)
    epoch = subnet.epoch(1)
    assert epoch.stake == [0, 0, ONE // 4, 3 * ONE // 4]
    assert epoch.new_permits == (False, False, True, True)


def test_permits_go_to_the_largest_stakes() -> None:
    epoch = Subnet([5, 3, 9, 1, 0], EpochRules(max_validators=2), tempo=360).epoch(1)
    assert epoch.new_permits == (True, False, True, False, False)


def test_bonds_with_a_neuron_registered_since_the_last_epoch_start_anew() -> None:
    rules = EpochRules(bonds=BondRules(yuma3=False))
    subnet = Subnet([1, 1, 0, 0], rules, tempo=2)
    subnet.epoch(0)
    row = [(2, 2 * (U16 // 3)), (3, U16 // 3)]
    for uid in (0, 1):
        subnet.set_weights(uid, row, 1)
    subnet.epoch(3)
    before = subnet.epoch(4)
    assert len(before.bonds.start[0]) == 2
    subnet.change(3, registered_at=5)
    for uid in (0, 1):
        subnet.set_weights(uid, row, 6)
    after = subnet.epoch(6)
    assert [j for j, _ in after.bonds.start[0]] == [2]
    assert 3 in dict(after.bonds.end[0])


def test_weights_committed_before_a_neuron_came_do_not_reach_it() -> None:
    subnet = Subnet([100, 0, 0], EpochRules(), tempo=360)
    subnet.epoch(0)
    subnet.set_weights(0, [(1, 1), (2, 1)], 10)
    subnet.change(2, registered_at=5)
    subnet.change(0, committed_at=4)
    assert subnet.epoch(11).incentive == [0, ONE, 0]
    subnet.change(0, committed_at=5)
    assert subnet.epoch(11).incentive == [0, ONE // 2, ONE // 2]


def test_minority_cannot_raise_a_miner_and_pays_for_trying() -> None:
    """docs/consensus.md: excess over what half of the stake supports is cut, and its bonds with it."""
    subnet = Subnet([60, 40, 0, 0], EpochRules(bonds=BondRules(yuma3=False)), tempo=1)
    subnet.epoch(0)
    subnet.set_weights(0, [(2, 80), (3, 20)], 1)
    subnet.set_weights(1, [(2, 0), (3, 100)], 1)
    epoch = subnet.epoch(2)
    honest_two, cabal = epoch.incentive[2] / ONE, epoch.incentive[3] / ONE
    assert epoch.consensus[2] / ONE == pytest.approx(0.8, abs=1e-4)
    assert epoch.consensus[3] / ONE == pytest.approx(0.2, abs=1e-4)
    assert cabal == pytest.approx(0.2 / (0.2 + 0.48), abs=1e-4)
    assert honest_two == pytest.approx(0.48 / (0.2 + 0.48), abs=1e-4)
    assert epoch.validator_trust[0] / ONE == pytest.approx(1.0, abs=1e-6)
    assert epoch.validator_trust[1] / ONE == pytest.approx(0.2, abs=1e-4)
    assert epoch.dividends[1] / ONE < 0.4
    assert epoch.dividends[0] / ONE > 0.6


def two_teams(honest_stake: int, utility: float, self_weight: float) -> tuple[Epoch, float]:
    """docs/consensus.md: ten validators, twenty miners, the cabal's `self_weight` against honest `utility`.

    Returns the epoch and the honest part of all that is paid.
    """
    n, validators = 30, 10
    subnet = Subnet(
        [1] * validators + [0] * (n - validators), EpochRules(bonds=BondRules(yuma3=False)), tempo=1
    )
    subnet.epoch(0)
    honest_miners, cabal_miners = range(10, 20), range(20, 30)
    for uid in range(validators):
        to_honest = utility if uid < honest_stake else 1 - self_weight
        row = [(j, round(to_honest * 10_000)) for j in honest_miners]
        row += [(j, round((1 - to_honest) * 10_000)) for j in cabal_miners]
        subnet.set_weights(uid, row, 1)
    epoch = subnet.epoch(2, emission=10**12)
    honest = [*range(honest_stake), *honest_miners]
    return epoch, sum(epoch.emission[uid] for uid in honest) / 10**12


@pytest.mark.parametrize("self_weight", [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
def test_an_honest_majority_keeps_its_stake(self_weight: float) -> None:
    """60 % of the stake and 60 % utility retain 60 % of the pay, whatever the cabal says of itself."""
    _, honest = two_teams(6, 0.6, self_weight)
    assert honest >= 0.6 - 1e-7


def test_what_the_worst_cabal_gets_by_hand() -> None:
    """All on itself: ranks .6·W to 1-W, incentive I = .36/.76, honest pay (I + I + .6·(1-I)) / 2."""
    epoch, honest = two_teams(6, 0.6, 1.0)
    incentive = 0.36 / 0.76
    assert sum(epoch.incentive[10:20]) / ONE == pytest.approx(incentive, abs=1e-4)
    assert honest == pytest.approx((2 * incentive + 0.6 * (1 - incentive)) / 2, abs=1e-4)


def test_too_little_utility_loses_stake() -> None:
    _, honest = two_teams(6, 0.5, 1.0)
    assert honest < 0.6


# -- what holds for any subnet

U16S = st.integers(0, U16)


@st.composite
def subnets(draw: st.DrawFn) -> EpochInput:
    n = draw(st.integers(1, 9))
    row = st.dictionaries(st.integers(0, n - 1), U16S, max_size=n).map(lambda d: tuple(sorted(d.items())))
    neuron = st.builds(
        Neuron,
        stake=st.integers(0, 10**16).map(I64F64.of),
        last_update=st.integers(0, 120),
        registered_at=st.integers(0, 110),
        permit=st.booleans(),
        weights=row,
        bonds=row,
        committed_at=st.none() | st.integers(0, 120),
    )
    low = draw(U16S)
    bonds = st.builds(
        BondRules,
        yuma3=st.booleans(),
        moving_average=st.integers(0, 1_000_000),
        penalty=U16S,
        liquid_alpha=st.booleans(),
        alpha_low=st.just(low),
        alpha_high=st.integers(low, U16),
        steepness=st.integers(-1_000, 10_000),
    )
    rules = st.builds(
        EpochRules,
        kappa=U16S,
        max_validators=st.integers(1, 10),
        activity_cutoff=st.integers(1, 200),
        stake_threshold=st.integers(0, 10**12),
        bonds=bonds,
    )
    return EpochInput(
        block=120,
        fresh_since=draw(st.integers(0, 120)),
        emission=draw(st.integers(0, 10**13)),
        neurons=tuple(draw(st.lists(neuron, min_size=n, max_size=n))),
        rules=draw(rules),
        owner_uid=draw(st.none() | st.integers(0, n - 1)),
    )


@settings(max_examples=80, deadline=None)
@given(subnets())
def test_shares_are_shares(given_subnet: EpochInput) -> None:
    epoch, n = run_epoch(given_subnet), len(given_subnet.neurons)
    for name in ("stake", "active_stake", "incentive", "dividends"):
        vector = getattr(epoch, name)
        assert len(vector) == n
        assert all(value >= 0 for value in vector)
        # Each division cuts off less than one part in 2^32.
        assert sum(vector) <= ONE
        assert sum(vector) == 0 or sum(vector) > ONE - n
    for name in ("consensus", "validator_trust", "trust"):
        assert all(0 <= value <= ONE for value in getattr(epoch, name)), name
    for row in epoch.stored_bonds:
        assert all(0 <= value <= U16 for _, value in row)


@settings(max_examples=80, deadline=None)
@given(subnets())
def test_no_more_is_paid_than_is_there(given_subnet: EpochInput) -> None:
    epoch = run_epoch(given_subnet)
    assert all(pay >= 0 for pay in epoch.server_emission + epoch.validator_emission + epoch.emission)
    assert sum(epoch.server_emission) + sum(epoch.validator_emission) <= given_subnet.emission
    assert sum(epoch.emission) <= given_subnet.emission


@settings(max_examples=80, deadline=None)
@given(subnets())
def test_consensus_is_what_kappa_of_the_stake_supports(given_subnet: EpochInput) -> None:
    """docs/consensus.md (3): support counts the stake of validators that give a miner at least a weight."""
    epoch = run_epoch(given_subnet)
    voters = [uid for uid, stake in enumerate(epoch.active_stake) if stake > 0]
    shares = vectors.normalized([epoch.active_stake[uid] for uid in voters])
    kappa = I32F32.ratio(given_subnet.rules.kappa, U16)
    for miner, agreed in enumerate(epoch.consensus):
        scores = [dict(epoch.weights[uid]).get(miner, 0) for uid in voters]
        if not voters:
            assert agreed == 0
            continue
        assert agreed in scores
        support = sum(share for share, score in zip(shares, scores, strict=True) if score >= agreed)
        above = sum(share for share, score in zip(shares, scores, strict=True) if score > agreed)
        assert support >= kappa or agreed == min(scores)
        assert above < kappa or agreed == max(scores)


@settings(max_examples=80, deadline=None)
@given(subnets(), st.randoms(use_true_random=False))
def test_uids_are_only_names(given_subnet: EpochInput, shuffle: Any) -> None:
    n = len(given_subnet.neurons)
    place = list(range(n))
    shuffle.shuffle(place)  # old uid → new uid
    moved: list[Neuron] = [given_subnet.neurons[0]] * n
    for uid, neuron in enumerate(given_subnet.neurons):
        moved[place[uid]] = replace(
            neuron,
            weights=tuple(sorted((place[j], value) for j, value in neuron.weights)),
            bonds=tuple(sorted((place[j], value) for j, value in neuron.bonds)),
        )
    owner = given_subnet.owner_uid
    other = run_epoch(
        replace(given_subnet, neurons=tuple(moved), owner_uid=None if owner is None else place[owner])
    )
    epoch = run_epoch(given_subnet)
    for name in ("stake", "active_stake", "consensus", "ranks", "incentive", "dividends", "emission"):
        before, after = getattr(epoch, name), getattr(other, name)
        assert [after[place[uid]] for uid in range(n)] == before, name
    if len({neuron.stake for neuron in given_subnet.neurons}) == n:  # ties go to the later uid
        assert tuple(other.new_permits[place[uid]] for uid in range(n)) == epoch.new_permits


@settings(max_examples=80, deadline=None)
@given(subnets())
def test_a_validator_earns_nothing_by_weighing_itself(given_subnet: EpochInput) -> None:
    """Whatever a validator gives itself leaves no trace in any weight that counts, owner excepted."""
    epoch = run_epoch(given_subnet)
    for uid, row in enumerate(epoch.weights):
        if uid != given_subnet.owner_uid:
            assert uid not in dict(row)
