"""A cell that was sent to peers of a run, and what has come of it: the owner's end of `worker.cells`.

One connection a peer, opened at the run's control socket and passed on from there. The caller that waits
reads; where none does, a thread reads. Hanging up, as the end of this process does, interrupts the cell.
"""

import contextlib
import json
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from subnetlab.errors import CellFailed, FleetError
from subnetlab.fleet.control import CELL, call
from subnetlab.fleet.run_folder import SUPERVISOR_FILE
from subnetlab.text import plain_lines

MOST_CODE: Final = 1_000_000
"""Bytes of a cell as it is sent."""
_ASK_LIMIT_S: Final = 5.0
_INTERRUPT_LIMIT_S: Final = 5.0
"""How long an interrupted cell is waited for; a peer gives one up earlier, unless it is paused."""
_MOST_BYTES: Final = 32_000_000
"""Of one message of a peer."""
_GONE: Final = "Its process ended while the cell ran."
_SILENT: Final = "It does not answer; perhaps it is paused."

Stream = Literal["stdout", "stderr"]
Status = Literal["running", "ok", "error", "interrupted", "abandoned", "gone"]
OnOutput = Callable[[int, Stream, str], object]


@dataclass(slots=True)
class PeerOutput:
    """What one peer has made of a cell so far."""

    uid: int
    status: Status = "running"
    stdout: str = ""
    stderr: str = ""
    result: str | None = None
    """The `repr` of the last expression."""
    ename: str = ""
    evalue: str = ""
    traceback: str = ""


class _Line:
    """The connection to one peer."""

    def __init__(self, connection: socket.socket, output: PeerOutput) -> None:
        self.connection, self.output = connection, output
        self._text = bytearray()

    def messages(self) -> list[dict[str, Any]] | None:
        """What has come, message by message; None at the end, or where it cannot be read."""
        try:
            piece = self.connection.recv(1 << 20)
            self._text += piece
            if not piece or len(self._text) > _MOST_BYTES:
                return None
            if b"\n" not in piece:
                return []
            *lines, rest = bytes(self._text).split(b"\n")
            self._text = bytearray(rest)
            found = [json.loads(line) for line in lines]
        except (OSError, ValueError, RecursionError):
            return None
        return found if all(isinstance(message, dict) for message in found) else None


