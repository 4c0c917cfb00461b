"""One live dashboard per run and kernel, however often the run is shown.

A second cell, or a second look at the same run, gets another view of the same widget. Old ones are closed, so
that a long session does not collect threads.
"""

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.display import display

from subnetlab.record.line import FILE_NAME
from subnetlab_widgets.dashboard import Dashboard

if TYPE_CHECKING:
    from subnetlab.lab.run import Run

MOST = 8
_BOARDS: OrderedDict[Path, Dashboard] = OrderedDict()


class Picture:
    """The plain picture of a run, for saved notebooks and front ends without widgets."""

    def __init__(self, run: "Run") -> None:
        """Picture the run as it is when this is shown."""
        self._run = run

    def _repr_html_(self) -> str:
        from subnetlab_widgets.formatters import run_html  # noqa: PLC0415  (formatters show boards)

        return run_html(self._run)

    def __repr__(self) -> str:
        return repr(self._run)


def show(run: "Run") -> None:
    """Show a run as it goes on, and as it is now for whoever opens the notebook later."""
    display(board_of(run))
    display(Picture(run))


def board_of(run: "Run") -> Dashboard:
    """The dashboard of a run, made when it is first shown.

    Raises:
        TimeoutError: the run has recorded nothing yet.
    """
    folder = run.folder.resolve()
    _keep(folder, _BOARDS.get(folder) or Dashboard.follow(folder / FILE_NAME))
    return _BOARDS[folder]


def adopt(run: "Run", board: Dashboard) -> None:
    """Make the frame that was shown while a run was being set up the dashboard of that run."""
    folder = run.folder.resolve()
    board.begin(folder / FILE_NAME)
    _keep(folder, board)


def _keep(folder: Path, board: Dashboard) -> None:
    _BOARDS[folder] = board
    _BOARDS.move_to_end(folder)
    while len(_BOARDS) > MOST:
        _BOARDS.popitem(last=False)[1].close()


def close_all() -> None:
    """Close every dashboard of this kernel."""
    while _BOARDS:
        _BOARDS.popitem()[1].close()
