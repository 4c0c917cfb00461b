"""What runs behind the cells of one shell, closed once and in reverse order of starting.

A service is anything with `close()`: a pump that keeps an output up to date, a connection. Processes that
must outlive the shell (a detached run) are not services.
"""

import contextlib
import threading
from typing import Protocol


class Service(Protocol):
    """Something that can be closed, at most once needed, safe to close twice."""

    def close(self) -> None:
        """Stop it and give back what it holds."""
        ...


class Services:
    """The open services of a shell."""

    def __init__(self) -> None:
        self._open: list[Service] = []
        self._lock = threading.Lock()

    def add(self, service: Service) -> None:
        """Own a service from now on."""
        with self._lock:
            self._open.append(service)

    def __len__(self) -> int:
        return len(self._open)

    def close(self) -> None:
        """Close all, newest first; one that fails does not keep the others open."""
        while True:
            with self._lock:
                if not self._open:
                    return
                service = self._open.pop()
            with contextlib.suppress(Exception):
                service.close()


SERVICES = Services()
"""One shell lives in one process, so one list serves it."""
