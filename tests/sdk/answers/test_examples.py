"""The shipped subnets: kept data and useful data are paid, dropped data and babble are not."""

from random import Random
from typing import Any

from subnetlab.answers.examples import dataset, storage

from .stage import Stage


def means(stage: Stage) -> list[float]:
    found = [stage.verdicts(uid) for uid in range(len(stage.answers))]
    return [sum(one.score for one in scored) / len(scored) for scored in found]


def test_a_miner_that_dropped_its_data_earns_nothing_and_half_of_it_half() -> None:
    miners = [storage.keep, storage.drop_half, storage.drop]
    stage = Stage(miners, storage.judge, tasks=storage.challenge, rounds=3, tasks_per_round=16).play()
    whole, half, none = means(stage)
    assert (whole, none) == (1.0, 0.0)
    assert 0.2 < half < 0.8
    (row,) = stage.net.weights().values()
    assert row[2] == 0
    assert row[0] > row[1] > 0


def test_an_answer_to_one_challenge_is_none_to_another() -> None:
    first, second = (storage.challenge(Random(seed)) for seed in (1, 2))
    second["block"] = first["block"]
    start = first["block"] * storage.BLOCK
    answer = storage.proof(first, storage.source()[start : start + storage.BLOCK])
    assert storage.judge(first, answer) == 1.0
    assert storage.judge(second, answer) == 0.0
    assert storage.judge(first, None) == 0.0


def test_a_shard_is_worth_the_loss_that_it_removes() -> None:
    miners = [dataset.library, dataset.little, dataset.babble, dataset.repeat]
    stage = Stage(miners, dataset.judge, tasks=dataset.order, rounds=4, tasks_per_round=1).play()
    library, little, babble, repeat = means(stage)
    assert library > 2 * little > 0
    assert max(babble, repeat) < 0.02
    (row,) = stage.net.weights().values()
    assert row[0] > 0.5


def test_a_shard_that_is_too_long_or_no_text_is_worth_nothing() -> None:
    task: dict[str, Any] = {"bytes": 100, "seed": 1}
    assert dataset.judge(task, "x" * 101, Random(1)) == 0.0
    assert dataset.judge(task, ["x"], Random(1)) == 0.0
    assert dataset.loss(b"abcd", b"abcd" * 50) < dataset.loss(b"abcd", b"") < 5.6
