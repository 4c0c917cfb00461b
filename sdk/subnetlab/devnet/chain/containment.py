"""The edge at which a fault inside a block stays inside: it is logged, and what it met alone is left out.

On the chain, what a call or a hook does unforeseen traps the runtime; here it must not end the chain.
"""

import logging
from typing import Self

log = logging.getLogger("subnetlab.devnet")


class Contained:
    """A body whose faults end with it."""

    __slots__ = ("_passes", "_what", "failed")

    def __init__(self, what: str, passes: tuple[type[Exception], ...]) -> None:
        """Name what fails in the log."""
        self._what, self._passes = what, passes
        self.failed = False
        """Whether the body raised."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> bool:
        if not isinstance(error, Exception) or isinstance(error, self._passes):
            return False
        log.error("%s failed", self._what, exc_info=error)
        self.failed = True
        return True


def contained(what: str, *, passes: tuple[type[Exception], ...] = ()) -> Contained:
    """Log whatever the body raises, apart from what `passes`, and go on behind it."""
    return Contained(what, passes)
