"""What befalls participants of a public run costs them rounds, and the run ends all the same and verifies.

Processes, an S3 server, a node, clocks and disks are killed, stopped, silenced, set wrong and filled; blocks
wait for those alone that can work, so that no outcome depends on how fast a machine is. The owner is gone
from the start: its command ends with the announcement.
"""

import random
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.sdk.store.s3_server import s3_server
from tests.silent_proxy import SilentProxy, silent_proxy

from subnetlab.train.manifest import Manifest

from .stage import LIMIT_S, Command, KeptRecord, OpenSubnet, open_subnet

ROLES = {"m1": "miner", "m2": "miner", "v1": "validator", "v2": "validator"}
ROUNDS = 12
STOP_S = 6.0
DAY_S = 86_400


def begun(
    subnet: OpenSubnet, rounds: int, options: Mapping[str, Sequence[str]] | None = None
) -> tuple[Manifest, dict[str, Command]]:
    """A published run and its four peers, ready; `options` are of single ones."""
    for name in ROLES:
        subnet.register(f"bob/{name}", stake_tao={"v1": 300, "v2": 200}.get(name, 0))
    subnet.clock.reach(subnet.clock.height + 12)
    manifest = subnet.published("--checkpoint-every", "3", rounds=rounds)
    given = options or {}
    peers = {
        name: subnet.peer(role, f"bob/{name}", *given.get(name, ()), home=name)
        for name, role in ROLES.items()
    }
    for peer in peers.values():
        peer.event("peer_ready")
    return manifest, peers


def check_end(subnet: OpenSubnet, peers: dict[str, Command], kept: Sequence[KeptRecord], rounds: int) -> None:
    """Those who stayed have one model, each record goes on with each round once, and the run verifies."""
    assert {name: peer.ended(4 * LIMIT_S) for name, peer in peers.items()} == dict.fromkeys(peers, 0)
    assert len({peer.event("note", rounds=rounds)["theta"] for peer in peers.values()}) == 1
    for record in (*kept, *(subnet.record(peer, f"bob/{name}") for name, peer in peers.items())):
        record.check_continued()
    subnet.clock.until = subnet.clock.height + 20
    subnet.clock.reach(subnet.clock.until)
    words = ["verify", str(subnet.netuid), "--endpoint", subnet.node.endpoint, "--replay", "0.1"]
    done = subprocess.run(
        [sys.executable, "-m", "subnetlab", *words],
        capture_output=True, text=True, check=False, timeout=4 * LIMIT_S,
    )  # fmt: skip
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    assert f"is verified: {rounds} rounds" in done.stdout


def killed_at_random(folder: Path, kills: int) -> None:
    """A participant at a time is killed at any moment of a round, and started again, all through a run."""
    draw, rounds = random.Random(kills), kills + 4
    with open_subnet(folder) as subnet, subnet.clock as clock:
        manifest, peers = begun(subnet, rounds)
        kept: list[KeptRecord] = []
        for round_ in range(1, kills + 1):
            heights = manifest.heights(round_)
            clock.until = heights.next_open - 1
            name = draw.choice(list(peers))
            killed, role = peers[name], ROLES[name]
            clock.reach(draw.randrange(heights.open, heights.next_open))
            clock.pause(draw.uniform(0, 0.3))
            killed.process.send_signal(signal.SIGKILL)
            killed.ended()
            kept.append(subnet.record(killed, f"bob/{name}"))
            peers[name] = subnet.peer(role, f"bob/{name}", home=name)
            peers[name].event("peer_ready")
        clock.until = manifest.heights(rounds - 1).next_open + 9
        check_end(subnet, peers, kept, rounds)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_twenty_random_kills(tmp_path: Path) -> None:
    killed_at_random(tmp_path, 20)


def skewed(folder: Path, seconds: int) -> str:
    """A folder for PYTHONPATH, with which a process's clock is wrong by so much."""
    place = folder / f"skewed{seconds}"
    place.mkdir()
    code = f"import time\n_right = time.time\ntime.time = lambda: _right() + {seconds}\n"
    (place / "sitecustomize.py").write_text(code)
    return str(place)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_stops_silence_a_full_disk_wrong_clocks_and_a_lead_and_its_store_lost_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anyone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
    with ExitStack() as held:
        leads = held.enter_context(ExitStack())
        server = leads.enter_context(s3_server())
        with monkeypatch.context() as ahead:
            ahead.setenv("PYTHONPATH", skewed(tmp_path, DAY_S))
            subnet = held.enter_context(open_subnet(tmp_path))
        subnet.environ["m2"] = {"PYTHONPATH": skewed(tmp_path, -DAY_S)}
        proxy = held.enter_context(silent_proxy(subnet.node.port))
        held.enter_context(subnet.clock)
        options = {"v1": ("--store", server.address("lead")), "m2": ("--endpoint", proxy.endpoint)}
        course = Course(subnet, *begun(subnet, ROUNDS, options))
        course.play(0)
        course.stop("m1", rounds=(1, 2))
        course.stop_node()
        course.play(3)
        course.stop("v1", rounds=(4,))
        course.silence("m2", proxy, round_=5)
        course.fill_disk("m1", round_=6)
        course.lose("v1", leads, rounds=(7, 8))
        course.restart("m2", round_=9)
        subnet.clock.until = course.manifest.heights(ROUNDS - 1).next_open + 9
        check_end(subnet, course.peers, course.kept, ROUNDS)


