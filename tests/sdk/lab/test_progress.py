"""How far a run is, as one line for who waits in a terminal."""

import io

import pytest
from tests.sdk.lab import story

from subnetlab.lab.progress import ProgressLine, bar
from subnetlab.record.events import BaselineEvaluated
from subnetlab.record.view import RunView


def view_after(rounds: int) -> RunView:
    view = RunView()
    for event in story.story(rounds, ended=False):
        view.add(event)
    return view


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_tells_rounds_loss_and_time_left_once_two_rounds_were_seen() -> None:
    line = ProgressLine()
    assert line.of(RunView(), 0.0) == "The peers are starting."
    assert line.of(view_after(1), 10.0).endswith("░ round 1 of 4, loss 4.00")
    assert line.of(view_after(2), 15.0).endswith("░ round 2 of 4, loss 3.50")
    assert line.of(view_after(3), 18.0).endswith("░ round 3 of 4, loss 3.00, about 4 s left")
    assert line.of(view_after(4), 20.0).endswith("█ round 4 of 4, loss 2.50, finishing")


def test_after_the_last_round_the_line_says_which_baseline_still_trains() -> None:
    view = view_after(4)
    for step, loss in ((100, 3.0), (450, 2.5)):
        view.add(
            BaselineEvaluated(
                round=0, val_loss=loss, compute_s=1.0, baseline="alone_3x", step=step, steps=1_350
            )
        )
    said = ProgressLine().of(view, 20.0)
    assert said.endswith("round 4 of 4, loss 2.50; one alone, 3× steps: step 450 of 1,350")


def test_a_long_rest_is_told_in_minutes() -> None:
    line = ProgressLine()
    line.of(view_after(1), 0.0)
    assert line.of(view_after(3), 400.0).endswith("about 3 min left")


@pytest.mark.parametrize(
    ("out", "shown", "written"),
    [
        (Terminal(), None, True),
        (io.StringIO(), None, False),
        (io.StringIO(), True, True),
        (Terminal(), False, False),
    ],
)
def test_only_a_terminal_or_who_asks_sees_it(out: io.StringIO, shown: bool | None, written: bool) -> None:
    with bar(shown=shown, to=out) as show:
        for rounds in (1, 1, 2):
            show(view_after(rounds))
    assert out.getvalue().count("\r") == (2 if written else 0), "an unchanged line is not written again"
    assert out.getvalue().endswith("\n") is written
