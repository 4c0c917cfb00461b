"""A public run: an owner in a notebook, strangers of three other homes, one S3 server, and three kills.

No home shares a folder with another, and no peer holds the node's token. Where blocks wait for no peer the
run takes minutes; its short sibling asks for the same of blocks that come once the living did what is due.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.kernel.running import RunningKernel, start_kernel
from tests.sdk.store.s3_server import s3_server

from subnetlab.lab.preset import TEMPO
from subnetlab.network.metagraph import metagraph_at
from subnetlab.train.manifest import Manifest

from .stage import LIMIT_S, Command, KeptRecord, OpenSubnet, open_subnet

pytestmark = pytest.mark.timeout(1800)
ROUNDS = 14
LATE = 10
"""Rounds that are over before the late miner is started."""
KILLS = (("m1", 2, "revealed"), ("v1", 4, "ready"), ("m2", 6, "committed"))
"""Who is killed, in which round and after what: a miner, the lead validator, a miner before it reveals."""
BLOCK_S = 0.5
PUBLISH = """\
import subnetlab as sl
net = sl.connect({endpoint!r})
run = net.subnet({netuid}).train(
    model=sl.models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32),
    data=sl.data.text("The quick brown fox jumps over the lazy dog. " * 2_000, name="fox"),
    strategy=sl.strategies.DiLoCo(inner_steps=4), rounds={rounds},
    fleet=sl.OpenFleet(store={store!r}, blocks_per_round={length}, notice_s=90, miners=3, checkpoint_every=4),
)
print(run.note)
"""


def published_from_a_notebook(subnet: OpenSubnet, home: Path, pace: "Pace") -> RunningKernel:
    """The kernel of an owner who has published the run."""
    kernel = start_kernel(SUBNETLAB_HOME=str(home))
    cell = PUBLISH.format(
        endpoint=subnet.node.endpoint, netuid=subnet.netuid, rounds=ROUNDS,
        store=subnet.store,
        length=pace.length,
    )  # fmt: skip
    reply = kernel.run(cell, timeout=LIMIT_S)
    assert "was announced in block" in reply.text, reply
    return kernel


@dataclass
class Story:
    """The run, and who took part in it: of three homes beside the owner's."""

    subnet: OpenSubnet
    manifest: Manifest
    peers: dict[str, Command]
    """The last process of each."""
    kept: list[KeptRecord]
    """The records of those that were killed, at that moment."""
    fourth: "subprocess.CompletedProcess[str]"
    """What `verify` said in a home of its own, without a key of the store."""

    def mined(self, name: str) -> list[int]:
        """The rounds in which a miner took part."""
        return [int(line["round"]) for line in self.peers[name].lines() if line.get("kind") == "mined"]


@contextmanager
def published(folder: Path) -> Generator[OpenSubnet]:
    """A subnet with five registered strangers and an S3 server."""
    with pytest.MonkeyPatch.context() as keys, s3_server() as server:
        keys.setenv("AWS_ACCESS_KEY_ID", "anyone")
        keys.setenv("AWS_SECRET_ACCESS_KEY", "anything")
        with open_subnet(folder, server.address("run")) as subnet:
            for wallet in ("bob/m1", "bob/m2", "bob/m3"):
                subnet.register(wallet)
            for wallet, stake_tao in (("bob/v1", 300), ("bob/v2", 200)):
                subnet.register(wallet, stake_tao=stake_tao)
            yield subnet


def told(subnet: OpenSubnet, folder: Path, pace: "Pace") -> Story:
    """What happens: the owner leaves, three are killed and come back, a miner comes ten rounds late."""
    kernel = published_from_a_notebook(subnet, folder / "owner", pace)
    manifest = subnet.awaited()
    peers = {name: subnet.peer("miner", f"bob/{name}", home="first") for name in ("m1", "m2")}
    peers |= {name: subnet.peer("validator", f"bob/{name}", home="second") for name in ("v1", "v2")}
    pace.ready(peers.values(), manifest.heights(KILLS[0][1] + 1).open)
    peers["m2"].event("mined", round=1, limit_s=pace.limit_s)
    kernel.stop()
    kept: list[KeptRecord] = []
    homes = dict.fromkeys(("m1", "m2"), "first") | dict.fromkeys(("v1", "v2"), "second")
    for (name, round_, phase), after in zip(KILLS, (*(kill[1] for kill in KILLS[1:]), LATE - 1), strict=True):
        killed = peers[name]
        killed.event("phase", round=round_, name=phase, limit_s=pace.limit_s)
        killed.process.send_signal(signal.SIGKILL)
        killed.ended()
        kept.append(subnet.record(killed, f"bob/{name}"))
        peers[name] = subnet.peer(killed.role or "miner", f"bob/{name}", home=homes[name])
        pace.ready([peers[name]], manifest.heights(after + 1).open)
    peers["v1"].event("round_closed", round=LATE - 1, limit_s=pace.limit_s)
    peers["m3"] = subnet.peer("miner", "bob/m3", home="third")
    pace.ready([peers["m3"]], manifest.heights(ROUNDS - 1).next_open + 3 * (TEMPO + 1))
    assert {name: peer.ended(pace.limit_s) for name, peer in peers.items()} == dict.fromkeys(peers, 0)
    pace.reach(manifest.heights(ROUNDS - 1).next_open + 3 * (TEMPO + 1))
    return Story(subnet, manifest, peers, kept, verified_by_a_fourth(subnet, folder / "fourth"))


