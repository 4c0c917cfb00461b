"""The control socket of a running supervisor: `status`, `stop`, `kill` …, for this machine's same user alone.

A Unix socket in the run folder (mode 0600). A request is one JSON line with the token of the supervisor's
own 0600 file; on Linux the kernel's word on the caller's user id is checked too. The reader of a run needs
none of this: what happened is in the record.
"""

import contextlib
import json
import math
import os
import secrets
import socket
import struct
import sys
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from subnetlab.errors import ControlRefused, FleetError
from subnetlab.record.events import Spent, SpentWhat, from_json

CONTROL_SOCKET = "control.sock"
_LINE_LIMIT = 4096
_PATH_LIMIT = 100
"""A Unix socket's path holds 107 bytes on Linux and 103 on macOS."""

_MOST_WAITING = 128
"""Callers that wait to be let in: a cell on a fleet calls once for each miner."""

Answer = dict[str, Any]
Verb = Callable[[Answer], Answer | None]
"""Answers a request; None where the connection was passed on, and the answer comes from there."""
CELL: Final = "cell"
"""The verb that passes the connection on to the peer of a uid."""


@contextlib.contextmanager
def _reachable(path: Path) -> Generator[str]:
    """A name of the socket that is short enough for the kernel, whatever the run folder's depth."""
    if len(os.fsencode(path)) < _PATH_LIMIT:
        yield str(path)
        return
    if not sys.platform.startswith("linux"):
        raise FleetError(
            f"The path {path} is too long for a socket.", hint="Set SUBNETLAB_HOME to a shorter one."
        )
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class ControlServer:
    """Listens in a run folder; the supervisor's loop calls `accept` and `answer` on what is readable.

    `spent` is called in that loop with every stake or payment that a notebook reports.
    """

    def __init__(
        self, run_folder: Path, token: str, *, spent: Callable[[Spent], object] = lambda _: None
    ) -> None:
        self.path = run_folder / CONTROL_SOCKET
        self._token, self._spent = token, spent
        self._pending: dict[socket.socket, bytes] = {}
        self.path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        mask = os.umask(0o177)
        try:
            with _reachable(self.path) as name:
                self.listener.bind(name)
        finally:
            os.umask(mask)
        self.listener.listen(_MOST_WAITING)
        self.listener.settimeout(0)

    def accept(self) -> socket.socket | None:
        """Let one caller in; None if it already left or belongs to another user."""
        try:
            caller, _ = self.listener.accept()
        except OSError:
            return None
        if not _same_user(caller):
            caller.close()
            return None
        caller.settimeout(0)
        self._pending[caller] = b""
        return caller

    def answer(self, caller: socket.socket, verbs: Mapping[str, Verb]) -> bool:
        """Read on; answer a whole line. True once the caller is done with and closed.

        A verb takes what the request says beside its name, and may raise `FleetError` to refuse it.
        """
        try:
            piece = caller.recv(_LINE_LIMIT)
        except BlockingIOError:
            return False
        except OSError:
            piece = b""
        text = self._pending[caller] + piece
        self._pending[caller] = text
        if piece and b"\n" not in text and len(text) < _LINE_LIMIT:
            return False
        if piece:
            caller.settimeout(1.0)
            response = self._respond(text, verbs)
            with contextlib.suppress(OSError):  # the caller left without waiting; what it asked for is done
                if response is not None:
                    caller.sendall(json.dumps(response).encode() + b"\n")
        self._drop(caller)
        return True

    def _respond(self, text: bytes, verbs: Mapping[str, Verb]) -> Answer | None:
        try:
            request = json.loads(text)
            token, verb = str(request["token"]), str(request["verb"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return {"ok": False, "error": "not a request"}
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return {"ok": False, "error": "wrong token"}
        try:
            answer = self._answer(verb, request, verbs)
        except FleetError as error:
            return {"ok": False, "error": str(error)}
        except (KeyError, TypeError, ValueError) as error:
            return {"ok": False, "error": f"what {verb!r} needs is missing or wrong: {error}"}
        return None if answer is None else {"ok": True, **answer}

    def _answer(self, verb: str, request: Answer, verbs: Mapping[str, Verb]) -> Answer | None:
        if verb in verbs:
            return verbs[verb](request.get("asked") or {})
        if verb != "spent":
            raise FleetError(f"no verb is called {verb!r}", hint="")
        event = _spent(request.get("event"))
        if event is None:
            raise FleetError("not a stake or a payment", hint="")
        self._spent(event)
        return {}

    def _drop(self, caller: socket.socket) -> None:
        self._pending.pop(caller, None)
        caller.close()

    def close(self) -> None:
        """Remove the socket, then stop listening: a caller that is cut off can see why. Harmless twice."""
        self.path.unlink(missing_ok=True)
        for caller in list(self._pending):
            self._drop(caller)
        self.listener.close()


def _same_user(caller: socket.socket) -> bool:
    """Whether the kernel says that the caller is this user; where it cannot, mode 0600 alone protects."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    _, user, _ = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return user == os.getuid()


def _spent(told: object) -> Spent | None:
    """A reported stake or payment; None where a field is missing or of the wrong type."""
    fields: dict[str, Any] = {**told, "kind": Spent.kind} if isinstance(told, dict) else {}
    texts = all(isinstance(fields.get(name), str) for name in ("tx", "to"))
    if (
        not texts
        or fields.get("what") not in get_args(SpentWhat)
        or type(fields.get("amount_rao")) is not int
    ):
        return None
    if not isinstance(fields.get("wallet", ""), str):
        return None
    if any(type(fields.get(name, 0)) is not int for name in ("fee_rao", "block")):
        return None
    event = from_json(fields)
    return event if isinstance(event, Spent) else None


def request(
    run_folder: Path,
    token: str,
    verb: str,
    timeout_s: float = 5.0,
    *,
    event: Answer | None = None,
    asked: Answer | None = None,
) -> Answer:
    """Ask a supervisor for a verb such as `status`, with what it needs to know; return what it says.

    Args:
        run_folder: where it listens.
        token: of its own file.
        verb: what to do.
        timeout_s: the longest wait for the answer.
        event: of the verb `spent`.
        asked: of every other verb.

    Raises:
        ControlRefused: it refused, and said why.
        FleetError: no supervisor listens, or it did not answer in time.
    """
    text = b""
    try:
        with call(run_folder, token, verb, timeout_s, event=event, asked=asked) as line:
            while piece := line.recv(65536):
                text += piece
        answer: Answer = json.loads(text)
    except (OSError, ValueError) as error:
        raise FleetError(
            f"The supervisor of {run_folder} does not answer: {error}.",
            hint="run says how it goes on; its folder's supervisor.log says what happened.",
        ) from error
    if not answer.get("ok"):
        raise ControlRefused(str(answer.get("error")), hint="")
    return answer


def call(
    run_folder: Path,
    token: str,
    verb: str,
    timeout_s: float = 5.0,
    *,
    event: Answer | None = None,
    asked: Answer | None = None,
) -> socket.socket:
    """Ask as `request` does, and return the connection on which the answer comes.

    Raises:
        OSError: no supervisor listens.
        FleetError: the path is too long for a socket.
    """
    line = socket.socket(socket.AF_UNIX)
    try:
        # Python's own timeout would refuse at once where many callers wait to be let in.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", math.ceil(timeout_s), 0))
        with _reachable(run_folder / CONTROL_SOCKET) as name:
            line.connect(name)
        line.settimeout(timeout_s)
        wanted = {"token": token, "verb": verb, "event": event, "asked": asked}
        line.sendall(json.dumps(wanted).encode() + b"\n")
    except BaseException:
        line.close()
        raise
    return line
