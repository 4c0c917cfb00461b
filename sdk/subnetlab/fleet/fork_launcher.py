"""Peers and calls as forks of one server on this machine, which has torch loaded (`forkserver`).

The supervisor names functions by their dotted path and imports none of them, so it stays small. What a call
returns is JSON; an error comes back as the sentence a person can act on.
"""

import contextlib
import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any, Final

from subnetlab.errors import FleetError, FleetStartFailed, NodeUnreachable
from subnetlab.fleet.control_groups import memory_kills
from subnetlab.fleet.forkserver import PRELOAD, start_forkserver
from subnetlab.fleet.launcher import Answer
from subnetlab.fleet.messages import sentence
from subnetlab.fleet.spec import PeerSeat
from subnetlab.fleet.work_limit import WorkLimit
from subnetlab.fleet.worker import cells
from subnetlab.fleet.worker.watch import watch_supervisor

RUN_PEER: Final = "subnetlab.fleet.worker.role:run_peer"
_WAKE: Final = 'read -r _; kill -CONT "$1"'
"""Waits for the end of its input, which also comes when the process at the other end is killed."""
_EXIT_LIMIT_S: Final = 2.0
"""Between a process's last words and its end."""


class ForkLauncher:
    """The launcher of a fleet on this machine.

    Args:
        run_folder: of the run whose peers are started.
        asked_at: `time.monotonic()` when the fleet was asked for.
        peer: dotted path of what a peer's process runs, with the arguments of `worker.role.run_peer`.
        preload: modules that the server imports once.

    Raises:
        FleetStartFailed: the system cannot fork.
    """

    def __init__(
        self,
        run_folder: Path,
        asked_at: float,
        *,
        peer: str = RUN_PEER,
        preload: Sequence[str] = PRELOAD,
    ) -> None:
        self._run_folder, self._asked_at, self._peer = run_folder, asked_at, peer
        self._context = start_forkserver(preload)

    def start(self, seat: PeerSeat) -> "ForkedPeer":
        """Fork a peer for a seat."""
        args = (str(self._run_folder), seat.uid)
        return ForkedPeer(self._context, seat.name, self._peer, args, self._asked_at)

    def call(self, function: str, *args: Any, idle_limit_s: float = 60.0) -> Answer:
        """Call a function in a fork; see `launcher.Launcher.call`."""
        return run_in_fork(self._context, function, *args, idle_limit_s=idle_limit_s)


