"""Start the embedded node as a process of its own, and stop it.

The node is a command (`python -m subnetlab.devnet`), never an import: what a notebook sees of it is its
endpoint, as of any other chain. It runs in its own session, so an interrupt in a cell does not reach it, and
writes its log into `nodes/<id>/node.log` under SubnetLab's home.
"""

import os
import re
import secrets
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

from subnetlab.errors import NodeStartFailed
from subnetlab.settings import nodes_folder

START_LIMIT_S = 30.0
_STOP_LIMIT_S = 5.0
_LOOK_AGAIN_S = 0.01
_LISTENING = re.compile(r"listening (ws://\S+)")


class EmbeddedNode:
    """A running node of this machine; close it, or use it as a context manager.

    Args:
        arguments: options of the node's command, such as `--block-time 0.25`.
        folder: where its log goes.

    Raises:
        NodeStartFailed: it did not open its port; the message ends with what it wrote.
    """

    def __init__(self, *arguments: str, folder: Path | None = None) -> None:
        self.folder = folder or nodes_folder() / secrets.token_hex(4)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "node.log"
        command = [sys.executable, "-m", "subnetlab.devnet", "--port", "0", *arguments]
        # A file and not a pipe: the node goes on after this process has gone.
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        try:
            self.endpoint = self._await_endpoint()
        except BaseException:
            self.close()
            raise

    def _await_endpoint(self) -> str:
        deadline, pause = monotonic() + START_LIMIT_S, threading.Event()
        while True:
            ended = self._process.poll() is not None
            written = self.log.read_text(encoding="utf-8", errors="replace")
            found = _LISTENING.search(written)
            if found and "Imported #" in written:
                return found.group(1)
            if ended or monotonic() > deadline:
                last = " / ".join(written.strip().splitlines()[-3:]) or "it wrote nothing"
                raise NodeStartFailed(f"The embedded node did not open its port: {last}.")
            pause.wait(_LOOK_AGAIN_S)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """Ask it to stop, and insist after five seconds; closing twice does nothing."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
