"""Open all that a supervisor needs, in order, and write the first event; on failure nothing stays open.

A run that cannot begin is not recorded, and the chain's clock runs as before. A run that has begun and cannot
go on leaves the clock paused, so that no round passes while nothing runs.
"""

import contextlib
import json
import os
import secrets
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from subnetlab.errors import FleetStartFailed
from subnetlab.fleet.chain_clock import ChainClock, SealedClock, SealingMode, WatchedClock, as_mode
from subnetlab.fleet.control import ControlServer
from subnetlab.fleet.launcher import Launcher
from subnetlab.fleet.pacer_lock import handed_over
from subnetlab.fleet.run_folder import SUPERVISOR_FILE
from subnetlab.fleet.spec import READER_URI, FleetSpec, read_spec
from subnetlab.fleet.supervisor.ending import Ending, pending_ending
from subnetlab.fleet.supervisor.epochs import EpochWatcher
from subnetlab.fleet.supervisor.loop import Supervisor
from subnetlab.fleet.supervisor.recorder import Recorder
from subnetlab.fleet.supervisor.resume_state import ResumeState, read_resume_state
from subnetlab.fleet.supervisor.run_header import RunHeader, read_header
from subnetlab.network.chain import Block
from subnetlab.network.peer_chain import PeerChain
from subnetlab.record.events import RunStarted
from subnetlab.record.files import write_private
from subnetlab.record.line import FILE_NAME
from subnetlab.record.writer import RecordWriter

_CHAIN_LIMIT_S: Final = 30.0
_HEADER_LIMIT_S: Final = 60.0
"""The longest that reading the manifest may go on without any work; the fork server loads torch meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRun:
    """A run whose record has begun."""

    run_folder: Path
    launcher: Launcher
    recorder: Recorder
    clock: ChainClock
    pending: Ending | None
    """How the run ends once its model is written, where an earlier supervisor left only that."""
    supervisor: Supervisor
    began: float
    """`time.monotonic()` when it was opened."""


@contextlib.contextmanager
def opened_run(run_folder: Path, launcher: Launcher) -> Generator[OpenedRun]:
    """Open record, socket and chain, and write the first event.

    Raises:
        FleetStartFailed: the run cannot begin; nothing was recorded, and the chain's clock runs as before.
    """
    began = time.monotonic()
    with contextlib.ExitStack() as held:
        spec = read_spec(run_folder)
        sys.path[:0] = spec.python_path  # peers inherit it, and with it the notebook's own modules
        record = held.enter_context(RecordWriter(run_folder / FILE_NAME))
        resume = read_resume_state(run_folder / FILE_NAME)
        if resume.ended:
            raise FleetStartFailed("This run is over.", hint="Start a new one.")
        token = secrets.token_hex(16)
        control = held.enter_context(
            contextlib.closing(ControlServer(run_folder, token, spent=record.append))
        )
        hotkeys = {seat.uid: seat.hotkey for seat in (*spec.seats, *spec.others)}
        epochs = held.enter_context(contextlib.closing(EpochWatcher(spec.endpoint, spec.netuid, hotkeys)))
        _check_chain(spec, resume)
        clock = _clock(spec, run_folder)
        held.callback(lambda: clock.stop(paused=resume.started is not None))
        head = clock.start()
        _write_supervisor_file(run_folder, token, clock.before if isinstance(clock, SealedClock) else None)
        epochs.begin(head, resume.last_epoch or (resume.started.block if resume.started else None))
        recorder = Recorder(run_folder, record, resume, launcher)
        header = read_header(launcher, run_folder, max(_HEADER_LIMIT_S, spec.start_limit_s))
        is_new = resume.started is None
        if resume.started is None:
            _check_heights(header, head)
            recorder.append([_first_event(spec, header, head)], durable=True)
        elif resume.started.manifest_hash != header.manifest_hash:
            raise FleetStartFailed("The manifest is not the one this run began with.", hint="Put it back.")
        if not is_new:
            _check_repeatable(header, resume)
        supervisor = Supervisor(
            spec=spec, header=header, recorder=recorder, clock=clock, epochs=epochs, control=control,
            head=head, launcher=launcher, hotkeys=hotkeys,
        )  # fmt: skip
        yield OpenedRun(
            run_folder=run_folder,
            launcher=launcher,
            recorder=recorder,
            clock=clock,
            pending=pending_ending(resume),
            supervisor=supervisor,
            began=began,
        )


def _check_repeatable(header: RunHeader, resume: ResumeState) -> None:
    """Whether a run that is taken up may go on: a deterministic one has lost its peers' memory."""
    if header.deterministic and resume.unreported(header.rounds.rounds):
        raise FleetStartFailed(
            "A deterministic run that was cut off cannot go on as its seed says.",
            hint="Train again with the same seed: it takes the same steps from the start.",
        )


def _check_chain(spec: FleetSpec, resume: ResumeState) -> None:
    """Whether a run that is taken up finds the chain it was on: another may answer at the same port."""
    known = resume.last_block
    if known is None:
        return
    with contextlib.closing(PeerChain(spec.endpoint, spec.netuid, READER_URI)) as chain:
        head = chain.wait_for(0, _CHAIN_LIMIT_S).number
        if head < known.number or chain.block_hash(known.number) != known.hash:
            raise FleetStartFailed(
                f"The chain at {spec.endpoint} does not hold block {known.number} of this run.",
                hint="It is another chain, or was turned back. What is on record stays readable.",
            )


def _check_heights(header: RunHeader, head: Block) -> None:
    if head.number >= header.rounds.first_block:
        raise FleetStartFailed(
            f"Round 0 was due at block {header.rounds.first_block}; the chain is at {head.number}.",
            hint="Start a new run.",
        )


def _clock(spec: FleetSpec, run_folder: Path) -> ChainClock:
    if spec.is_devnet:
        after = spec.sealing_after
        # A supervisor that was killed could not give the clock back, but it wrote down how it was found.
        before = as_mode(_sealing_before(run_folder) if after is None else after)
        return SealedClock(spec.endpoint, before, lock=handed_over(spec.endpoint), run=run_folder.name)
    return WatchedClock(PeerChain(spec.endpoint, spec.netuid, READER_URI))


def _sealing_before(run_folder: Path) -> object:
    with contextlib.suppress(OSError, ValueError):
        known = json.loads((run_folder / SUPERVISOR_FILE).read_text(encoding="utf-8"))
        return known.get("sealing_before")
    return None


def _write_supervisor_file(run_folder: Path, token: str, sealing: SealingMode | None) -> None:
    path = run_folder / SUPERVISOR_FILE
    known = {"pid": os.getpid(), "started": time.time(), "token": token, "sealing_before": sealing}
    write_private(path, json.dumps(known) + "\n")


def _first_event(spec: FleetSpec, header: RunHeader, head: Block) -> RunStarted:
    seats = sorted((*spec.seats, *spec.others), key=lambda seat: seat.uid)
    return RunStarted(
        run_id=header.run_id,
        network=spec.network,
        netuid=spec.netuid,
        manifest_hash=header.manifest_hash,
        manifest=header.manifest,
        seats=[seat.entry() for seat in seats if seat.uid >= 0],
        block=head.number,
        play_money=spec.is_devnet,
    )
