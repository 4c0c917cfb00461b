"""The attacks on a run as a widget; it follows the record while the run goes on.

A page may say hello, and nothing else. The record is read again with a heartbeat, after a round is over.
"""

import contextlib
from collections import deque
from typing import Final

import traitlets

from subnetlab.errors import SubnetLabError
from subnetlab.report.attacks import Attacks
from subnetlab_widgets.attack_view.state import state_of
from subnetlab_widgets.saved import Picture, SavedWidget

MOST: Final = 8
"""Open at once; the oldest is closed first, so that a long session does not collect widgets."""
_OPEN: "deque[AttackView]" = deque()


def attacks(found: Attacks) -> "AttackView":
    """The attacks on a run, as they go on; the last line of a cell shows them.

    Example:
        >>> attacks(run.attacks())  # doctest: +SKIP
    """
    made = AttackView(found)
    _OPEN.append(made)
    while len(_OPEN) > MOST:
        _OPEN.popleft().close()
    return made


class AttackView(SavedWidget):
    """Every miner of a run by its rounds; all open pages show the same."""

    part = traitlets.Unicode("attacks").tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, found: Attacks) -> None:
        """Show a run as far as it has come."""
        self.shown = found
        super().__init__("views", Picture(self._page, lambda: repr(self.shown)), state=state_of(found))

    def update(self) -> None:
        """Read the record again, if a round is over since.

        Raises:
            RecordCorrupt: the record was changed or cut.
        """
        before = self.shown
        if before.ended or before.again is None:
            return
        found = before.again()
        if found.ended or found.rounds != before.rounds:
            self.shown = found
            self.state = state_of(found)
        if found.ended:
            self._pictures.update()

    def _page(self) -> str:
        return self.shown.page()

    def _beat(self) -> None:
        if self.comm is None:
            return
        with contextlib.suppress(SubnetLabError, OSError):  # what was there last stays
            self.update()
        super()._beat()

    def _name(self) -> str:
        return f"Attacks on run {self.shown.run}"
