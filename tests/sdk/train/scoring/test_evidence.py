"""Evidence of several rounds: noise and work from elsewhere are found out, honest miners are not."""

import numpy as np
import pytest

from subnetlab.train.scoring.evidence import BOUND, Evidence, shares
from subnetlab.train.scoring.gate import gate
from subnetlab.train.scoring.losses import Removed

OWN, ELSEWHERE = 0.03, 0.0


def tried(rng: np.random.Generator, *own: float, noise: float = 0.01) -> dict[int, Removed]:
    """What a round measures where miner i's update helps its own data more by `own[i]`."""
    return {uid: Removed(0.02 + float(rng.normal(one, noise)), 0.02, noise) for uid, one in enumerate(own)}


def rounds_until_against(evidence: Evidence, rng: np.random.Generator, *own: float, most: int = 200) -> int:
    for round_ in range(most):
        evidence.weigh_own_work(tried(rng, *own))
        if evidence.against(range(len(own))):
            return round_ + 1
    return most


@pytest.mark.parametrize("seed", range(5))
def test_work_from_elsewhere_is_found_within_a_few_rounds_and_honest_work_never(seed: int) -> None:
    evidence, rng = Evidence(0.5), np.random.default_rng(seed)
    rounds = rounds_until_against(evidence, rng, OWN, OWN, OWN, ELSEWHERE)
    assert rounds <= 20
    for _ in range(200):
        assert set(evidence.against(range(4))) <= {3}
        evidence.weigh_own_work(tried(rng, OWN, OWN, OWN, ELSEWHERE))
    assert evidence.own_work[0] == pytest.approx(BOUND, abs=3)


@pytest.mark.parametrize("seed", range(5))
def test_where_rounds_say_little_no_one_is_suspected(seed: int) -> None:
    evidence, rng = Evidence(0.5), np.random.default_rng(seed)
    assert rounds_until_against(evidence, rng, *[OWN / 100] * 6, most=100) == 100


def test_a_miner_that_works_again_is_believed_again() -> None:
    evidence, rng = Evidence(0.5), np.random.default_rng(0)
    for _ in range(50):
        evidence.weigh_own_work(tried(rng, OWN, OWN, OWN, ELSEWHERE))
    assert set(evidence.against(range(4))) == {3}
    assert "not its own" in evidence.against([3])[3]
    for _ in range(20):
        evidence.weigh_own_work(tried(rng, OWN, OWN, OWN, OWN))
    assert evidence.against(range(4)) == {}


def test_without_a_share_nothing_is_held_against_anyone() -> None:
    evidence, rng = Evidence(0.0), np.random.default_rng(0)
    assert rounds_until_against(evidence, rng, OWN, OWN, ELSEWHERE, most=50) == 50
    assert evidence.own_work == {}


def effects(*values: float) -> dict[int, Removed]:
    return {uid: Removed(value, value) for uid, value in enumerate(values)}


def test_one_bad_batch_does_not_shut_out_a_good_miner_and_one_lucky_one_does_not_let_noise_in() -> None:
    evidence = Evidence(0.5)
    for _ in range(5):
        evidence.weigh_standing(effects(0.02, 0.02, 0.02, 0.0001))
    assert set(gate(effects(0.02, 0.02, 0.005, 0.012), 0.4)) == {2}
    assert set(gate(effects(0.02, 0.02, 0.005, 0.012), 0.4, evidence.standing, 0.5)) == {3}


def test_a_good_name_does_not_let_harm_in() -> None:
    evidence = Evidence(0.5)
    for _ in range(5):
        evidence.weigh_standing(effects(0.02, 0.02, 0.02, 0.02))
    assert set(gate(effects(0.02, 0.02, 0.02, -0.02), 0.4, evidence.standing, 0.5)) == {3}
    assert set(gate(effects(-0.1, -0.2, -0.3), 0.4, evidence.standing, 0.5)) == {0, 1, 2}


def test_shares_are_of_the_median_effect() -> None:
    assert shares(effects(0.01, 0.02, 0.04)) == {0: 0.5, 1: 1.0, 2: 2.0}
    assert shares(effects(-0.01, -0.02)) == {}
    assert shares({}) == {}


def test_of_a_bad_name_and_a_good_round_it_is_not_said_that_it_did_harm() -> None:
    reasons = gate(effects(0.02, 0.02, 0.02, 0.001), 0.4, {3: -1.0}, 0.5)
    assert set(reasons) == {3}
    assert "counts as noise" in reasons[3]
