"""A student's own miner or validator: `subnetlab miner` as a process of its own, one for each class.

It outlives a cell, and ends with its kernel or when it is asked to. A lock that the system frees with the
process says whether it runs, so a kernel that was started again takes hold of it instead of starting another.
"""

import atexit
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, Final

from subnetlab.errors import FleetStartFailed
from subnetlab.fleet.forkserver import ONE_THREAD
from subnetlab.record.files import PRIVATE_UMASK, make_private, open_log, write_private
from subnetlab.record.lock import is_held, take_lock
from subnetlab.report import html
from subnetlab.text import plain

_STARTED: "set[OwnPeer]" = set()
_LOOK_S: Final = 0.05
_STOP_S: Final = 4.0
_WORKED: Final = ("mined", "round_closed")
"""Kinds of a line that say that a round was taken part in."""
_FOR_A_SHELL: Final = re.compile(r"join with --trust \w+")
_MOST_LOG: Final = 1 << 18
"""Bytes of the log's end that are read for a page."""


class OwnPeer:
    """A miner or validator of one's own, by its folder."""

    def __init__(self, folder: Path) -> None:
        """Take hold of the peer that a folder is of; `start` starts one."""
        self.folder = folder

    @classmethod
    def start(cls, folder: Path, words: Sequence[str]) -> "OwnPeer":
        """Start `subnetlab` with some words, the role first.

        Raises:
            FleetStartFailed: one runs already.
        """
        make_private(folder)
        lock = os.open(folder / "peer.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not take_lock(lock):
                raise FleetStartFailed("Your peer runs already.", hint="End it first: net.peer.stop().")
            (folder / "peer.log").unlink(missing_ok=True)
            with os.fdopen(open_log(folder / "peer.log"), "ab") as log:
                process = subprocess.Popen(  # noqa: S603 - our own command
                    [sys.executable, "-m", "subnetlab", *words, "--json"], stdin=subprocess.DEVNULL,
                    stdout=log, stderr=subprocess.STDOUT, start_new_session=True, umask=PRIVATE_UMASK,
                    pass_fds=(lock,), env={**os.environ, **ONE_THREAD},
                )  # fmt: skip
        finally:
            os.close(lock)
        write_private(folder / "peer.json", json.dumps({"pid": process.pid, "role": words[0]}))
        threading.Thread(target=process.wait, name=f"{words[0]} {process.pid}", daemon=True).start()
        peer = cls(folder)
        if not _STARTED:
            atexit.register(_stop_all)
        _STARTED.add(peer)
        return peer

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return is_held(self.folder / "peer.lock")

    @property
    def role(self) -> str:
        """What it takes part as; empty before the first."""
        return str(self._known.get("role", ""))

    @property
    def pid(self) -> int | None:
        """The id of the process; None where none runs."""
        return int(self._known["pid"]) if self.alive and "pid" in self._known else None

    def stop(self) -> None:
        """End it after the round at hand, or at once where that takes longer than a few seconds."""
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            pid = self.pid
            if pid is None:
                return
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline, pause = monotonic() + _STOP_S, threading.Event()
            while self.alive and monotonic() < deadline:
                pause.wait(_LOOK_S)

    def lines(self) -> Iterator[dict[str, Any]]:
        """What it said, newest last, as the events and notes of its log."""
        with suppress(OSError), (self.folder / "peer.log").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_LOG))
            for line in file.read(_MOST_LOG).splitlines():
                with suppress(ValueError):
                    found: Any = json.loads(line)
                    if isinstance(found, dict):
                        yield found

    @property
    def _known(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder / "peer.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}

    def __repr__(self) -> str:
        if not self.role:
            return "No peer of yours takes part yet: net.start_miner() or net.start_validator()."
        lines = list(self.lines())
        rounds = [int(line["round"]) for line in lines if line.get("kind") in _WORKED]
        said = ""
        for line in lines:  # a note that a later round has overtaken says nothing of now
            if line.get("kind") == "note":
                said = str(line["text"])
            elif line.get("kind") in _WORKED:
                said = ""
        said = _FOR_A_SHELL.sub("start it with trust=True", said)
        state = "runs" if self.alive else "has ended"
        where = f", round {max(rounds) + 1}" if rounds else ""
        if not said and not self.alive:
            said = f"net.start_{self.role}() starts another."
        return f"Your {self.role} {state}{where}. {plain(said, 400)}".strip()

    def _repr_html_(self) -> str:
        return html.block(html.paragraph(repr(self)))


def _stop_all() -> None:
    for peer in list(_STARTED):
        peer.stop()
