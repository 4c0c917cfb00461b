"""Let a run go on whose node or supervisor was killed: from its record and from what the node kept.

Only `attach` does this; looking at a run starts nothing. However many attach at once, one node and one
supervisor are started.
"""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Final

from subnetlab.errors import FleetError, FleetStartFailed, RecordError, SubnetLabError
from subnetlab.fleet.launch import OBSERVER, is_running, start_supervisor, status
from subnetlab.fleet.pacer_lock import PacerLock
from subnetlab.fleet.spec import FleetSpec, read_spec
from subnetlab.lab import embedded
from subnetlab.network.dev import DevControls
from subnetlab.record.line import FILE_NAME
from subnetlab.record.lock import locked
from subnetlab.record.reader import Tail
from subnetlab.record.view import RunView
from subnetlab.settings import run_folders
from subnetlab.waiting import waiting

_ENDING_LIMIT_S: Final = 30.0
"""How long a supervisor that is just leaving its run is waited for."""
_LOOK_AGAIN_S: Final = 0.05
_ATTACH_LOCK: Final = "attach.lock"


@waiting("the run to be taken up again")
def resume(run_folder: Path) -> str:
    """Start again what an unfinished run lacks, and say in a sentence what was done; empty for nothing.

    A run that cannot go on is no error: the sentence says why.
    """
    view = _told(run_folder)
    if view.ended is not None:
        return ""
    try:
        with locked(run_folder / _ATTACH_LOCK):
            spec = read_spec(run_folder)
            node = _bring_back_node(spec)
            supervisor = _supervised(run_folder, spec)
    except SubnetLabError as error:
        return f"It cannot go on: {error} What is on record stays readable."
    if not node and not supervisor:
        return ""
    what = "Its node was" if node else "Its supervisor was"
    if node and supervisor:
        what = "Its node and its supervisor were"
    if view.interrupted is not None and view.interrupted.pending:
        return f"{what} gone and started again, to write the model."
    number = min(len(_told(run_folder).over) + 1, view.rounds)
    return f"{what} gone and started again, to go on with round {number} of {view.rounds}."


def _bring_back_node(spec: FleetSpec) -> bool:
    if spec.node:
        return embedded.bring_back(spec.node)
    if spec.is_devnet and not spec.public:
        # If the node does not answer, nothing is started: this says so in a sentence.
        DevControls(spec.endpoint).info()
    return False


def _supervised(run_folder: Path, spec: FleetSpec) -> bool:
    """Have a supervisor, or an observer where others start the peers; whether one was started."""
    lock = PacerLock(spec.endpoint)
    try:
        return _supervise(run_folder, lock)
    except FleetStartFailed:
        if lock.held and spec.node and not is_running(run_folder):  # no run paces the node that is back
            with contextlib.suppress(SubnetLabError):
                DevControls(spec.endpoint).set_sealing("instant")
        raise
    finally:
        lock.release()


def _supervise(run_folder: Path, lock: PacerLock) -> bool:
    """Have a supervisor for the run; whether one was started."""
    deadline, pause = monotonic() + _ENDING_LIMIT_S, threading.Event()
    while is_running(run_folder):
        try:
            if status(run_folder) or monotonic() > deadline:
                return False
        except FleetError:
            return False  # too busy to answer is not gone
        pause.wait(_LOOK_AGAIN_S)
    if _told(run_folder).ended is not None:
        return False
    spec = read_spec(run_folder)
    if spec.is_devnet and not spec.public:
        lock.take(run=run_folder.name)  # or the run that paces this chain now is named
    try:
        if spec.public:
            start_supervisor(run_folder, program=OBSERVER)
        else:
            start_supervisor(run_folder, lock=lock)
    except FleetStartFailed:
        if is_running(run_folder):  # somebody else attached and was quicker
            return False
        raise
    return True


def needed_nodes() -> list[str]:
    """Names of dead embedded nodes that an unfinished run would go on with."""
    dead = set(embedded.dead_nodes())
    if not dead:
        return []
    return [spec.node for folder, spec in _specs() if spec.node in dead and _is_unfinished(folder)]


def _specs() -> Iterator[tuple[Path, FleetSpec]]:
    for folder in run_folders():
        try:
            yield folder, read_spec(folder)
        except FleetStartFailed:
            continue


def _is_unfinished(run_folder: Path) -> bool:
    try:
        return _told(run_folder).ended is None
    except RecordError:
        return True  # nothing is thrown away that somebody may want to look at


def _told(run_folder: Path) -> RunView:
    view = RunView()
    for entry in Tail(run_folder / FILE_NAME).entries():
        view.add(entry.event)
    return view