class FleetResult:
    """A cell on several peers, in the words of ipyparallel's `AsyncResult`.

    Args:
        run_folder: of a run whose supervisor is alive.
        code: Python source.
        uids: of the peers.
        on_output: takes what they print while it is waited for: uid, stream, text.

    Raises:
        FleetError: the code is too long, or the supervisor does not answer.
    """

    def __init__(
        self, run_folder: Path, code: str, uids: Iterable[int], *, on_output: OnOutput | None = None
    ) -> None:
        self._code, self._on_output = json.dumps({"code": code}).encode() + b"\n", on_output
        if len(self._code) > MOST_CODE:
            raise FleetError(
                f"The cell has {len(self._code):,} bytes; {MOST_CODE:,} are the most.",
                hint="Put the code into a module that the miners can import, and call it from the cell.",
            )
        self.outputs = {uid: PeerOutput(uid) for uid in uids}
        """What each peer has made of it so far, by uid."""
        self._reading = threading.Lock()
        self._lines = selectors.DefaultSelector()
        self._interrupted_at: float | None = None
        try:
            token = json.loads((run_folder / SUPERVISOR_FILE).read_text(encoding="utf-8"))["token"]
            for uid, output in self.outputs.items():
                connection = call(run_folder, token, CELL, _ASK_LIMIT_S, asked={"uid": uid})
                self._lines.register(connection, selectors.EVENT_READ, _Line(connection, output))
        except (OSError, ValueError, KeyError) as error:
            self.close()
            raise FleetError(
                f"The supervisor of {run_folder.name} does not answer: {error}.",
                hint="run says how it goes on; its folder's supervisor.log says what happened.",
            ) from error

    # -- asked by a person ---------------------------------------------------------------------------------

    def ready(self) -> bool:
        """Whether every peer is through with it."""
        return all(output.status != "running" for output in self.outputs.values())

    def successful(self) -> bool:
        """Whether every peer is through with it, without an error."""
        return all(output.status == "ok" for output in self.outputs.values())

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to so many seconds until every peer is through; whether they are."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.ready():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            self._read(left)
        return True

    def get(self, timeout: float | None = None) -> dict[int, str | None]:
        """Wait for the results, by uid: the `repr` of the last expression, None where it has none.

        Raises:
            CellFailed: it failed on a peer.
            TimeoutError: a peer is not through within so many seconds; the cell goes on.
        """
        if not self.wait(timeout):
            busy = ", ".join(str(uid) for uid, output in self.outputs.items() if output.status == "running")
            raise TimeoutError(f"The cell still runs on {busy} after {timeout:g} s.")
        self.raise_for_errors()
        return {uid: output.result for uid, output in self.outputs.items()}

    def interrupt(self) -> None:
        """Break it off on every peer where it still runs, and have what is not begun left."""
        self._interrupted_at = time.monotonic()
        for line in self._open_lines():
            with contextlib.suppress(OSError):
                line.connection.sendall(b'{"interrupt": true}\n')

    abort = interrupt

    def raise_for_errors(self) -> None:
        """Say in one sentence on which peers it failed.

        Raises:
            CellFailed: on one at least.
        """
        failed = [output for output in self.outputs.values() if output.status not in ("ok", "running")]
        if not failed:
            return
        first = failed[0]
        why = f"{first.ename}: {first.evalue}" if first.ename else first.evalue
        uids = ", ".join(str(output.uid) for output in failed)
        raise CellFailed(
            f"The cell failed on {len(failed)} of {len(self.outputs)} peers ({uids})."
            f" {first.uid}: {why[:300].rstrip('.')}."
        )

    def __repr__(self) -> str:
        states: dict[str, list[str]] = {}
        for output in self.outputs.values():
            states.setdefault(output.status, []).append(str(output.uid))
        said = "; ".join(f"{state}: {', '.join(uids)}" for state, uids in states.items())
        return plain_lines(f"<cell on {len(self.outputs)} peers, {said}>")

    # -- underneath ------------------------------------------------------------------------------------------

    def see_through(self) -> None:
        """Wait for the end and hang up; an interrupt breaks the cell off on every peer and is raised."""
        with contextlib.closing(self):
            try:
                self.wait()
            except KeyboardInterrupt:
                self.interrupt()
                self.wait()
                raise

    def read_in_background(self) -> None:
        """Have a thread take what comes, so that peers never wait for a reader."""
        threading.Thread(target=self.wait, name="cell on the fleet", daemon=True).start()

    def close(self) -> None:
        """Hang up, which interrupts the cell where it still runs."""
        for line in self._open_lines():
            self._end(line, status="gone", evalue="It was left.")
        self._lines.close()

    def _open_lines(self) -> list[_Line]:
        map_ = self._lines.get_map()
        return [key.data for key in list(map_.values())] if map_ else []

    def _read(self, timeout: float | None) -> None:
        """Take what comes next, one reader at a time; an interrupted peer is not waited for long."""
        if self._interrupted_at is not None:
            left = self._interrupted_at + _INTERRUPT_LIMIT_S - time.monotonic()
            if left <= 0:
                for line in self._open_lines():
                    self._end(line, status="abandoned", evalue=_SILENT)
                return
            timeout = left if timeout is None else min(timeout, left)
        longest = _INTERRUPT_LIMIT_S if timeout is None else min(timeout, _INTERRUPT_LIMIT_S)
        if not self._reading.acquire(timeout=longest):
            return
        try:
            for key, _ in self._lines.select(longest) if not self.ready() else ():
                self._hear(key.data)
        finally:
            self._reading.release()

    def _hear(self, line: _Line) -> None:
        messages = line.messages()
        if messages is None:
            self._end(line, status="gone", evalue=_GONE)
            return
        for message in messages:
            if message.get("ok") is True:
                self._send_code(line)
            elif message.get("ok") is False:
                self._end(line, status="gone", evalue=str(message.get("error")))
            elif "stream" in message:
                self._print(line.output, message)
            elif isinstance(message.get("done"), dict):
                self._end(line, **message["done"])

    def _send_code(self, line: _Line) -> None:
        try:
            line.connection.sendall(self._code)
        except OSError as error:
            self._end(line, status="gone", evalue=f"It took no cell: {error}.")

    def _print(self, output: PeerOutput, message: dict[str, Any]) -> None:
        stream: Stream = "stderr" if message["stream"] == "stderr" else "stdout"
        text = str(message.get("text"))
        setattr(output, stream, getattr(output, stream) + text)
        if self._on_output is not None:
            self._on_output(output.uid, stream, text)

    def _end(self, line: _Line, **said: Any) -> None:
        for name in ("result", "ename", "evalue", "traceback", "status"):  # the status last: it says ready
            if name in said:
                setattr(line.output, name, said[name])
        with contextlib.suppress(KeyError, ValueError):
            self._lines.unregister(line.connection)
        line.connection.close()
