"""Keep one output of a notebook up to date while a run goes on.

A thread of its own, because a busy cell starves the shell's loop; the plain kind of output (HTML, SVG, text)
under a display id, because it stays readable in a saved notebook and in every front end. It redraws when the
record has grown, at most twice a second, and once more at the end.
"""

import threading
from typing import Any, Protocol

from IPython.display import DisplayHandle, display

PERIOD_S = 0.5


class Growing(Protocol):
    """What can be followed: it tells how much there is and whether more can come."""

    def size(self) -> int:
        """Grows whenever there is something new to show."""
        ...

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        ...


class Pump:
    """A thread that shows a growing thing again whenever it has grown."""

    def __init__(self, thing: Growing, handle: DisplayHandle) -> None:
        self._thing, self._handle = thing, handle
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._pump, name="subnetlab-live", daemon=True)
        self._thread.start()

    def _pump(self) -> None:
        shown = -1
        while not self._stop.is_set():
            ended, size = self._thing.ended, self._thing.size()
            if size != shown:
                self._handle.update(self._thing)
                shown = size
            if ended:
                return
            self._stop.wait(PERIOD_S)

    def close(self) -> None:
        """Stop redrawing; the last picture stays."""
        self._stop.set()
        self._thread.join(2.0)


def follow(thing: Growing) -> Pump:
    """Show a thing below the present cell and keep the picture up to date."""
    handle: Any = display(thing, display_id=True)
    return Pump(thing, handle)
