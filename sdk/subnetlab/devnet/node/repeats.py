"""A log that says the same thing once a minute: a fault in every block must not fill the disk."""

import logging
import time

QUIET_S = 60.0
_MOST_KINDS = 256


class Repeats(logging.Filter):
    """Lets a message through once a minute, and says then how often it was held back."""

    def __init__(self) -> None:
        """Know of no message yet."""
        super().__init__()
        self._said: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this record is written; a written one counts those that were not."""
        raised = record.exc_info[1] if record.exc_info else None
        kind = f"{record.name}: {raised!r}" if raised is not None else record.getMessage()
        now = time.monotonic()
        last, held = self._said.get(kind, (-QUIET_S, 0))
        if now - last < QUIET_S:
            self._said[kind] = last, held + 1
            return False
        if len(self._said) >= _MOST_KINDS:
            self._said.clear()
        self._said[kind] = now, 0
        if held:
            record.msg = f"{record.getMessage()} (and {held} times more since)"
            record.args = ()
        return True
