"""Peers in real forks behind a real control socket, as a supervisor keeps them, without a chain."""

import json
import os
import selectors
import socket
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from subnetlab.fleet.cells import FleetResult, PeerOutput
from subnetlab.fleet.control import CELL, ControlServer
from subnetlab.fleet.fork_launcher import ForkLauncher
from subnetlab.fleet.spec import PeerSeat
from subnetlab.fleet.supervisor.peers import SupervisedPeer, end_all

WORK = """
import os, threading
from subnetlab.fleet.worker import cells
from subnetlab.fleet.worker.life import PeerLife
from subnetlab.record.events import PeerReady

def waits(folder, uid, pipe, asked_at):
    with PeerLife(pipe) as report:
        cells.show(lambda: {"uid": uid})
        report(PeerReady(uid=uid, pid=os.getpid(), seconds=0.0))
        threading.Event().wait()
"""
TOKEN = "the token of these tests"
LIMIT_S = 300.0


@dataclass
class Fleet:
    """Three peers behind a control socket, as a supervisor keeps them."""

    folder: Path
    peers: dict[int, SupervisedPeer]

    def send(self, code: str, *uids: int, **options: Any) -> FleetResult:
        return FleetResult(self.folder, code, uids or tuple(self.peers), **options)

    def outputs(self, code: str, *uids: int) -> list[PeerOutput]:
        result = self.send(code, *uids)
        assert result.wait(LIMIT_S), result
        return list(result.outputs.values())

    def until_printed(self, code: str, *uids: int) -> FleetResult:
        """Send a cell, and come back once every peer has printed."""
        result = self.send(code, *uids)
        result.read_in_background()
        deadline = time.monotonic() + LIMIT_S
        while not all(output.stdout for output in result.outputs.values()):
            assert time.monotonic() < deadline, result
            time.sleep(0.01)
        return result


@contextmanager
def cell_launcher(folder: Path) -> Generator[ForkLauncher]:
    """What starts peers that wait for cells."""
    (folder / "cell_work.py").write_text(WORK)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield ForkLauncher(folder, time.monotonic(), peer="cell_work:waits")


@contextmanager
def running_fleet(launcher: ForkLauncher, folder: Path, uids: Sequence[int]) -> Generator[Fleet]:
    """Peers of these uids that wait for cells; none is left afterwards."""
    seats = [PeerSeat(uid=uid, hotkey="5Miner", role="miner") for uid in uids]
    peers = {seat.uid: SupervisedPeer(seat, launcher.start(seat), start_limit_s=60.0) for seat in seats}
    (folder / "supervisor.json").write_text(json.dumps({"token": TOKEN}))
    control = ControlServer(folder, TOKEN)
    stop, stopped = os.pipe()
    serving = threading.Thread(target=_serve, args=(control, peers, stop))
    serving.start()
    try:
        for peer in peers.values():
            _until_up(peer)
        yield Fleet(folder, peers)
    finally:
        os.close(stopped)
        serving.join()
        os.close(stop)
        control.close()
        end_all(list(peers.values()), grace_s=0)


def _until_up(peer: SupervisedPeer) -> None:
    with selectors.DefaultSelector() as waiting:
        waiting.register(peer.fileno(), selectors.EVENT_READ)
        while peer.status != "live":
            assert waiting.select(LIMIT_S)
            peer.read()


def _serve(control: ControlServer, peers: dict[int, SupervisedPeer], stop: int) -> None:
    """As the supervisor's loop does."""

    def answer(caller: socket.socket) -> None:
        def cell(asked: dict[str, Any]) -> None:
            peers[asked["uid"]].pass_on(caller)

        waiting.unregister(caller)
        if not control.answer(caller, {CELL: cell}):
            waiting.register(caller, selectors.EVENT_READ, caller)

    with selectors.DefaultSelector() as waiting:
        waiting.register(control.listener, selectors.EVENT_READ)
        waiting.register(stop, selectors.EVENT_READ, stop)
        while True:
            for key, _ in waiting.select():
                if key.data == stop:
                    return
                if key.data is not None:
                    answer(key.data)
                elif (caller := control.accept()) is not None:
                    waiting.register(caller, selectors.EVENT_READ, caller)