class ForkedPeer:
    """A peer as a forked process: a `launcher.PeerHandle`."""

    def __init__(
        self, context: ForkServerContext, name: str, target: str, args: tuple[Any, ...], asked_at: float
    ) -> None:
        self._pipe, writing = context.Pipe(duplex=False)
        os.set_blocking(self._pipe.fileno(), False)
        self._waker: Popen[bytes] | None = None
        self._memory_kills = memory_kills()
        self._door, door = socket.socketpair()
        self._door.settimeout(0)
        with door, contextlib.ExitStack() as not_started:
            not_started.callback(self._door.close)
            words = (target, args, writing, asked_at, door)
            self._process = _started(context, name, _run_named, words, writing)
            not_started.pop_all()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid or 0

    def fileno(self) -> int:
        """The reading end of its pipe."""
        return self._pipe.fileno()

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        self._process.kill()
        self._process.join(_EXIT_LIMIT_S)

    def pause(self) -> None:
        """Send SIGSTOP, once something is there that sends SIGCONT when this process ends.

        Raises:
            FleetError: that cannot be started; the peer goes on.
        """
        if self._waker is None:
            try:
                self._waker = Popen(  # noqa: S603 - the shell of POSIX, with a number
                    ["/bin/sh", "-c", _WAKE, "wake", str(self.pid)],
                    stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise FleetError(
                    f"A paused peer could not be woken again: {error}.",
                    hint="run.kill(uid) ends it; run.join() starts another in its place.",
                ) from error
            os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Have SIGCONT sent."""
        if self._waker is not None:
            self._waker.communicate()
            self._waker = None

    def pass_on(self, caller: socket.socket) -> None:
        """Hand over a connection, over the socket that the peer was started with.

        Raises:
            FleetError: the peer is gone, or has not taken many before this one.
        """
        try:
            socket.send_fds(self._door, [b"c"], [caller.fileno()])
        except OSError as error:
            raise FleetError(
                f"Its process takes no cell just now: {error}.",
                hint="Try again when the round at hand is over, or name the other miners with --targets.",
            ) from error

    def close(self) -> str:
        """Close pipe and socket and collect the exit status."""
        self.go_on()
        self._pipe.close()
        self._door.close()
        self._process.join(_EXIT_LIMIT_S)
        if self._process.exitcode is None:
            self.kill()
        return exit_sentence(self._process.exitcode, no_memory=memory_kills() > self._memory_kills)


def exit_sentence(code: int | None, *, no_memory: bool = False) -> str:
    """How a process ended that left no last words.

    Args:
        code: its exit status, negative for a signal.
        no_memory: whether the system has killed a process for want of memory meanwhile.
    """
    if code is not None and -code == signal.SIGKILL and no_memory:
        return (
            "The system killed its process, for memory ran out. A smaller sl.LocalFleet(miners=…) needs less."
        )
    if code is not None and code < 0:
        return f"Its process was killed by {signal.Signals(-code).name}."
    return f"Its process ended without a word, with status {code}."


def run_in_fork(context: ForkServerContext, function: str, *args: Any, idle_limit_s: float = 60.0) -> Answer:
    """Call `package.module:function` in a fork and return what it answers.

    Raises:
        FleetError: it failed, did nothing within the limit, or was killed.
        NodeUnreachable: it needed the chain, which does not answer.
    """
    name = function.rpartition(":")[2]
    killed_before = memory_kills()
    reading, writing = context.Pipe(duplex=False)
    with reading:
        try:
            process = _started(context, name, _call_named, (function, args, writing), writing)
        except FleetStartFailed as error:
            raise FleetError(str(error), hint="") from error
        answer = _last_line(reading, WorkLimit(idle_limit_s, time.monotonic()))
        if answer is None:
            process.kill()
        process.join(_EXIT_LIMIT_S)
        if process.exitcode is None:
            process.kill()
            process.join()
    if answer is None:
        raise FleetError(f"{name} did nothing for {idle_limit_s:g} s.", hint="")
    if not answer:
        why = exit_sentence(process.exitcode, no_memory=memory_kills() > killed_before)
        raise FleetError(f"{name} failed: {why}", hint="")
    if "error" in answer:
        raise (NodeUnreachable if answer.get("away") else FleetError)(answer["error"], hint="")
    return answer["answer"]


def _last_line(reading: Connection, limit: WorkLimit) -> Answer | None:
    """What a call answered; empty where its process ended without, None where it does nothing."""
    os.set_blocking(reading.fileno(), False)
    text = b""
    while True:
        left = limit.idle_deadline - time.monotonic()
        if left <= 0:
            return None
        if not select.select([reading], [], [], left)[0]:
            continue
        piece = os.read(reading.fileno(), 1 << 16)
        if not piece:
            return {}
        *lines, text = (text + piece).split(b"\n")
        for line in lines:
            message: Answer = json.loads(line)
            if "working" not in message:
                return message
            limit.worked(float(message["working"]), time.monotonic())


def _started(
    context: ForkServerContext, name: str, target: Callable[..., None], args: tuple[Any, ...], end: Connection
) -> ForkServerProcess:
    """Start a fork; `end` is its end of a pipe, closed here."""
    process = context.Process(target=target, args=args, name=name, daemon=True)
    try:
        process.start()
    except (EOFError, OSError) as error:
        raise FleetStartFailed(
            f"The process of {name} could not be started, for the one that loads torch is gone: {error}."
        ) from error
    finally:
        end.close()
    return process


# -- in the fork ---------------------------------------------------------------------------------------------


def _named(function: str) -> Callable[..., Any]:
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)


def _run_named(
    target: str, args: tuple[Any, ...], pipe: Connection, asked_at: float, door: socket.socket
) -> None:
    cells.open_door(door)
    _named(target)(*args, pipe, asked_at)


def _call_named(function: str, args: tuple[Any, ...], pipe: Connection) -> None:
    answered, sending = threading.Event(), threading.Lock()

    def send(message: Answer) -> None:
        left = memoryview(json.dumps(message).encode() + b"\n")
        with sending, contextlib.suppress(OSError):
            while left:
                left = left[os.write(pipe.fileno(), left) :]

    watch_supervisor(lambda cpu_s: send({"working": cpu_s}), answered)
    with _Edge(send):
        send({"answer": _named(function)(*args)})
    answered.set()


class _Edge(contextlib.AbstractContextManager["_Edge"]):
    """Sends an exception's sentence before the process ends with its traceback."""

    def __init__(self, send: Callable[[Answer], None]) -> None:
        self._send = send

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            self._send({"error": sentence(error), "away": isinstance(error, NodeUnreachable)})
