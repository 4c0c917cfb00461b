"""Keep one output of a notebook up to date while a run goes on.

A thread of its own, because a busy cell starves the shell's loop; the plain kind of output (HTML, SVG, text)
under a display id, because it stays readable in a saved notebook and in every front end. It redraws when the
record has grown, at most twice a second, and once more at the end.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.display import DisplayHandle, display

if TYPE_CHECKING:
    from subnetlab.lab.run import Run

PERIOD_S = 0.5


class Pump:
    """A thread that redraws the plain picture of a run whenever its record has grown."""

    def __init__(self, run: "Run", picture: Callable[[], object], handle: DisplayHandle) -> None:
        self._run, self._picture, self._handle = run, picture, handle
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._pump, name="subnetlab-live", daemon=True)
        self._thread.start()

    def _pump(self) -> None:
        shown = -1
        while not self._stop.is_set():
            ended, size = self._run.ended, self._run.size()
            if size != shown:
                self._handle.update(self._picture())
                shown = size
            if ended:
                return
            self._stop.wait(PERIOD_S)

    def close(self) -> None:
        """Stop redrawing; the last picture stays."""
        self._stop.set()
        self._thread.join(2.0)


def follow(run: "Run") -> Pump:
    """Show a run below the present cell: the live dashboard, and the picture that a saved notebook keeps."""
    from subnetlab_widgets.boards import Picture, board_of  # noqa: PLC0415  (anywidget, once a run is shown)

    display(board_of(run))
    handle: Any = display(Picture(run), display_id=True)
    return Pump(run, lambda: Picture(run), handle)
