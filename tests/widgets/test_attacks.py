"""The attack view's widget: what a page is told, how it follows a run, and that a page can ask nothing."""

import json
from dataclasses import replace
from typing import Any

import pytest

from subnetlab.errors import RecordCorrupt
from subnetlab.record.view import RunView
from subnetlab.report.attacks import Attacks, attacks
from subnetlab_widgets import attacks as attack_view
from subnetlab_widgets.attack_view.state import MOST_MINERS, MOST_ROUNDS, state_of
from subnetlab_widgets.attack_view.widget import MOST, AttackView
from tests.widgets.recorded import FREE_RIDER, run


class Growing:
    """A run's record that grows when it is told to."""

    def __init__(self, miners: int = 8, rounds: int = 30) -> None:
        self.events = list(run(miners, rounds))
        self.view, self.at = RunView(), 0
        self.broken = False

    def until_round(self, rounds: int) -> None:
        while self.at < len(self.events) and len(self.view.over) < rounds:
            self.view.add(self.events[self.at])
            self.at += 1

    def to_the_end(self) -> None:
        for event in self.events[self.at :]:
            self.view.add(event)

    def attacks(self) -> Attacks:
        if self.broken:
            raise RecordCorrupt("The record was cut.")
        return attacks(self.view, again=self.attacks)


def say(widget: AttackView, content: Any) -> None:
    widget._handle_custom_msg(content, [])


def test_it_follows_a_run_round_by_round_and_ends_with_it() -> None:
    record = Growing()
    record.until_round(2)
    widget = attack_view(record.attacks())
    assert (widget.state["round"], widget.state["ended"]) == (2, False)
    first = widget.state["miners"][0]
    assert (first["uid"], first["role"], first["taken"], first["judged"]) == (FREE_RIDER, "free rider", 0, 2)
    record.until_round(3)
    say(widget, {"k": "hello"})
    assert widget.state["round"] == 3
    before = widget.state
    say(widget, {"k": "hello"})
    assert widget.state is before  # no round is over since
    record.broken = True
    say(widget, {"k": "hello"})
    assert widget.state is before
    record.broken = False
    record.to_the_end()
    widget.update()
    assert (widget.state["ended"], widget.state["round"]) == (True, 30)
    widget.close()


@pytest.mark.parametrize(
    "content", [None, [], "hello", 7, {"k": "ask"}, {"k": ["hello"]}, {"uid": 4}, {"k": "hello" * 10**5}]
)
def test_a_page_can_ask_nothing(content: Any) -> None:
    record = Growing()
    record.until_round(1)
    widget = attack_view(record.attacks())
    record.until_round(2)
    before = widget.state
    say(widget, content)
    assert widget.state is before
    widget.close()


def test_of_very_many_miners_and_rounds_the_page_gets_some_and_a_count() -> None:
    record = Growing(miners=60, rounds=100)
    record.to_the_end()
    state = state_of(record.attacks())
    assert (len(state["miners"]), state["hidden"]) == (MOST_MINERS, 60 - MOST_MINERS)
    assert state["miners"][0]["uid"] == FREE_RIDER
    assert (state["first"], state["round"]) == (100 - MOST_ROUNDS + 1, 100)
    assert {len(one["rounds"]) for one in state["miners"]} == {MOST_ROUNDS}
    assert set(map(int, state["medians"])) == set(range(state["first"], 101))
    assert len(json.dumps(state, allow_nan=False)) < 200_000


def test_a_loss_that_is_no_number_reaches_no_page() -> None:
    record = Growing()
    record.until_round(1)
    votes = record.view.miners[FREE_RIDER].votes[0]
    for validator, vote in votes.items():
        votes[validator] = replace(vote, loss_removed_held_out=float("nan"), noise=float("inf"))
    json.dumps(state_of(record.attacks()), allow_nan=False)


def test_a_saved_notebook_keeps_the_table_and_a_long_session_few_widgets() -> None:
    record = Growing()
    record.to_the_end()
    made = [attack_view(record.attacks()) for _ in range(MOST + 2)]
    assert [one.comm is None for one in made] == [True, True, *[False] * MOST]
    page = made[-1]._pictures.picture._repr_html_()
    assert "free rider" in page
    assert "<script" not in page
    assert "Attacks on run 7f3a" in str(made[-1]._repr_mimebundle_())
    for one in made:
        one.close()
