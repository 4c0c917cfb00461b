"""Start the embedded node as a process of its own, stop it, and start it again where it was killed.

The node is a command (`python -m subnetlab.devnet`), never an import: what a notebook sees of it is its
endpoint, as of any other chain. It runs in its own session, so an interrupt in a cell does not reach it. Its
folder, `nodes/<id>/` under SubnetLab's home, holds the chain, its log, and how to start it again; a lock on a
file there, which the system frees with the process, says whether it lives. The node itself writes the token
of its `dev_` methods beside these folders, by its port (`settings.dev_token_file`).
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Final

from subnetlab.errors import NodeStartFailed, SubnetLabError
from subnetlab.network.dev import DevControls
from subnetlab.record.files import PRIVATE_UMASK, make_private, open_log, write_private
from subnetlab.record.lock import is_held, locked, locked_folder, take_lock
from subnetlab.settings import nodes_folder
from subnetlab.waiting import waiting

START_LIMIT_S = 30.0
_STOP_LIMIT_S = 5.0
_LOOK_AGAIN_S = 0.01
_LISTENING = re.compile(r"listening (ws://\S+)")
_CHAIN: Final = "chain"
_LOG: Final = "node.log"
_NODE: Final = "node.json"
_ALIVE: Final = "node.lock"


class EmbeddedNode:
    """A running node of this machine; close it, or use it as a context manager.

    Args:
        arguments: options of the node's command, such as `--block-time 0.25`.
        folder: where its chain and its log go.

    Raises:
        NodeStartFailed: it did not open its port; the message ends with what it wrote.
    """

    def __init__(self, *arguments: str, folder: Path | None = None) -> None:
        self.folder = folder or nodes_folder() / secrets.token_hex(4)
        make_private(self.folder)
        self._process, self.endpoint = _start(self.folder, ["--port", "0", *arguments])
        known = {"endpoint": self.endpoint, "arguments": arguments}
        write_private(self.folder / _NODE, json.dumps(known) + "\n")

    @property
    def pid(self) -> int:
        """The id of the process that was started here."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the node runs, in this process or in one that brought it back."""
        return is_alive(self.folder)

    def leave(self) -> None:
        """Let it go on by itself, until no client is connected."""
        _reap(self._process, self.folder.name)

    def close(self) -> None:
        """Ask it to stop, and insist after five seconds; closing twice does nothing."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        elif self.alive:  # it was killed and brought back
            with contextlib.suppress(SubnetLabError):
                DevControls(self.endpoint, timeout_s=_STOP_LIMIT_S).shutdown()
            deadline, pause = monotonic() + _STOP_LIMIT_S, threading.Event()
            while self.alive and monotonic() < deadline:
                pause.wait(_LOOK_AGAIN_S)


def is_alive(folder: Path) -> bool:
    """Whether the node of a folder runs."""
    return is_held(folder / _ALIVE)


def node_at(endpoint: str) -> str:
    """The name of the folder whose living node answers at an endpoint; empty where none does."""
    for folder in _folders():
        if _known(folder).get("endpoint") == endpoint and is_alive(folder):
            return folder.name
    return ""


def bring_back(name: str) -> bool:
    """Start a dead embedded node again: same chain, same port, time standing still until it is paced.

    Args:
        name: of its folder.

    Returns:
        Whether that was needed; however many ask at once, one node is started.

    Raises:
        NodeStartFailed: its folder is gone, or it did not open its port.
    """
    folder = nodes_folder() / name
    known = _known(folder)
    if not name or not known:
        raise NodeStartFailed(
            f"The chain of node {name or '(unnamed)'} was not kept.", hint="Start a new run."
        )
    with locked(folder / "start.lock"):
        if is_alive(folder):
            return False
        port = str(known["endpoint"]).rsplit(":", 1)[1]
        process, _ = _start(folder, ["--port", port, *known["arguments"], "--hold"])
    _reap(process, name)
    return True


def sweep(needed: Sequence[str]) -> None:
    """Remove what dead nodes left, apart from those that are needed by name."""
    for folder in _folders():
        if folder.name not in needed and not is_alive(folder):
            shutil.rmtree(folder, ignore_errors=True)
    root = nodes_folder()
    if root.is_dir():
        with locked_folder(root):
            for token in root.glob("*.token"):
                if not is_held(token):
                    token.unlink(missing_ok=True)


def dead_nodes() -> list[str]:
    """Names of the nodes that do not run but could be brought back."""
    return [folder.name for folder in _folders() if not is_alive(folder)]


def _folders() -> list[Path]:
    root = nodes_folder()
    return [path.parent for path in root.glob(f"*/{_NODE}")] if root.is_dir() else []


def _known(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / _NODE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _reap(process: "subprocess.Popen[bytes]", name: str) -> None:
    """The process that started a node may live for days: a thread collects the exit status when it ends."""
    threading.Thread(target=process.wait, name=f"node {name}", daemon=True).start()


def _start(folder: Path, arguments: Sequence[str]) -> "tuple[subprocess.Popen[bytes], str]":
    """Start the command on the chain of a folder and wait for its port."""
    alive = os.open(folder / _ALIVE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not take_lock(alive):
            raise NodeStartFailed(f"The node in {folder} is running already.")
        command = [sys.executable, "-m", "subnetlab.devnet", "--state", str(folder / _CHAIN), *arguments]
        # A file and not a pipe: the node goes on after this process has gone.
        with os.fdopen(open_log(folder / _LOG), "ab") as log:
            before = log.tell()
            process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=PRIVATE_UMASK,
                pass_fds=(alive,),  # the lock lives as long as the node
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
    finally:
        os.close(alive)
    try:
        with waiting("the chain to start"):
            return process, _endpoint(process, folder / _LOG, before)
    except BaseException:
        process.kill()
        process.wait()
        raise


def _endpoint(process: "subprocess.Popen[bytes]", log: Path, before: int) -> str:
    """Where a new process listens, once it says so in its log behind what was there `before`."""
    deadline, pause = monotonic() + START_LIMIT_S, threading.Event()
    while True:
        ended = process.poll() is not None
        written = log.read_bytes()[before:].decode(errors="replace")
        found = _LISTENING.search(written)
        if found and "Imported #" in written:
            return found.group(1)
        if ended or monotonic() > deadline:
            last = " / ".join(written.strip().splitlines()[-3:]) or "it wrote nothing"
            raise NodeStartFailed(f"The embedded node did not open its port: {last}.")
        pause.wait(_LOOK_AGAIN_S)