@dataclass
class Course:
    """One fault after another, each over one or two rounds that the others play on."""

    subnet: OpenSubnet
    manifest: Manifest
    peers: dict[str, Command]
    kept: list[KeptRecord] = field(default_factory=list[KeptRecord])

    def play(self, round_: int) -> None:
        """Let blocks come up to the next round's open; who is not touched follows this one."""
        self.subnet.clock.until = self.manifest.heights(round_ + 1).open - 1
        self.peers["v2"].event("phase", round=round_, name="synced", limit_s=2 * LIMIT_S)

    def stop(self, name: str, rounds: Sequence[int]) -> None:
        """Stop a process for whole rounds; it goes on where it was and follows what it missed."""
        peer = self.peers[name]
        peer.waited_for = False
        peer.process.send_signal(signal.SIGSTOP)
        for round_ in rounds:
            self.play(round_)
        peer.process.send_signal(signal.SIGCONT)
        peer.event("phase", round=rounds[-1], name="synced", limit_s=2 * LIMIT_S)
        self.subnet.clock.await_again(peer)

    def stop_node(self) -> None:
        """Stop the node for a while, for all."""
        self.subnet.node.process.send_signal(signal.SIGSTOP)
        self.subnet.clock.pause(STOP_S)
        self.subnet.node.process.send_signal(signal.SIGCONT)

    def silence(self, name: str, proxy: SilentProxy, round_: int) -> None:
        """Let a peer's node fall silent without closing anything, until the peer names it."""
        self.peers[name].waited_for = False
        proxy.fall_silent()
        self.play(round_)
        self.peers[name].until(
            lambda line: proxy.endpoint in str(line.get("text")), "name of the node", 2 * LIMIT_S
        )
        proxy.speak()
        self.follows(name, round_)

    def fill_disk(self, name: str, round_: int) -> None:
        """Let no file of a peer grow over a round."""
        peer = self.peers[name]
        peer.waited_for = False
        self.kept.append(self.subnet.record(peer, f"bob/{name}"))
        usual = resource.prlimit(peer.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(peer.process.pid, resource.RLIMIT_FSIZE, (0, usual[1]))
        self.play(round_)
        resource.prlimit(peer.process.pid, resource.RLIMIT_FSIZE, usual)
        self.follows(name, round_)
        peer.until(lambda line: "not written: File too large." in str(line.get("text")), "reason")

    def lose(self, name: str, store: ExitStack, rounds: Sequence[int]) -> None:
        """Lose a peer's place with all that it published, and then the peer; neither comes back."""
        peer = self.peers.pop(name)
        peer.waited_for = False
        store.close()
        for round_ in rounds:
            self.play(round_)
        self.kept.append(self.subnet.record(peer, f"bob/{name}"))
        peer.process.send_signal(signal.SIGKILL)
        peer.ended()

    def restart(self, name: str, round_: int) -> None:
        """Kill a peer whose hotkey another process wants as well, which is refused, and start it again."""
        second = self.subnet.peer(ROLES[name], f"bob/{name}", home=name)
        assert "takes part in run" in second.until(lambda line: "failed" in line, "refusal")["text"]
        assert second.ended() == 1
        killed = self.peers[name]
        killed.process.send_signal(signal.SIGKILL)
        killed.ended()
        self.kept.append(self.subnet.record(killed, f"bob/{name}"))
        self.play(round_)
        self.peers[name] = self.subnet.peer(ROLES[name], f"bob/{name}", home=name)
        self.follows(name, round_)

    def follows(self, name: str, round_: int) -> None:
        """Wait until a peer that began again has followed a round; from then on blocks wait for it."""
        said = f"Caught up with round {round_ + 1} "
        self.peers[name].until(
            lambda line: str(line.get("text")).startswith(said), f"note that it {said}", 2 * LIMIT_S
        )
        self.subnet.clock.await_again(self.peers[name])
