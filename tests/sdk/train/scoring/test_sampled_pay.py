"""Pay where a round tries sixteen of sixty-four: few trials each, and honest miners are paid alike."""

from collections.abc import Callable
from statistics import median

import numpy as np
import pytest

from subnetlab.train.scoring.evidence import Evidence
from subnetlab.train.scoring.losses import Removed
from subnetlab.train.scoring.rating import TRUSTED, Ratings
from subnetlab.train.scoring.sample import Trust

MINERS, HOSTILE, TRIED, ROUNDS, GATE = 64, 16, 16, 48, 0.4


def paid(seed: int, trusted: float, hostile: Callable[[int], float]) -> list[float]:
    """What each miner is paid over a run whose measurements grow noisier; the first sixteen are hostile."""
    rng, evidence, ratings = np.random.default_rng(seed), Evidence(0.3, 2.5), Ratings(0.8, 0.95, trusted)
    evidence.trust, pay, trials = Trust(TRIED), [0.0] * MINERS, [0] * MINERS
    for round_ in range(ROUNDS):
        noise = 0.03 + 0.27 * round_ / ROUNDS
        removed: dict[int, Removed] = {}
        for uid in evidence.trust.drawn({uid: int(rng.integers(1 << 62)) for uid in range(MINERS)}):
            typical = hostile(trials[uid]) if uid < HOSTILE else 1.0 + rng.normal(0, 0.2)
            effect = 0.01 * (typical + rng.normal(0, noise))
            removed[uid] = Removed(effect, effect, 0.01 * noise)
            trials[uid] += 1
        evidence.weigh_standing(removed)
        passed = {uid for uid in removed if evidence.standing[uid] >= GATE}
        evidence.trust.passed.update({uid: uid in passed for uid in removed})
        scores = {uid: r.effect if uid in passed else 0.0 for uid, r in removed.items()}
        known = {uid: one for uid, one in evidence.known_beside(removed).items() if uid in passed}
        ratings.update(scores, {}, known)
        below = [uid for uid, share in evidence.standing.items() if share < GATE]
        for uid, share in ratings.weights(below).items():
            pay[uid] += share
    return pay


def worst(seed: int, trusted: float) -> float:
    honest = paid(seed, trusted, lambda _trial: -0.5)[HOSTILE:]
    return min(honest) / median(honest)


@pytest.mark.parametrize("seed", range(4))
def test_few_trials_cost_no_honest_miner_a_fifth_of_its_pay(seed: int) -> None:
    assert worst(seed, TRUSTED) > 0.8
    assert worst(seed, 0.0) < worst(seed, TRUSTED)


@pytest.mark.parametrize("seed", range(4))
def test_who_stops_working_after_its_first_trial_is_paid_as_little_as_before(seed: int) -> None:
    def lazy(trial: int) -> float:
        return 1.0 if trial == 0 else 0.0

    def share(trusted: float) -> float:
        pay = paid(seed, trusted, lazy)
        return sum(pay[:HOSTILE]) / sum(pay)

    assert share(TRUSTED) < share(0.0) + 0.01
    assert share(TRUSTED) < 0.1
