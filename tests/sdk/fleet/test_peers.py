"""Real processes from a real forkserver: how they report, how they end, and what is said about it."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import psutil
import pytest

from subnetlab.fleet.fork_launcher import ForkLauncher
from subnetlab.fleet.spec import PeerSeat
from subnetlab.fleet.supervisor.peers import SupervisedPeer, end_all
from subnetlab.record.events import Event, PeerReady, Stepped

WORK = '''
"""What the peers of these tests do; importable by their processes."""
import errno, os, signal, sys, threading
from subnetlab.errors import StoreUnreachable
from subnetlab.fleet.worker.life import PeerLife
from subnetlab.record.events import PeerReady, Stepped

def ready(report):
    report(PeerReady(uid=4, pid=os.getpid(), seconds=0.0))

def finishes(folder, steps, pipe, asked_at):
    with PeerLife(pipe) as report:
        ready(report)
        for step in range(steps):
            report(Stepped(uid=4, round=0, first_step=step, losses=[float(step)]))

def fails(folder, uid, pipe, asked_at):
    with PeerLife(pipe) as report:
        raise StoreUnreachable("The store is gone.")

def fills_the_disk(folder, uid, pipe, asked_at):
    with PeerLife(pipe) as report:
        raise OSError(errno.ENOSPC, "No space left on device")

def is_wrong(folder, uid, pipe, asked_at):
    with PeerLife(pipe) as report:
        raise ValueError("The model is no model.")

def breaks_off(folder, uid, pipe, asked_at):
    with PeerLife(pipe) as report:
        ready(report)
        os.write(pipe.fileno(), b'[{"kind": "step\\n')

def leaves_without_a_word(folder, uid, pipe, asked_at):
    os._exit(7)

def waits(folder, uid, pipe, asked_at):
    with PeerLife(pipe) as report:
        ready(report)
        threading.Event().wait()

def deaf(folder, uid, pipe, asked_at):
    with PeerLife(pipe) as report:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        ready(report)
        threading.Event().wait()
'''


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[..., SupervisedPeer]]:
    """Start a peer that runs one of the functions above; none outlives the test."""
    (tmp_path / "peer_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    peers: list[SupervisedPeer] = []

    def start(name: str, steps: int = 0) -> SupervisedPeer:
        seat = PeerSeat(uid=steps, hotkey="5Miner", role="miner")
        launcher = ForkLauncher(tmp_path, time.monotonic(), peer=f"peer_work:{name}")
        peers.append(SupervisedPeer(seat, launcher.start(seat), start_limit_s=60.0))
        return peers[-1]

    yield start
    end_all(peers, grace_s=0)
    assert not any(peer.running for peer in peers)


def until(peer: SupervisedPeer, done: Callable[[list[Event]], bool]) -> list[Event]:
    """Read a peer until `done` or its end."""
    events: list[Event] = []
    with selectors.DefaultSelector() as waiting:
        waiting.register(peer.fileno(), selectors.EVENT_READ)
        while peer.running and not done(events):
            assert waiting.select(20), "the peer says nothing"
            events += peer.read()
    return events


def to_the_end(peer: SupervisedPeer) -> list[Event]:
    return until(peer, lambda _events: False)


def test_every_step_arrives_once_and_in_order_and_the_peer_finishes(
    started: Callable[..., SupervisedPeer],
) -> None:
    peer = started("finishes", 5000)
    events = to_the_end(peer)
    assert isinstance(events[0], PeerReady)
    assert [event.first_step for event in events if isinstance(event, Stepped)] == list(range(5000))
    assert peer.status == "ended"


@pytest.mark.parametrize(
    ("name", "words", "interrupted"),
    [
        ("fails", "The store is gone.", True),
        ("fills_the_disk", "The disk is full.", True),
        ("leaves_without_a_word", "ended without a word, with status 7", True),
        ("is_wrong", "ValueError: The model is no model.", False),
    ],
)
def test_how_a_peer_failed_is_one_sentence_and_whether_it_could_go_on_is_known(
    started: Callable[..., SupervisedPeer], name: str, words: str, interrupted: bool
) -> None:
    peer = started(name)
    to_the_end(peer)
    assert peer.status == "gone"
    assert words in peer.reason()
    assert peer.interrupted == interrupted


def test_a_word_that_was_broken_off_is_dropped(started: Callable[..., SupervisedPeer]) -> None:
    peer = started("breaks_off")
    assert [type(event) for event in to_the_end(peer)] == [PeerReady]
    assert peer.status == "ended"


def test_a_killed_peer_is_recognised(started: Callable[..., SupervisedPeer]) -> None:
    peer = started("waits")
    until(peer, bool)
    os.kill(peer.pid, signal.SIGKILL)
    to_the_end(peer)
    assert peer.status == "gone"
    assert "SIGKILL" in peer.reason()


def test_stopping_is_orderly_and_a_deaf_peer_is_killed(started: Callable[..., SupervisedPeer]) -> None:
    polite, deaf = started("waits"), started("deaf")
    for peer in (polite, deaf):
        until(peer, bool)
    end_all([polite, deaf], grace_s=1.0)
    assert polite.farewell is not None
    assert polite.farewell.outcome == "stopped"
    assert "SIGKILL" in deaf.reason()
    assert not polite.running
    assert not deaf.running


def test_a_peer_stopped_in_the_middle_of_a_word_does_not_block_its_reader(
    started: Callable[..., SupervisedPeer],
) -> None:
    peer = started("finishes", 20_000)
    until(peer, bool)
    os.kill(peer.pid, signal.SIGSTOP)
    peer.read()
    assert peer.read() == []
    os.kill(peer.pid, signal.SIGCONT)
    to_the_end(peer)
    assert peer.status == "ended"


def test_peers_die_with_their_supervisor(tmp_path: Path) -> None:
    """A supervisor killed on the spot leaves no miner, no forkserver behind."""
    (tmp_path / "peer_work.py").write_text(WORK)
    script = tmp_path / "supervisor.py"
    script.write_text(
        "import threading, psutil\n"
        "from pathlib import Path\n"
        "from subnetlab.fleet.fork_launcher import ForkLauncher\n"
        "from subnetlab.fleet.spec import PeerSeat\n"
        "if __name__ == '__main__':\n"
        "    lean = ['subnetlab.fleet.worker.life']\n"
        "    launcher = ForkLauncher(Path(), 0.0, peer='peer_work:waits', preload=lean)\n"
        "    seat = PeerSeat(uid=4, hotkey='5M', role='miner')\n"
        "    peers = [launcher.start(seat) for _ in range(2)]\n"
        "    for child in psutil.Process().children(recursive=True):\n"
        "        print(child.pid, flush=True)\n"
        "    print('up', flush=True)\n"
        "    threading.Event().wait()\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as supervisor:
        assert supervisor.stdout is not None
        pids = [int(line) for line in iter(supervisor.stdout.readline, "up\n")]
        children = [psutil.Process(pid) for pid in pids]
        supervisor.kill()
    assert len(children) >= 3
    _, left = psutil.wait_procs(children, timeout=300)
    assert not [child for child in left if child.status() != psutil.STATUS_ZOMBIE]


def test_a_killed_peer_is_called_out_of_memory_where_the_system_says_so(
    started: Callable[..., SupervisedPeer], monkeypatch: pytest.MonkeyPatch
) -> None:
    for more, said in ((1, "for memory ran out"), (0, "killed by SIGKILL")):
        kills = iter((5, 5 + more))
        monkeypatch.setattr("subnetlab.fleet.fork_launcher.memory_kills", lambda kills=kills: next(kills))
        peer = started("waits")
        until(peer, bool)
        os.kill(peer.pid, signal.SIGKILL)
        to_the_end(peer)
        assert said in peer.reason()