@dataclass
class Pace:
    """Blocks at an interval, whatever the peers do."""

    subnet: OpenSubnet
    length: int = 40
    limit_s: float = 4 * ROUNDS * 40 * BLOCK_S

    def ready(self, peers: Iterable[Command], _until: int) -> None:
        """Let blocks come; peers take part once they are up."""

    def reach(self, height: int) -> None:
        """Wait for a block."""
        while self.subnet.client.head().number < height:
            time.sleep(BLOCK_S)


@dataclass
class AwaitingPace(Pace):
    """Blocks at an interval, but never before the peers that live did what is due: on any machine alike."""

    length: int = 0
    limit_s: float = 2 * LIMIT_S

    def ready(self, peers: Iterable[Command], until: int) -> None:
        """Wait for peers to be up, and then let blocks come up to the one before a height."""
        for peer in peers:
            peer.event("peer_ready")
        self.subnet.clock.until = until - 1

    def reach(self, height: int) -> None:
        """Wait for a block."""
        self.subnet.clock.until = height
        self.subnet.clock.reach(height)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("homes")
    with published(folder) as subnet, subnet.clock as clock:
        clock.reach(clock.height + 12)
        yield told(subnet, folder, AwaitingPace(subnet))


def test_all_end_with_one_model_and_the_late_one_mined_from_its_first_round_on(story: Story) -> None:
    assert len({peer.event("note", rounds=ROUNDS)["theta"] for peer in story.peers.values()}) == 1
    assert story.mined("m3") == list(range(LATE, ROUNDS))
    assert story.mined("m1") == list(range(3, ROUNDS))
    assert story.mined("m2") == list(range(7, ROUNDS))


def test_the_records_of_the_killed_go_on_where_they_ended_with_each_round_once(story: Story) -> None:
    check_kept(story)


def test_the_late_one_is_paid_in_its_first_full_tempo_and_votes_are_on_chain(story: Story) -> None:
    check_pay(story)


def test_a_fourth_home_verifies_the_run_of_three(story: Story) -> None:
    check_verified(story)


@pytest.mark.long
def test_strangers_of_three_homes_train_where_blocks_wait_for_no_peer(tmp_path: Path) -> None:
    with published(tmp_path) as subnet:
        subnet.seal_every(BLOCK_S)
        story = told(subnet, tmp_path, Pace(subnet))
        assert len({peer.event("note", rounds=ROUNDS)["theta"] for peer in story.peers.values()}) == 1
        joined = story.mined("m3")
        assert joined[0] >= LATE
        assert joined == list(range(joined[0], ROUNDS))
        assert story.mined("m1")[-1] == ROUNDS - 1
        check_kept(story)
        check_pay(story)
        check_verified(story)


def check_kept(story: Story) -> None:
    """Each record of a peer that was killed goes on from what it held."""
    assert len({record.path for record in story.kept}) == len(KILLS)
    for record in story.kept:
        assert record.whole
        record.check_continued()


def check_pay(story: Story) -> None:
    """The late miner is voted for by its second round, and paid in its first full tempo."""
    uid = story.peers["m3"].event("peer_ready")["uid"]
    first = story.mined("m3")[0]
    voted = voted_for(story.peers["v1"], uid)
    assert first <= voted <= first + 1
    paid_in_the_first_full_tempo(story.subnet, uid, story.manifest.heights(voted).close)
    assert len(story.subnet.client.metagraph(story.subnet.netuid).weights) == 2


def check_verified(story: Story) -> None:
    """A third party finds the whole run right."""
    assert story.fourth.returncode == 0, story.fourth.stdout + story.fourth.stderr
    assert f"is verified: {ROUNDS} rounds" in story.fourth.stdout


def voted_for(validator: Command, uid: int) -> int:
    """The first round in which a validator votes for a miner."""
    lines = validator.lines()
    votes = [line for line in lines if line.get("kind") == "weights_set" and line["weights"].get(str(uid))]
    assert votes, [line for line in lines if line.get("kind") == "scored" and line["uid"] == uid]
    return min(int(vote["round"]) for vote in votes)


def paid_in_the_first_full_tempo(subnet: OpenSubnet, uid: int, closed: int) -> None:
    """After the votes of a round are in, one epoch ends the tempo at hand, and the next is full."""
    wire = subnet.client.client
    graph = wire.run(metagraph_at(wire, subnet.netuid, closed + 2 * (TEMPO + 1), weights=False))
    assert next(neuron for neuron in graph.neurons if neuron.uid == uid).incentive > 0


def verified_by_a_fourth(subnet: OpenSubnet, home: Path) -> "subprocess.CompletedProcess[str]":
    """By who holds no key of the store."""
    keyless = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    words = ["verify", str(subnet.netuid), "--endpoint", subnet.node.endpoint, "--replay", "0.2"]
    return subprocess.run(
        [sys.executable, "-m", "subnetlab", *words], env={**keyless, "SUBNETLAB_HOME": str(home)},
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
