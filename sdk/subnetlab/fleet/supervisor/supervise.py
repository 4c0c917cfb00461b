"""One run from its folder to its last event: opens all that the supervisor needs, and closes it in order.

Once it has begun, the record ends with `RunEnded`, or with `RunInterrupted` where chain, store or peers were
taken away; a process that is killed writes neither. A run without its end is taken up by the next supervisor
of its folder: what is recorded stays, the round that was broken off is left and accounted for, and peers
replay what was published before they go on.
"""

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Generator
from pathlib import Path
from types import FrameType

from subnetlab.errors import FleetError, FleetStartFailed, NodeUnreachable, RecordError, SubnetLabError
from subnetlab.fleet.launcher import Launcher
from subnetlab.fleet.messages import sentence
from subnetlab.fleet.run_folder import LOCK_FILE, READY_FD, UP
from subnetlab.fleet.supervisor.ending import Ending, chain_gone, with_model
from subnetlab.fleet.supervisor.opening import OpenedRun, opened_run
from subnetlab.record.events import RunStatus
from subnetlab.record.lock import take_lock

log = logging.getLogger(__name__)


def supervise(run_folder: Path, launcher: Launcher, asked_at: float) -> int:
    """Run the run in a folder to its end; the exit status of the process.

    Args:
        run_folder: holds `manifest.json` and `fleet.json`.
        launcher: starts the run's peers.
        asked_at: `time.monotonic()` when the fleet was asked for.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    # Until the run's own loop listens, SIGTERM unwinds what was opened.
    signal.signal(signal.SIGTERM, _unwind)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(sole_supervisor(run_folder))
            run = held.enter_context(opened_run(run_folder, launcher))
        except SubnetLabError as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence says it all
            return 1
        say_up()
        _follow(run, asked_at)
    return 0


def _unwind(_number: int, _frame: FrameType | None) -> None:
    sys.exit(1)


@contextlib.contextmanager
def sole_supervisor(run_folder: Path) -> Generator[None]:
    """Hold the run's lock as long as this process lives."""
    descriptor = os.open(run_folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not take_lock(descriptor):
            raise FleetStartFailed("Another supervisor of this run is alive.", hint="Attach to it.")
        yield
    finally:
        os.close(descriptor)


def say_up() -> None:
    """Tell the process that started this one that the record has begun."""
    descriptor = os.environ.pop(READY_FD, "")
    if descriptor.isdigit():
        with contextlib.suppress(OSError):
            os.write(int(descriptor), UP)
            os.close(int(descriptor))


def _follow(run: OpenedRun, asked_at: float) -> None:
    """Start the peers, see the run through, keep its result, and end the record."""
    ending = Ending(status=RunStatus.FAILED, reason="The supervisor itself failed; its log says where.")
    try:
        run.supervisor.listen_to_signals()
        ending = run.pending or _trained(run, asked_at)
        ending = with_model(ending, run.recorder.resume, run.launcher, run.run_folder)
    except NodeUnreachable as error:
        ending = chain_gone(error)
    except (FleetError, RecordError) as error:  # no process can be started, or the disk is full
        ending = Ending(status=RunStatus.INTERRUPTED, reason=sentence(error))
    except SubnetLabError as error:
        log.exception("The run failed.")
        ending = Ending(status=RunStatus.FAILED, reason=sentence(error))
    finally:
        # Only rounds that are still to come must not be missed.
        run.clock.stop(paused=ending.status is RunStatus.INTERRUPTED and ending.pending is None)
        log.info("The run is over: %s %s", ending.status, ending.reason)
        wall_s = round(time.monotonic() - run.began, 3)
        try:
            run.recorder.append(
                [ending.event(run.supervisor.head, wall_s, run.supervisor.energy.read())], durable=True
            )
        except RecordError:
            log.exception("How the run ended could not be recorded.")


def _trained(run: OpenedRun, asked_at: float) -> Ending:
    """Train to the end of the rounds, or until the run cannot go on."""
    run.supervisor.leave_broken_round()
    log.info("Peers are started after %.2f s", time.monotonic() - asked_at)
    return run.supervisor.run()
