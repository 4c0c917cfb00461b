"""Cells on real forked peers, through a real control socket: what they see, how they end, what stops them."""

import contextlib
import json
import os
import selectors
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from subnetlab.errors import CellFailed, FleetError
from subnetlab.fleet.cells import FleetResult, PeerOutput
from subnetlab.fleet.control import CELL, CONTROL_SOCKET, ControlServer, call, request
from subnetlab.fleet.fork_launcher import ForkLauncher
from subnetlab.fleet.spec import PeerSeat
from subnetlab.fleet.supervisor.peers import SupervisedPeer, end_all
from subnetlab.fleet.worker.running_cell import MOST_CHARACTERS

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
LIMIT_S = 20.0


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


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkLauncher]:
    work = tmp_path_factory.mktemp("work")
    (work / "cell_work.py").write_text(WORK)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(work))
        yield ForkLauncher(work, time.monotonic(), peer="cell_work:waits")


@pytest.fixture
def fleet(launcher: ForkLauncher, tmp_path: Path) -> Iterator[Fleet]:
    seats = [PeerSeat(uid=uid, hotkey="5Miner", role="miner") for uid in (2, 3, 5)]
    peers = {seat.uid: SupervisedPeer(seat, launcher.start(seat), start_limit_s=60.0) for seat in seats}
    (tmp_path / "supervisor.json").write_text(json.dumps({"token": TOKEN}))
    control = ControlServer(tmp_path, TOKEN)
    stop, stopped = os.pipe()
    serving = threading.Thread(target=_serve, args=(control, peers, stop))
    serving.start()
    for peer in peers.values():
        with selectors.DefaultSelector() as waiting:
            waiting.register(peer.fileno(), selectors.EVENT_READ)
            while peer.status != "live":
                assert waiting.select(LIMIT_S)
                peer.read()
    yield Fleet(tmp_path, peers)
    os.close(stopped)
    serving.join()
    os.close(stop)
    control.close()
    end_all(list(peers.values()), grace_s=0)


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


def test_every_peer_runs_it_and_keeps_its_names(fleet: Fleet) -> None:
    assert fleet.send("import os\nmine = uid * 10\nmine, os.getpid()").get(LIMIT_S) == {
        uid: str((uid * 10, peer.pid)) for uid, peer in fleet.peers.items()
    }
    assert fleet.send("mine += 1; mine", 3).get(LIMIT_S) == {3: "31"}
    assert fleet.send("def f(): return mine\nf()").get(LIMIT_S) == {2: "20", 3: "31", 5: "50"}
    assert fleet.send("uid = 99").get(LIMIT_S) == {2: None, 3: None, 5: None}
    assert fleet.send("uid, _").get(LIMIT_S)[2] == "(2, 20)"


def test_what_it_prints_comes_in_order_and_apart_from_the_peers_own(fleet: Fleet) -> None:
    heard: list[tuple[int, str, str]] = []
    code = (
        "import sys, threading\nprint('first', uid)\nprint('to err', file=sys.stderr)\n"
        "threading.Thread(target=print, args=('not of the cell',)).start()\nprint('half', end='')"
    )
    result = fleet.send(code, on_output=lambda *said: heard.append(said))
    assert result.wait(LIMIT_S)
    for uid, output in result.outputs.items():
        assert (output.stdout, output.stderr) == (f"first {uid}\nhalf", "to err\n")
        assert [text for at, _, text in heard if at == uid] == [f"first {uid}\n", "to err\n", "half"]


