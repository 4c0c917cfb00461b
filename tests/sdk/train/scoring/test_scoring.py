"""Judging: paired losses, a gate relative to the median, ratings that last and weights that add up."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.train import models, tasks
from subnetlab.train.data import Corpus, sequences
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.payload.update import Update
from subnetlab.train.scoring.gate import gate
from subnetlab.train.scoring.losses import Removed, Trial, item_losses, validation_loss
from subnetlab.train.scoring.rating import Ratings
from subnetlab.train.theta import FlatModel


@pytest.fixture
def model(tiny: models.TinyGPT) -> FlatModel:
    return FlatModel(models.build(tiny, 0), tasks.of_model(tiny), AdamWConfig())


def test_item_losses_average_to_the_batch_loss(model: FlatModel, corpus: Corpus) -> None:
    offsets = np.arange(130) * 10  # more than one pass
    losses = item_losses(model, corpus, "train", offsets)
    assert losses.shape == (130,)
    assert float(losses.mean()) == pytest.approx(model.loss(sequences(corpus.train, offsets, 16)), rel=1e-5)


def test_a_gradient_removes_loss_and_its_opposite_adds_some(model: FlatModel, corpus: Corpus) -> None:
    theta, offsets = model.theta_P.clone(), np.arange(32) * 40
    model.differentiate(sequences(corpus.train, offsets, 16))
    gradient = Update(None, model.gradient_P.clone())
    trial = Trial(model, theta, corpus, offsets)
    better = trial.removed(gradient, 0.1, offsets[:8])
    worse = trial.removed(gradient, -0.1, offsets[:8])
    assert better.held_out > 0 > worse.held_out
    assert better.assigned > 0 > worse.assigned
    assert trial.removed(gradient, 0.1, offsets[:8]) == better  # a trial leaves nothing behind
    nothing = trial.removed(gradient, 0.0, offsets[:8])
    assert nothing.held_out == pytest.approx(0.0, abs=1e-7)


def test_an_update_that_breaks_the_model_scores_minus_one(model: FlatModel, corpus: Corpus) -> None:
    trial = Trial(model, model.theta_P.clone(), corpus, np.arange(4))
    wild = Update(None, torch.full_like(model.theta_P, float("nan")))
    assert trial.removed(wild, 1.0, np.arange(4)) == Removed(-1.0, -1.0)


def test_the_validation_loss_is_that_of_a_uniform_guess_at_first(
    make_manifest, model: FlatModel, corpus: Corpus
) -> None:
    manifest = make_manifest()
    loss = validation_loss(model, manifest, corpus)
    assert loss == pytest.approx(np.log(256), abs=0.2)
    assert validation_loss(model, manifest, corpus) == loss


def gated(*held_out: float, share: float = 0.4) -> set[int]:
    return set(gate({uid: Removed(value, value) for uid, value in enumerate(held_out)}, share))


def test_harm_and_noise_are_shut_out_and_slow_learners_are_not() -> None:
    assert gated(0.02, 0.021, 0.019, -0.001) == {3}
    assert gated(0.02, 0.021, 0.019, 0.001) == {3}
    assert gated(0.02, 0.021, 0.009) == set()
    assert gated(0.0, 0.02) == {0}


def test_luck_on_one_kind_of_data_is_not_enough() -> None:
    removed = {uid: Removed(0.02, 0.02) for uid in range(3)} | {
        3: Removed(-0.002, 0.009),
        4: Removed(0.05, -0.01),
        5: Removed(0.03, -0.001),
    }
    assert set(gate(removed, 0.4)) == {3, 4}


def test_when_all_remove_little_nobody_is_noise() -> None:
    assert gated(1e-5, 1.1e-5, 0.9e-5) == set()
    assert gated() == set()


def test_a_round_in_which_everyone_does_harm_takes_nobody() -> None:
    assert gated(-0.1, -0.2, -0.3) == {0, 1, 2}


def test_the_reason_is_in_words_with_numbers() -> None:
    removed = {0: Removed(0, -0.0123), 1: Removed(0.02, 0.02), 2: Removed(0, 0.002), 3: Removed(0.02, 0.02)}
    reasons = gate(removed, 0.4)
    assert "raised the loss by 1.230%" in reasons[0]
    assert "training" not in reasons[0]  # the opposite of honest work does come from training
    assert "0.100%" in reasons[2]
    assert "median" in reasons[2]


def rated(*rounds: dict[int, float]) -> Ratings:
    ratings = Ratings(0.8, 0.95)
    for scores in rounds:
        ratings.update(scores, dict.fromkeys(scores, True))
    return ratings


def test_equal_work_gives_equal_weights_and_noise_gives_none() -> None:
    ratings = rated(*[{1: 0.02, 2: 0.02, 3: 0.0}] * 4)
    assert ratings.weights() == {1: 0.5, 2: 0.5, 3: 0.0}


def test_one_lucky_round_does_not_buy_a_lead() -> None:
    ratings = rated(*[{1: 0.01, 2: 0.01, 3: 0.01}] * 5, {1: 10.0, 2: 0.01, 3: 0.01})
    weights = ratings.weights()
    assert weights[1] < 1.25 * weights[2]


def test_a_miner_that_falls_silent_fades_and_one_that_joins_late_does_not_wait() -> None:
    ratings = rated(*[{1: 0.01, 2: 0.01}] * 3, *[{1: 0.01, 2: 0.0, 3: 0.01}] * 3)
    assert ratings.of[2] == pytest.approx(0.8**3)
    assert ratings.of[3] == pytest.approx(1.0)


def test_noise_that_slipped_through_once_earns_nothing() -> None:
    ratings = rated(*[{1: 0.01, 2: 0.01, 3: 0.0}] * 5, {1: 0.01, 2: 0.01, 3: 0.01})
    assert ratings.weights()[3] == 0.0


def test_work_that_never_helps_its_own_data_stops_earning() -> None:
    ratings = Ratings(0.8, 0.95)
    rounds = 0
    while ratings.weights().get(2, 1.0) > 0:
        ratings.update({1: 0.01, 2: 0.01}, {1: True, 2: False})
        rounds += 1
        assert rounds < 30
    assert rounds > 10
    assert ratings.weights()[1] == 1.0


def test_a_slash_lasts_and_silences_no_one_else() -> None:
    scores = {1: 0.02, 2: 0.02, 3: 0.02}
    ratings = rated(*[scores] * 4)
    ratings.slash([3], 0.0)
    assert ratings.weights() == {1: 0.5, 2: 0.5, 3: 0.0}
    ratings.update(scores, {})
    assert ratings.weights() == {1: 0.5, 2: 0.5, 3: 0.0}  # one good round is not yet a rating
    for _ in range(9):
        ratings.update(scores, {})
    assert ratings.weights()[3] > 0.25


def test_what_speaks_against_a_miner_stops_its_pay_whatever_its_rating() -> None:
    ratings = rated(*[{1: 0.02, 2: 0.02}] * 4)
    assert ratings.weights({2}) == {1: 1.0, 2: 0.0}
    assert ratings.weights() == {1: 0.5, 2: 0.5}


def test_nobody_good_means_no_weights() -> None:
    assert rated({1: 0.0, 2: 0.0}).weights() == {1: 0.0, 2: 0.0}


@given(st.lists(st.dictionaries(st.integers(0, 5), st.floats(-1, 1), max_size=6), max_size=6))
def test_weights_are_shares(rounds: list[dict[int, float]]) -> None:
    weights = rated(*rounds).weights()
    assert all(0 <= weight <= 1 for weight in weights.values())
    assert sum(weights.values()) == pytest.approx(1.0) or not any(weights.values())
