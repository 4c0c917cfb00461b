"""Who may seal a development chain's blocks: one holder at a time, by a lock on a file of this machine.

Two that seal one chain make each other late, so every verb that seals takes this lock first. A run holds it
from before its first registration until its end: the process that starts the run takes it and hands the open
file to the supervisor. Seals nothing itself; raw `DevControls` do not ask for it.
"""

import contextlib
import json
import os
from pathlib import Path
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

from subnetlab.errors import ChainPaced
from subnetlab.record.lock import take_lock
from subnetlab.settings import nodes_folder

PACER_FD: Final = "SUBNETLAB_PACER_FD"
"""The environment variable that names the open lock file which a new supervisor was handed."""
_LOOK_S: Final = 0.05
_VERB_LIMIT_S: Final = 60.0
"""How long another verb, which seals a few blocks and is done, is waited for."""


class PacerLock:
    """The right to seal one chain's blocks.

    Args:
        endpoint: of the chain's node; the names of this machine's loopback are one.
        descriptor: of the lock file, where another process took the lock and handed it over.
    """

    def __init__(self, endpoint: str, descriptor: int = -1) -> None:
        self._name = f"{_place(endpoint)}.pacer"
        self._descriptor = descriptor

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor >= 0

    def take(self, *, run: str = "", verb: str = "") -> None:
        """Take the lock for a run until its end, or for a verb; a lock that is held already stays as it is.

        Another verb is waited for, a run is not.

        Raises:
            ChainPaced: a run paces the chain, or another verb goes on for a minute.
        """
        if self.held:
            return
        path = nodes_folder() / self._name
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            deadline = monotonic() + _VERB_LIMIT_S
            while not take_lock(descriptor, _LOOK_S):
                _refuse(_read(path), waited_enough=monotonic() > deadline)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"run": run, "verb": verb}).encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor to hand to a child process; the lock is free once every copy of it is closed."""
        return self._descriptor

    def release(self) -> None:
        """Close this process's copy; releasing twice does nothing."""
        if self.held:
            os.close(self._descriptor)
            self._descriptor = -1


def handed_over(endpoint: str) -> PacerLock:
    """The lock of a chain as this process was given it by the one that started it, else one to be taken."""
    named = os.environ.pop(PACER_FD, "")
    if not named.isdigit():
        return PacerLock(endpoint)
    descriptor = int(named)
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - the standard library's own signature
    return PacerLock(endpoint, descriptor)


def _place(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    loopback = host in ("localhost", "::1") or host.startswith("127.")
    return f"{'127.0.0.1' if loopback else host.replace(':', '-')}-{parts.port or parts.scheme}"


def _read(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return dict(json.loads(path.read_text(encoding="utf-8")))
    return {}


def _refuse(holder: dict[str, Any], *, waited_enough: bool) -> None:
    if holder.get("run"):
        raise ChainPaced(f"Run {holder['run']} paces this chain, so nothing else may seal its blocks.")
    if waited_enough:
        who = holder.get("verb") or "Another process"
        raise ChainPaced(f"{who} is sealing blocks of this chain.", hint="Try again once it is done.")
