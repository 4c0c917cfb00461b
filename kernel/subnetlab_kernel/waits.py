"""What a cell waits for, as an output below it that is empty again when the wait is over."""

import secrets

from IPython.display import publish_display_data

from subnetlab.waiting import sentence

PREFIX = "waiting-"
"""What the display id of such an output begins with."""


class OutputLine:
    """One output of the cell that waits, written over itself."""

    def __init__(self) -> None:
        self._display_id = ""

    def show(self, what: str, detail: str) -> None:
        """Write it, or write over it."""
        known, self._display_id = self._display_id, self._display_id or f"{PREFIX}{secrets.token_hex(8)}"
        self._publish(sentence(what, detail), update=bool(known))

    def clear(self) -> None:
        """Leave nothing to read, in the page or in the saved notebook."""
        if self._display_id:
            self._publish("", update=True)

    def _publish(self, text: str, *, update: bool) -> None:
        publish_display_data({"text/plain": text}, transient={"display_id": self._display_id}, update=update)
