"""One live dashboard per run and kernel, however often the run is shown.

A second cell, or a second look at the same run, gets another view of the same widget. Old ones are closed, so
that a long session does not collect threads.
"""

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.display import DisplayHandle

from subnetlab.record.line import FILE_NAME
from subnetlab.report import html
from subnetlab_widgets import saved
from subnetlab_widgets.dashboard import Dashboard
from subnetlab_widgets.saved import Picture

if TYPE_CHECKING:
    from subnetlab.lab.run import Run

MOST = 8
_BOARDS: OrderedDict[Path, Dashboard] = OrderedDict()


def picture_of(run: "Run") -> Picture:
    """The plain picture of a run as it is when this is shown."""
    from subnetlab.lab.replay import Recording  # noqa: PLC0415  (loaded with the object it draws)

    note = (
        "Saved picture of a recorded run; sl.open replays its file."
        if isinstance(run, Recording)
        else f"Saved picture; where the run was made, %sl attach {run.id} shows it live."
    )
    return Picture(lambda: run.page() + html.paragraph(note, faint=True), lambda: repr(run))


def show(run: "Run") -> DisplayHandle:
    """Show a run as it goes on, and as it is now for a later reader of the notebook."""
    return saved.show(board_of(run), picture_of(run))


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
