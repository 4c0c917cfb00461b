"""One line that tells a waiting person how far a run is: rounds, loss, and how much longer it may take.

For terminals and for kernels without our pages: plain text on standard error, written over itself. The time
left follows from the rounds seen while waiting, and is not said before there are two of them.
"""

import contextlib
import sys
from collections.abc import Callable, Generator
from time import monotonic
from typing import TextIO

from subnetlab.record.baselines import known_titles
from subnetlab.record.view import RunView
from subnetlab.report.format import loss_text
from subnetlab.report.headline import score_text
from subnetlab.waiting import waiting

_WIDTH = 24
_COLUMNS = 100
"""As long as a line may become; what a longer one left behind is written over."""


@contextlib.contextmanager
def bar(*, shown: bool | None, to: TextIO | None = None) -> Generator[Callable[[RunView], None]]:
    """Show a line while the block runs; what it gives is called with the view whenever there is time.

    Args:
        shown: whether to; where a person looks if None: at a terminal, or at a notebook (`waiting`).
        to: written to in place of standard error.
    """
    out: TextIO | None = to if to is not None else sys.stderr
    if out is None or shown is False:  # pythonw has no stderr
        yield lambda _view: None
        return
    line = ProgressLine()
    if shown is None and not out.isatty():
        with waiting("the run") as say:
            yield lambda view: say(line.of(view, monotonic()))
        return
    written = ""

    def show(view: RunView) -> None:
        nonlocal written
        said = line.of(view, monotonic())
        if said != written:
            written = said
            out.write(f"\r{said:<{_COLUMNS}}")
            out.flush()

    try:
        yield show
    finally:
        if written:
            out.write("\n")
            out.flush()


class ProgressLine:
    """The line, and what it needs to remember."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None
        """When waiting began to see rounds, and how many were over then."""

    def of(self, view: RunView, now: float) -> str:
        """The line as of `now`, seconds of any steady clock."""
        over, rounds = len(view.over), view.rounds
        if not rounds:
            return "The peers are starting."
        if self._first is None:
            self._first = (now, over)
        full = round(_WIDTH * over / rounds)
        drawn = "█" * full + "░" * (_WIDTH - full)
        loss = f", loss {loss_text(view.val_loss[max(view.val_loss)])}" if view.val_loss else ""
        if view.mean_score:
            loss = f", mean score {score_text(view.mean_score[max(view.mean_score)])}"
        return f"{drawn} round {over} of {rounds}{loss}{self._left(view, now)}"[:_COLUMNS]

    def _left(self, view: RunView, now: float) -> str:
        over, rounds = len(view.over), view.rounds
        began, before = self._first or (now, over)
        seen = over - before
        if over >= rounds:
            return _measuring(view) or ", finishing"
        if seen < 2:
            return ""
        left = (now - began) / seen * (rounds - over)
        return f", about {left:.0f} s left" if left < 90 else f", about {left / 60:.0f} min left"


def _measuring(view: RunView) -> str:
    """How far the slowest baseline is that trains on after the last round; empty where none does."""
    behind = {name: curve for name, curve in view.baselines.items() if curve.final is None and curve.steps}
    titles = known_titles(behind)
    if view.ended is not None or not titles:
        return ""
    name = max(titles, key=lambda name: behind[name].steps - max(behind[name].losses, default=0))
    curve = behind[name]
    return f"; {titles[name]}: step {max(curve.losses, default=0):,} of {curve.steps:,}"
