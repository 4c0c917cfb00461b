"""The times and victims of a chaos schedule, without a clock."""

import math

import pytest

from subnetlab.fleet.chaos import ChaosSchedule


def drawn(seed: int, kills: int = 200) -> list[tuple[float, int | None]]:
    chaos = ChaosSchedule(60.0, seed, began=1000.0)
    return [(chaos.next_at, chaos.victim([3, 1, 2])) for _ in range(kills)]


def test_a_seed_draws_the_same_times_and_victims_again_and_another_seed_others() -> None:
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_kills_come_as_often_as_asked_and_find_everyone() -> None:
    times, victims = zip(*drawn(3), strict=True)
    assert list(times) == sorted(times)
    assert (times[-1] - 1000.0) / len(times) == pytest.approx(60.0, rel=0.25)
    assert set(victims) == {1, 2, 3}


def test_no_kills_an_hour_are_never_due() -> None:
    assert ChaosSchedule(0.0, 1, began=5.0).next_at == math.inf


def test_where_nobody_is_live_nobody_is_killed_and_the_next_time_is_drawn() -> None:
    chaos = ChaosSchedule(60.0, 1, began=0.0)
    due = chaos.next_at
    assert chaos.victim([]) is None
    assert chaos.next_at > due