@pytest.mark.parametrize(
    ("code", "ename", "shown"),
    [
        ("def deep():\n    return 1 / 0\ndeep()", "ZeroDivisionError", "return 1 / 0"),
        ("if True", "SyntaxError", "if True"),
        ("import sys\nsys.exit(3)", "SystemExit", "sys.exit(3)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "raise KeyboardInterrupt"),
        ("class O:\n    def __repr__(self): raise ValueError('no picture')\nO()", "ValueError", "no picture"),
        ("class Dumb(Exception):\n    def __str__(self): raise TypeError\nraise Dumb", "Dumb", "raise Dumb"),
        ("input()", "EOFError", "input()"),
    ],
)  # fmt: skip
def test_an_error_is_told_with_the_peers_traceback_and_the_peer_goes_on(
    fleet: Fleet, code: str, ename: str, shown: str
) -> None:
    for output in fleet.outputs(code):
        assert output.status == ("interrupted" if ename == "KeyboardInterrupt" else "error")
        assert output.ename == ename
        assert shown in output.traceback
        assert "subnetlab" not in output.traceback
    assert fleet.send("uid").get(LIMIT_S) == {2: "2", 3: "3", 5: "5"}


def test_a_failure_says_on_which_peers(fleet: Fleet) -> None:
    result = fleet.send("assert uid != 3, 'not me'; 'fine'")
    with pytest.raises(CellFailed, match=r"1 of 3 peers \(3\).*AssertionError: not me"):
        result.get(LIMIT_S)
    assert not result.successful()
    assert [output.result for output in result.outputs.values()] == ["'fine'", None, "'fine'"]


def test_an_endless_cell_is_interrupted_on_all_and_the_next_one_runs(fleet: Fleet) -> None:
    for body in ("pass", "__import__('time').sleep(0.01)", "print(1)"):
        result = fleet.until_printed(f"print('on it')\nwhile True: {body}")
        waiting = fleet.send("'never begun'")
        waiting.read_in_background()
        waiting.interrupt()
        result.interrupt()
        assert result.wait(LIMIT_S)
        assert waiting.wait(LIMIT_S)
        assert {output.status for output in result.outputs.values()} == {"interrupted"}
        assert {output.result for output in waiting.outputs.values()} == {None}
        assert fleet.send("uid").get(LIMIT_S) == {2: "2", 3: "3", 5: "5"}


def test_what_python_cannot_break_off_is_abandoned_and_the_next_one_runs(fleet: Fleet) -> None:
    result = fleet.until_printed("import os\nreading, _ = os.pipe()\nprint('on it')\nos.read(reading, 1)", 2)
    result.interrupt()
    assert result.wait(LIMIT_S)
    assert result.outputs[2].status == "abandoned"
    assert "cannot break off" in result.outputs[2].evalue
    assert fleet.send("uid", 2).get(LIMIT_S) == {2: "2"}


def test_hanging_up_interrupts(fleet: Fleet) -> None:
    result = fleet.until_printed("try:\n    print('on it')\n    while True: pass\nfinally: ended = True", 2)
    result.close()
    assert result.ready()
    assert fleet.send("ended", 2).get(LIMIT_S) == {2: "True"}


def test_a_peer_that_is_killed_in_the_middle_is_named_and_the_others_go_on(fleet: Fleet) -> None:
    result = fleet.until_printed("print('on it')\nwhile uid == 3: pass\nuid")
    os.kill(fleet.peers[3].pid, signal.SIGKILL)
    assert result.wait(LIMIT_S)
    assert [output.status for output in result.outputs.values()] == ["ok", "gone", "ok"]
    assert result.outputs[3].evalue == "Its process ended while the cell ran."


def test_a_paused_peer_is_given_up_after_an_interrupt(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subnetlab.fleet.cells._INTERRUPT_LIMIT_S", 0.2)
    result = fleet.until_printed("print('on it')\nwhile True: pass", 5)
    os.kill(fleet.peers[5].pid, signal.SIGSTOP)
    try:
        result.interrupt()
        assert result.wait(LIMIT_S)
        assert result.outputs[5].status == "abandoned"
    finally:
        os.kill(fleet.peers[5].pid, signal.SIGCONT)


def test_what_is_too_long_is_cut_and_said_so(fleet: Fleet) -> None:
    printed, shown, failed = (
        fleet.outputs(code.format(n=3 * MOST_CHARACTERS), 2)[0]
        for code in ("print('x' * {n})", "'x' * {n}", "raise ValueError('x' * {n})")
    )
    for text in (printed.stdout, shown.result or "", failed.evalue, failed.traceback):
        assert len(text) < MOST_CHARACTERS + 100
        assert "more characters are left out" in text
    with pytest.raises(FleetError, match="are the most"):
        fleet.send("'" + "x" * 2_000_000 + "'")
    assert fleet.send("'\\ud800\\x00'", 2).get(LIMIT_S) == {2: "'\\ud800\\x00'"}


def test_only_the_owner_with_the_token_reaches_a_peer(fleet: Fleet) -> None:
    assert stat.S_IMODE((fleet.folder / CONTROL_SOCKET).stat().st_mode) == 0o600
    with pytest.raises(FleetError, match="wrong token"):
        request(fleet.folder, "guessed", CELL, asked={"uid": 2})
    with pytest.raises(FleetError, match="missing or wrong"):
        request(fleet.folder, TOKEN, CELL, asked={"uid": 4})


@pytest.mark.parametrize(
    "sent", [b"no json\n", b"[1]\n", b'{"code": 7}\n{"code": "\n', b"\xff\xfe\n", b"", b"x" * 2_000_000]
)
def test_what_is_no_cell_ends_its_connection_alone(fleet: Fleet, sent: bytes) -> None:
    with call(fleet.folder, TOKEN, CELL, asked={"uid": 2}) as line:
        assert line.recv(1000) == b'{"ok": true}\n'
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
        assert b'"ok": true' not in _rest(line)
    assert fleet.send("uid", 2).get(LIMIT_S) == {2: "2"}


def _rest(line: socket.socket) -> bytes:
    """Everything up to the end of a connection, which comes."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := line.recv(1000):
            found += piece
    return found


def test_eight_callers_at_once_are_served_in_turn(fleet: Fleet) -> None:
    fleet.send("seen = []").get(LIMIT_S)
    results = [fleet.send(f"seen.append({i}); len(seen)") for i in range(8)]
    for result in results:
        result.read_in_background()
    counts = sorted(int(result.get(LIMIT_S)[2] or 0) for result in results)
    assert counts == list(range(1, 9))


def test_a_peer_that_takes_no_more_says_so(fleet: Fleet) -> None:
    lines: list[socket.socket] = []
    os.kill(fleet.peers[2].pid, signal.SIGSTOP)
    try:
        with pytest.raises(FleetError, match="takes no cell just now"):
            _pass_on_many(fleet.peers[2], lines)
    finally:
        os.kill(fleet.peers[2].pid, signal.SIGCONT)
        for line in lines:
            line.close()


def _pass_on_many(peer: SupervisedPeer, lines: list[socket.socket]) -> None:
    for _ in range(2_000):
        here, there = socket.socketpair()
        with there:
            lines.append(here)
            peer.pass_on(there)
