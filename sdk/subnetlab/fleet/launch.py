"""Start the supervisor of a run as a process of its own, and speak to it later by the run's folder alone.

The folder must hold `manifest.json` and `fleet.json`. The supervisor runs in its own session, so neither an
interrupt nor the end of a notebook reaches it; its starter need not stay. A lock on a file in the
folder, freed by the system when its holder ends, says whether one is running.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from subnetlab.errors import ControlRefused, FleetError, FleetStartFailed
from subnetlab.fleet.control import CONTROL_SOCKET, request
from subnetlab.fleet.forkserver import ONE_THREAD
from subnetlab.fleet.pacer_lock import PACER_FD, PacerLock
from subnetlab.fleet.run_folder import LOCK_FILE, LOG_FILE, READY_FD, SUPERVISOR_FILE, UP
from subnetlab.record.events import Spent
from subnetlab.record.files import PRIVATE_UMASK, open_log
from subnetlab.record.lock import is_held
from subnetlab.settings import run_folders

OBSERVER: Final = "subnetlab.public"
MOST_RUNS: Final = "SUBNETLAB_MOST_RUNS"
"""How many runs of a person may go on at once; set by a host of kernels, whose other limits back it up."""
_TAIL_LINES: Final = 12
_END_LIMIT_S: Final = 5.0
_UP_LIMIT_S: Final = 180.0
"""A supervisor gives up earlier by itself; what it waits for is limited by work, not by the clock."""


def start_supervisor(
    run_folder: Path, *, timeout_s: float = _UP_LIMIT_S, lock: PacerLock | None = None,
    program: str = "subnetlab.fleet",
) -> int:  # fmt: skip
    """Start the supervisor of a run and return its process id once the record has begun.

    A run whose supervisor was killed is taken up where its record ends. Peers come up afterwards; the record
    tells. What it prints goes to `supervisor.log` in the folder. A `lock` that is held goes over to it.
    `program` is the module that keeps the run's record; where others start the peers it is `OBSERVER`.

    Raises:
        FleetStartFailed: one is running already, or this one ended or said nothing within the limit; the
            message ends with the last lines of its log.
    """
    if is_running(run_folder):
        raise FleetStartFailed(f"A supervisor of {run_folder.name} is running already.", hint="Attach to it.")
    _check_host_limit()
    reading, writing = os.pipe()
    handed = {} if lock is None or not lock.held else {PACER_FD: lock.fileno()}
    log = run_folder / LOG_FILE
    with os.fdopen(open_log(log), "ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", program, str(run_folder.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=run_folder,
            env={
                **os.environ,
                **ONE_THREAD,
                **_names({READY_FD: writing, **handed}),
                "PYTHONUNBUFFERED": "1",
            },
            pass_fds=(writing, *handed.values()),
            start_new_session=True,
            umask=PRIVATE_UMASK,
        )
    os.close(writing)
    said, what = b"", "ended"
    try:
        ready, _, _ = select.select([reading], [], [], timeout_s)
        said = os.read(reading, len(UP)) if ready else b""
        what = what if ready else f"said nothing within {timeout_s:g} s"
    finally:
        os.close(reading)
        if said != UP:  # also when the person interrupts the waiting
            _end(process)
    if said != UP:
        raise FleetStartFailed(f"The supervisor of {run_folder.name} {what}:\n{_tail(log)}", hint="")
    # The starter may live for days: the thread collects the exit status when the run ends.
    threading.Thread(target=process.wait, name=f"run {run_folder.name}", daemon=True).start()
    return process.pid


def _check_host_limit() -> None:
    """Keep to the number of runs that a host of kernels allows a person at once.

    Raises:
        FleetStartFailed: so many go on.
    """
    most = os.environ.get(MOST_RUNS, "")
    going = [folder.name for folder in run_folders() if is_running(folder)] if most.isdigit() else []
    if most.isdigit() and len(going) >= int(most):
        raise FleetStartFailed(
            f"This host lets you have {most} runs at once, and {', '.join(sorted(going))} go on.",
            hint="Stop one with sl.attach(name).stop().",
        )


def _names(descriptors: dict[str, int]) -> dict[str, str]:
    return {name: str(descriptor) for name, descriptor in descriptors.items()}


def is_running(run_folder: Path) -> bool:
    """Whether a supervisor of this run is alive."""
    return is_held(run_folder / LOCK_FILE)


def was_left(run_folder: Path) -> bool:
    """Whether a run had a supervisor here and has none now."""
    return (run_folder / LOCK_FILE).exists() and not is_running(run_folder)


def request_stop(run_folder: Path) -> None:
    """Ask the supervisor to end the run now; what the closed rounds trained stays.

    Returns once it has heard; the record's last event tells when it is done. A run that is over needs
    nothing.

    Raises:
        FleetError: it runs but does not answer.
    """
    _ask(run_folder, "stop")


def report_spent(run_folder: Path, spent: Spent) -> None:
    """Have the supervisor put a stake or a payment on the record; a run that is over takes no more.

    Raises:
        FleetError: it runs but does not answer.
    """
    _ask(run_folder, "spent", event=asdict(spent))


def ask(run_folder: Path, verb: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Have the supervisor do something to its peers, such as `kill`; empty if none runs on.

    Raises:
        ControlRefused: it refused, and said why.
        FleetError: it runs but does not answer.
    """
    return _ask(run_folder, verb, asked=asked)


def status(run_folder: Path) -> dict[str, Any]:
    """Where a running supervisor is: block, round, peers and their process ids; empty if none runs on.

    Raises:
        FleetError: it runs but does not answer.
    """
    return _ask(run_folder, "status")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a supervisor that did not come up; it gives the chain's clock back where it can."""
    process.terminate()
    try:
        process.wait(_END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ask(
    run_folder: Path, verb: str, event: dict[str, Any] | None = None, asked: dict[str, Any] | None = None
) -> dict[str, Any]:
    if not is_running(run_folder):
        return {}
    try:
        known = json.loads((run_folder / SUPERVISOR_FILE).read_text(encoding="utf-8"))
        return request(run_folder, known["token"], verb, event=event, asked=asked)
    except ControlRefused:
        raise
    except (FleetError, OSError, ValueError, KeyError) as error:
        if not (run_folder / CONTROL_SOCKET).exists() or not is_running(run_folder):
            return {}  # it has come to its end
        raise FleetError(
            f"The supervisor of {run_folder.name} does not answer: {error}.",
            hint="sl.runs() says whether it goes on; its folder's supervisor.log says what happened.",
        ) from error


def _tail(log: Path) -> str:
    lines: list[str] = []
    with contextlib.suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_TAIL_LINES:]) or "It wrote nothing."
