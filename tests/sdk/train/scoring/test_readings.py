"""Rounds count by what they say: noise shuts no honest miner out and moves no pay; harm stays out."""

import numpy as np
import pytest

from subnetlab.train.scoring.evidence import Evidence
from subnetlab.train.scoring.gate import gate, gate_by
from subnetlab.train.scoring.losses import Removed
from subnetlab.train.scoring.rating import Ratings
from subnetlab.train.scoring.readings import Known, Reading, readings

HONEST, NOISE = 7, 3
FADING = np.geomspace(0.02, 0.0001, 48)
"""The median's effect, round by round, as late steps of a run remove less and less."""
ITEMS = 0.0004
"""What other items would change, as large as the effect of the last third of the rounds."""


def round_of(rng: np.random.Generator, effect: float, *kinds: float) -> dict[int, Removed]:
    """Every kind is the share of the effect that a miner's updates really have."""
    assigned = rng.normal(0, ITEMS * 2**0.5, len(kinds))
    held_out = rng.normal(0, ITEMS, len(kinds))
    own = [effect * kind * float(rng.normal(1, 0.2)) for kind in kinds]
    return {
        uid: Removed(own[uid] + float(assigned[uid]), own[uid] + float(held_out[uid]), ITEMS * 3**0.5)
        for uid in range(len(kinds))
    }


def outs(seed: int, certainty: float) -> list[set[int]]:
    """Who is shut out in each round of a run of honest miners and free riders."""
    rng, evidence, found = np.random.default_rng(seed), Evidence(0.0, certainty), list[set[int]]()
    for effect in FADING:
        removed = round_of(rng, float(effect), *[1.0] * HONEST, *[0.0] * NOISE)
        reasons = (
            gate_by(evidence, removed, 0.4, 0.5) if certainty else gate(removed, 0.4, evidence.standing, 0.5)
        )
        found.append(set(reasons))
        evidence.weigh_standing(removed)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_noise_shuts_no_honest_miner_out_and_lets_no_free_rider_in(seed: int) -> None:
    riders = set(range(HONEST, HONEST + NOISE))
    found = outs(seed, 2.5)
    honest_out = sum(len(out - riders) for out in found)
    assert honest_out < 0.01 * HONEST * len(found)
    assert all(riders <= out for out in found)
    alike = outs(seed, 0.0)
    assert sum(len(out - riders) for out in alike) > 0.01 * HONEST * len(found), "where rounds count alike"


def test_harm_beyond_noise_is_shut_out_whatever_was_before() -> None:
    evidence = Evidence(0.0, 2.5)
    for _ in range(20):
        evidence.weigh_standing(dict.fromkeys(range(4), Removed(0.02, 0.02, 0.001)))
    harmful = {**dict.fromkeys(range(3), Removed(0.02, 0.02, 0.001)), 3: Removed(0.03, -0.004, 0.001)}
    reasons = gate_by(evidence, harmful, 0.4, 0.5)
    assert set(reasons) == {3}
    assert "raised the loss by 0.400%" in reasons[3]
    within = {**harmful, 3: Removed(0.02, -0.002, 0.001)}
    assert gate_by(evidence, within, 0.4, 0.5) == {}, "two standard errors are noise"
    everyone = dict.fromkeys(range(4), Removed(-0.01, -0.01, 0.001))
    assert set(gate_by(evidence, everyone, 0.4, 0.5)) == {0, 1, 2, 3}


def test_a_newcomer_is_judged_by_a_round_that_says_something_and_trusted_in_one_that_says_nothing() -> None:
    evidence = Evidence(0.0, 2.5)
    clear = {0: Removed(0.02, 0.02, 0.001), 1: Removed(0.02, 0.02, 0.001), 2: Removed(0.0, 0.0, 0.001)}
    reasons = gate_by(evidence, clear, 0.4, 0.5)
    assert set(reasons) == {2}
    assert "noise" in reasons[2]
    faint = {uid: Removed(r.assigned / 100, r.held_out / 100, 0.001) for uid, r in clear.items()}
    assert gate_by(evidence, faint, 0.4, 0.5) == {}


def test_who_changes_is_found_out_by_rounds_that_say_something_and_only_by_them() -> None:
    known = Known(1.0, 4.0)
    for _ in range(50):
        known = known.after(Reading(0.0, 0.001))
    assert known.share > 0.9, "fifty rounds of noise"
    for _ in range(6):
        known = known.after(Reading(0.0, 1.0))
    assert known.share < 0.4


def test_a_round_in_which_the_median_removed_nothing_says_nothing() -> None:
    assert readings({0: Removed(-0.1, -0.1, 0.01), 1: Removed(0.0, 0.0, 0.01)}, 2.5) == {
        0: Reading(0.0, 0.0), 1: Reading(0.0, 0.0),
    }  # fmt: skip
    assert readings({}, 2.5) == {}


@pytest.mark.parametrize("seed", range(5))
def test_rounds_that_say_little_move_no_pay(seed: int) -> None:
    rng, evidence = np.random.default_rng(seed), Evidence(0.0, 2.5)
    weighed, alike = Ratings(0.8, 0.95), Ratings(0.8, 0.95)
    least, least_alike = 1.0, 1.0
    for effect in FADING:
        removed = round_of(rng, float(effect), *[1.0] * HONEST)
        evidence.weigh_standing(removed)
        scores = {uid: r.held_out for uid, r in removed.items()}
        weighed.update(scores, {}, evidence.known_beside(removed))
        alike.update(scores, {})
        least = min(least, min(weighed.weights().values()) * HONEST)
        least_alike = min(least_alike, min(alike.weights().values()) * HONEST)
    assert least > 0.6 > least_alike


def test_who_is_silent_in_such_a_round_fades_as_in_any_other() -> None:
    ratings = Ratings(0.8, 0.95)
    known = {1: Reading(1.0, 0.01), 2: Reading(1.0, 0.01)}
    for _ in range(3):
        ratings.update({1: 0.001, 2: 0.001}, {}, known)
    for _ in range(3):
        ratings.update({1: 0.001, 2: 0.0}, {}, {1: known[1]})
    assert ratings.of[1] == pytest.approx(1.0)
    assert ratings.of[2] == pytest.approx(0.8**3)
