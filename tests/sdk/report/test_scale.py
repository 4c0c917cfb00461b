"""Losses of any unit are drawn on round numbers, said with figures, and compared by what was measured."""

import re
from math import isclose

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.sdk.report.test_sentences import closed, started

from subnetlab.record import events as e
from subnetlab.record.view import RunView
from subnetlab.report.format import loss_text
from subnetlab.report.headline import headline
from subnetlab.report.noise import loss_noise
from subnetlab.report.plot import picture
from subnetlab.report.scale import level_text, levels, outlier_bound, round_range
from subnetlab.report.verdict import verdict


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12))
def test_an_axis_holds_what_it_shows_on_few_round_levels(low: float, spread: float) -> None:
    assume(spread > 1e-6 * abs(low))
    begin, end, step = round_range(low, low + spread)
    room = 1e-6 * step
    assert begin <= low + room
    assert end >= low + spread - room
    assert 2 <= len(levels(begin, end, step)) <= 8
    mantissa = float(f"{step:e}".partition("e")[0])
    assert any(isclose(mantissa, nice) for nice in (1, 2, 5))


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (1.6, 2.5, ["1.6", "1.8", "2.0", "2.2", "2.4", "2.6"]),
        (0.0003, 0.0011, ["0.0002", "0.0004", "0.0006", "0.0008", "0.0010", "0.0012"]),
        (120.0, 480.0, ["100", "200", "300", "400", "500"]),
        (1.0, 1.0, ["1.0", "1.2"]),
    ],
)
def test_levels_have_the_digits_that_tell_them_apart(low: float, high: float, said: list[str]) -> None:
    begin, end, step = round_range(low, high)
    found = [level_text(level, step) for level in levels(begin, end, step)]
    assert found == said
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (1.612, "1.61"),
        (0.0034, "0.0034"),
        (0.0, "0.00"),
        (-1.5, "-1.50"),
        (48_213.7, "48,214"),
        (14_026_405.0, "1.40e7"),
    ],
)
def test_a_loss_keeps_its_figures_in_any_unit(loss: float, said: str) -> None:
    assert loss_text(loss) == said


def test_a_diverging_value_stretches_no_axis_and_a_large_unit_is_no_divergence() -> None:
    assert outlier_bound([5.0, 4.0, 3.0, 1e9]) < 1e9
    assert outlier_bound([5e9, 4e9, 3e9]) > 5e9


def test_a_jumping_curve_tells_less_than_a_smooth_one() -> None:
    smooth = [0.100, 0.080, 0.064, 0.052, 0.044, 0.038]
    jumping = [0.100, 0.060, 0.090, 0.050, 0.080, 0.038]
    assert loss_noise(smooth, []) < 0.006
    assert loss_noise(jumping, []) > 0.02
    assert loss_noise([], []) == 0.0


def told(unit: float, subnet: float, alone: float) -> RunView:
    """A run of eight rounds that ends at these two losses, in any unit."""
    view = RunView()
    view.add(started("miner", "validator", rounds=8, task={"unit": "squared error"}))
    for number in range(8):
        share = 0.5**number
        view.add(closed(number, unit * (subnet + share)))
        view.add(e.BaselineEvaluated(round=number, val_loss=unit * (alone + share), compute_s=1.0))
    view.add(e.RunEnded(status="finished", reason="", block=99, wall_s=1.0))
    return view


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e6])
def test_a_verdict_is_the_same_in_every_unit(unit: float) -> None:
    worth, equal = told(unit, 1.0, 1.5), told(unit, 1.0, 1.0005)
    assert "training together was worth" in str(verdict(worth))
    assert "both are equal" in str(verdict(equal))
    assert "did not pay off" in str(verdict(told(unit, 1.5, 1.0)))
    assert verdict(worth).gain == pytest.approx(0.5 * unit, rel=1e-6)
    said = str(headline(worth))
    assert "0.00" not in said.replace("0.000", "")


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e6])
def test_a_picture_shows_the_curve_in_every_unit(unit: float) -> None:
    drawn = picture(told(unit, 1.0, 1.5))
    heights = [
        float(point.split()[1])
        for path in re.findall(r'd="M([^"]+)" fill="none"[^>]*stroke-width="2.6"', drawn)
        for point in path.split("L")
    ]
    assert len(heights) == 8
    assert max(heights) - min(heights) > 60, "the curve is flat"
