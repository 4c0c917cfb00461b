"""The attacks on a run as a widget; it follows the record while the run goes on.

A page may say hello, and nothing else. The record is read again with a heartbeat, after a round is over.
"""

import contextlib
from collections import deque
from typing import Any, Final

import traitlets

from subnetlab.errors import SubnetLabError
from subnetlab.report.attacks import Attacks
from subnetlab.text import plain_lines
from subnetlab_widgets.attack_view.state import state_of
from subnetlab_widgets.bundle import BundledWidget
from subnetlab_widgets.heartbeat import HEARTBEAT
from subnetlab_widgets.saved import Picture, Pictures

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


class AttackView(BundledWidget):
    """Every miner of a run by its rounds; all open pages show the same."""

    part = traitlets.Unicode("attacks").tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, found: Attacks) -> None:
        """Show a run as far as it has come."""
        self.shown = found
        self._pictures = Pictures(Picture(self._page, lambda: repr(self.shown)))
        super().__init__("views", state=state_of(found))
        self.on_msg(self._receive)

    def close(self) -> None:
        """Take the view off the page."""
        HEARTBEAT.leave(id(self))
        super().close()

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

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and content.get("k") == "hello":
            HEARTBEAT.join(id(self), self._beat)
            self._beat()  # the answer: until it comes, the page says hello again

    def _beat(self) -> None:
        if self.comm is None:
            return
        with contextlib.suppress(SubnetLabError, OSError):  # what was there last stays
            self.update()
        self.send({"k": "beat"})

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data:
            data["text/plain"] = plain_lines(f"Attacks on run {self.shown.run}")
        return bundle

    def _ipython_display_(self) -> None:
        HEARTBEAT.join(id(self), self._beat)  # a page's hello may wait for the next cell to end
        self._pictures.show(self._repr_mimebundle_())
