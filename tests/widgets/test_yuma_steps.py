"""The steps of an epoch as a widget: what a page may move, what it is told, and what a notebook keeps."""

from array import array
from base64 import b64decode
from html import unescape
from typing import Any

import pytest

from subnetlab.report.evaluation import Evaluation
from subnetlab.yuma.epoch import EpochInput, Neuron
from subnetlab_widgets import yuma_steps
from subnetlab_widgets.yuma_view.state import MOST_MINERS, MOST_VALIDATORS, state_of
from subnetlab_widgets.yuma_view.widget import MOST

ALPHA = 2**64 * 10**9


def evaluation(validators: int = 3, miners: int = 3) -> Evaluation:
    """A subnet whose last validator favours the last miner."""
    size = 1 + validators + miners
    mining = range(1 + validators, size)
    neurons = [Neuron(stake=0, last_update=9, registered_at=0) for _ in range(size)]
    for i in range(validators):
        row = {uid: 30 + 10 * ((uid + i) % 2) for uid in mining}
        if i == validators - 1:
            row[size - 1] = 900
        neurons[1 + i] = Neuron(
            stake=(validators - i + 5) * ALPHA, last_update=9, registered_at=0, permit=True,
            weights=tuple(row.items()),
        )  # fmt: skip
    given = EpochInput(block=10, fresh_since=1, emission=10**10, neurons=tuple(neurons))
    return Evaluation.of(given, where="subnet 2 (tiny-lm), epoch of block 10")


def say(widget: Any, content: Any) -> None:
    """What a page sends, as the widget receives it."""
    widget._handle_custom_msg(content, [])


def named(state: dict[str, Any], name: str) -> dict[str, Any]:
    return next(stage for stage in state["stages"] if stage["name"] == name)


def test_a_page_moves_a_weight_and_the_kernel_evaluates_again() -> None:
    found = evaluation()
    widget = yuma_steps(found)
    say(widget, {"k": "hello"})
    say(widget, {"k": "move", "validator": 1, "miner": 6, "weight": 0.9})
    assert widget.now.weights[1][6] == pytest.approx(0.9, abs=1e-4)
    assert widget.state["moved"]
    incentive = named(widget.state, "incentive")
    assert incentive["now"][0] != incentive["was"][0]
    expected = found.changed(1, 6, 0.9)
    assert incentive["now"][0] == [round(expected.incentive[uid], 6) for uid in incentive["columns"]]
    say(widget, {"k": "move", "validator": 2, "miner": 6, "weight": 0.5})
    assert widget.now.weights[1][6] == pytest.approx(0.9, abs=1e-4)
    say(widget, {"k": "back"})
    assert not widget.state["moved"]
    assert widget.now is found
    widget.close()


@pytest.mark.parametrize(
    "content",
    [
        None, [], "move", {"k": "move"}, {"k": "move", "validator": 1, "miner": 6},
        {"k": "move", "validator": 1, "miner": 6, "weight": float("nan")},
        {"k": "move", "validator": 1, "miner": 6, "weight": 1e9},
        {"k": "move", "validator": 1, "miner": 6, "weight": True},
        {"k": "move", "validator": 99, "miner": 6, "weight": 0.5},
        {"k": "move", "validator": "1", "miner": 6, "weight": 0.5},
        {"k": "move", "validator": 1, "miner": -6, "weight": 0.5},
        {"k": "evaluate", "code": "1"},
    ],
)  # fmt: skip
def test_what_a_page_may_not_say_changes_nothing(content: Any) -> None:
    widget = yuma_steps(evaluation())
    before = widget.state
    say(widget, content)
    assert widget.state == before
    widget.close()


def test_of_very_many_seats_those_that_weigh_most_are_shown_and_the_rest_is_counted() -> None:
    found = evaluation(validators=20, miners=40)
    state = state_of(found, found)
    assert (len(state["validators"]), len(state["miners"])) == (MOST_VALIDATORS, MOST_MINERS)
    assert state["hidden"] == [8, 24]
    assert state["validators"] == list(found.validators[:MOST_VALIDATORS])
    for stage in state["stages"]:
        assert all(len(row) == len(stage["columns"]) for row in stage["now"] + stage["was"])
        assert len(stage["columns"]) <= MOST_VALIDATORS + MOST_MINERS


def test_of_very_many_seats_every_weight_is_in_one_picture() -> None:
    small = evaluation()
    assert state_of(small, small)["heat"] is None
    found = evaluation(validators=20, miners=40)
    heat = state_of(found, found)["heat"]
    assert (heat["validators"], heat["miners"]) == (list(found.validators), list(found.miners))
    weights, clipped = (array("H", b64decode(heat[name])) for name in ("weights", "clipped"))
    assert len(weights) == len(clipped) == 20 * 40
    last = heat["validators"].index(20) * 40 + heat["miners"].index(60)
    assert weights[last] / 65535 == pytest.approx(found.weights[20][60], abs=1e-4)
    assert clipped[last] < weights[last]
    moved = found.changed(20, 60, 0.0)
    assert array("H", b64decode(state_of(moved, found)["heat"]["weights"]))[last] == 0


def test_what_counted_and_what_was_cut_are_all_of_a_validators_stake() -> None:
    found = evaluation()
    flow = state_of(found, found)["flow"]
    for share, counted, cut in zip(flow["stake"], flow["counted"], flow["cut"], strict=True):
        assert sum(counted) + sum(cut) == pytest.approx(share, abs=1e-5)
    assert sum(flow["cut"][-1]) > 0.5 * flow["stake"][-1]


def test_seats_that_are_not_shown_flow_together() -> None:
    found = evaluation(validators=20, miners=40)
    state = state_of(found, found)
    flow = state["flow"]
    assert (len(flow["stake"]), len(flow["paid"])) == (MOST_VALIDATORS + 1, MOST_MINERS + 1)
    assert sum(flow["stake"]) == pytest.approx(1, abs=1e-5)
    assert sum(flow["incentive"]) == pytest.approx(1, abs=1e-4)
    for share, counted, cut in zip(flow["stake"], flow["counted"], flow["cut"], strict=True):
        assert sum(counted) + sum(cut) == pytest.approx(share, abs=1e-4)


def test_a_saved_notebook_keeps_every_step_without_script() -> None:
    found = evaluation()
    widget = yuma_steps(found)
    page = unescape(widget._pictures.picture._repr_html_())
    assert page.count("<table") == 9
    assert "<script" not in page
    assert "validator 3's weight for uid 6 falls" in page
    data = widget._repr_mimebundle_()
    assert "Steps of Yuma on subnet 2" in str(data)
    widget.close()


def test_a_long_session_does_not_collect_widgets() -> None:
    made = [yuma_steps(evaluation()) for _ in range(MOST + 2)]
    assert [one.comm is None for one in made] == [True, True, *[False] * MOST]
    for one in made:
        one.close()


def test_a_subnet_where_nobody_voted_has_an_empty_table_and_a_sentence() -> None:
    given = EpochInput(
        block=10, fresh_since=1, emission=0, neurons=(Neuron(stake=0, last_update=0, registered_at=0),)
    )
    found = Evaluation.of(given, where="subnet 2")
    state = state_of(found, found)
    assert state["validators"] == state["miners"] == []
    assert "No validator" in named(state, "stake")["sentence"]
    assert str(found)
    assert found.page()
