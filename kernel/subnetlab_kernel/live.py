"""Keep one output of a notebook up to date while a run goes on.

A thread of its own, because a busy cell starves the shell's loop; the plain kind of output (HTML, SVG, text)
under a display id, because it stays readable in a saved notebook and in every front end. It redraws when the
record has grown, at most twice a second, and once more at the end.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from IPython.display import DisplayHandle, display

if TYPE_CHECKING:
    from subnetlab.fleet.local import LocalFleet
    from subnetlab.lab.run import Run
    from subnetlab.lab.subnet import Subnet

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
            ended, size = self._run.ended, self._run.size
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


@contextmanager
def foreseen(subnet: "Subnet", rounds: int, fleet: "LocalFleet") -> Generator[Callable[["Run"], None]]:
    """Show the dashboard's frame while a run is set up; call what is given with the run once there is one.

    Where nothing was started, the frame goes away again.
    """
    from subnetlab_widgets import boards, saved  # noqa: PLC0415  (anywidget, once a run is shown)
    from subnetlab_widgets.dashboard import Dashboard, foreseen  # noqa: PLC0415

    net, peers = subnet.net, len(fleet.roles()) + fleet.baseline
    board = Dashboard(
        foreseen(
            name=subnet.name, network=net.name, netuid=subnet.netuid, block=net.block, rounds=rounds,
            miners=fleet.miners, play_money=net.play_money,
        ),
        waiting=f"building the model, then seating and starting {peers} processes",
    )  # fmt: skip
    handle = saved.show_widget(board)
    try:
        yield lambda run: boards.adopt(run, board)
    except BaseException:
        board.close()
        handle.update({"text/plain": ""}, raw=True)
        raise


def follow(run: "Run") -> Pump:
    """Keep the plain picture of a run, which a saved notebook keeps, below the live dashboard."""
    from subnetlab_widgets.boards import picture_of  # noqa: PLC0415  (anywidget, once a run is shown)

    handle: Any = display(picture_of(run), display_id=True)
    return Pump(run, lambda: picture_of(run), handle)
