"""Strangers join a run by command: an owner, miners and validators, each a process with a home of its own.

They share no folder: objects travel through an S3 server, and the rest is on chain.
"""

import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.sdk.store.s3_server import S3Server, s3_server

import subnetlab as sl
from subnetlab.lab.verification import verify_folder
from subnetlab.network.wallets import dev_wallet
from subnetlab.public.peer import peer_folder
from subnetlab.record.events import Scored
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail, verify
from subnetlab.store.objects import open_store
from subnetlab.train.manifest import Manifest

from .stage import LIMIT_S, Command, OpenSubnet, open_subnet

ROUNDS = 5


@dataclass
class Story:
    """A run that came to its end, and who was there."""

    subnet: OpenSubnet
    manifest: Manifest
    peers: dict[str, Command]
    killed: Command
    server: S3Server
    run: sl.Run
    """As somebody sees it who watches, and started none of it."""

    def thetas(self) -> set[str]:
        stayed = (peer for name, peer in self.peers.items() if name != "m2")
        lasts = (peer.event("note", rounds=ROUNDS) for peer in stayed)
        return {str(line["theta"]) for line in lasts}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Two miners and two validators, and one miner late; one is killed and started again, one leaves."""
    with ExitStack() as held:
        keys = held.enter_context(pytest.MonkeyPatch.context())
        keys.setenv("AWS_ACCESS_KEY_ID", "anyone")
        keys.setenv("AWS_SECRET_ACCESS_KEY", "anything")
        server = held.enter_context(s3_server())
        folder = tmp_path_factory.mktemp("open")
        subnet = held.enter_context(open_subnet(folder, server.address("story")))
        for wallet in ("bob/m1", "bob/m2", "bob/m3"):
            subnet.register(wallet)
        for wallet, stake_tao in (("bob/v1", 300), ("bob/v2", 200)):
            subnet.register(wallet, stake_tao=stake_tao)
        with subnet.clock as clock:
            clock.reach(clock.height + 12)
            manifest = subnet.published("--checkpoint-every", "2", rounds=ROUNDS)
            net = held.enter_context(sl.connect(subnet.node.endpoint))
            run = net.subnet(subnet.netuid).attach()
            peers = {f"m{i}": subnet.peer("miner", f"bob/m{i}") for i in (1, 2)}
            peers |= {f"v{i}": subnet.peer("validator", f"bob/v{i}") for i in (1, 2)}
            for peer in peers.values():
                peer.event("peer_ready")
            clock.until = manifest.heights(2).open - 1
            peers["m1"].event("mined", round=1)
            killed = peers["m1"]
            killed.process.send_signal(signal.SIGKILL)
            killed.ended()
            peers["m1"] = subnet.peer("miner", "bob/m1")
            peers["m3"] = subnet.peer("miner", "bob/m3")
            for name in ("m1", "m3"):
                peers[name].event("peer_ready")
            clock.until = manifest.heights(ROUNDS - 1).next_open + 9
            peers["m2"].event("phase", round=3, name="committed")
            peers["m2"].process.send_signal(signal.SIGTERM)
            for peer in peers.values():
                assert peer.ended() == 0, peer.log.read_text()[-3000:]
            clock.until = clock.height + 40
            run.wait(LIMIT_S, progress=False)
        yield Story(subnet, manifest, peers, killed, server, run)


def test_every_stranger_reaches_the_same_model(story: Story) -> None:
    assert len(story.thetas()) == 1


def test_all_that_took_part_are_judged_and_the_late_one_from_its_first_round(story: Story) -> None:
    lead = story.peers["v1"]
    closed = [line["round"] for line in lead.lines() if line.get("kind") == "round_closed"]
    assert closed == list(range(ROUNDS))
    judged = {
        (line["round"], line["uid"]): line["verdict"]
        for line in story.peers["v2"].lines()
        if line.get("kind") == "scored"
    }
    m1, m2, m3 = (story.peers[name].event("peer_ready")["uid"] for name in ("m1", "m2", "m3"))
    assert {judged[round_, m1] for round_ in range(ROUNDS)} <= {"accepted", "gated"}
    assert {judged[round_, m2] for round_ in range(4)} <= {"accepted", "gated"}
    assert judged[4, m2] == "missing"
    assert judged[0, m3] == judged[1, m3] == "missing"
    assert {judged[round_, m3] for round_ in (2, 3, 4)} <= {"accepted", "gated"}


def test_who_joins_late_or_again_begins_at_the_checkpoint(story: Story) -> None:
    for name in ("m1", "m3"):
        said = [str(line.get("text")) for line in story.peers[name].lines() if line.get("kind") == "note"]
        assert any("from the checkpoint of round 2 on" in text for text in said), said
    named = [bool(story.run.view.closed[round_].checkpoint) for round_ in range(ROUNDS)]
    assert named == [False, True, False, True, False]


def test_a_signal_ends_a_peer_after_its_round(story: Story) -> None:
    left = story.peers["m2"].event("note", rounds=4)
    assert left["text"].startswith("Left the run after round 4")
    closed = story.run.view.closed[3]
    assert left["theta"] == closed.theta_hash
    assert story.peers["m2"].ended() == 0


def test_weights_and_pay_are_on_chain(story: Story) -> None:
    graph = story.subnet.client.metagraph(story.subnet.netuid)
    v1, v2 = (story.peers[name].event("peer_ready")["uid"] for name in ("v1", "v2"))
    assert {v1, v2} <= set(graph.weights)
    voted = {to for row in graph.weights.values() for to, weight in row.items() if weight}
    assert voted
    paid = {neuron.uid for neuron in graph.neurons if neuron.incentive}
    assert paid & voted


def test_who_only_watches_has_the_whole_record_and_the_model(story: Story) -> None:
    run, view = story.run, story.run.view
    assert run.status == "finished"
    assert sorted(view.closed) == list(range(ROUNDS))
    assert {view.closed[ROUNDS - 1].theta_hash} == story.thetas()
    assert len(view.up) == 0
    assert len(view.peers) == len(story.peers)
    uids = {name: peer.event("peer_ready")["uid"] for name, peer in story.peers.items()}
    assert set(view.mining) == {uids["m1"], uids["m2"], uids["m3"]}
    mined = run.frame("miners")
    assert set(mined["uid"]) == set(view.mining)
    scored = [entry.event for entry in Tail(run.folder / FILE_NAME).entries()]
    assert {uids["v1"], uids["v2"]} == {event.validator for event in scored if isinstance(event, Scored)}
    assert view.pay.last is not None
    assert verify(run.folder / FILE_NAME).torn_bytes == 0
    assert sum(part.numel() for part in run.model.parameters()) > 1000


def verified(story: Story) -> "subprocess.CompletedProcess[str]":
    """`subnetlab verify` in a process of its own, whose torch takes the instruction set of the run."""
    words = ["verify", str(story.subnet.netuid), "--endpoint", story.subnet.node.endpoint, "--replay", "1"]
    return subprocess.run(
        [sys.executable, "-m", "subnetlab", *words],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_a_third_party_verifies_it_from_chain_and_store(story: Story) -> None:
    honest = verified(story)
    print(honest.stdout, honest.stderr)
    assert honest.returncode == 0
    assert f"Run {story.manifest.run_id} is verified: {ROUNDS} rounds" in honest.stdout
    assert f"The chain is that of the node {story.subnet.node.endpoint}" in honest.stdout
    m1, v1 = (story.peers[name].event("peer_ready")["uid"] for name in ("m1", "v1"))
    forged = [objects(story, f"rounds/000001/sealed/{m1}/")[0], objects(story, "checkpoints/")[0]]
    with ExitStack() as held:
        for key in forged:
            held.enter_context(altered(story, key))
        said = verified(story)
    print(said.stdout, said.stderr)
    assert said.returncode == 1
    assert f"payload, round 2, uid {m1}" in said.stdout
    assert re.search(rf"checkpoint, round [24], uid {v1}: What lies in the store is not", said.stdout)


def test_the_folder_that_an_observer_keeps_verifies_against_the_places_of_the_peers(story: Story) -> None:
    # Here torch uses what this processor has, and the run AVX2: a miner that was started again is alike, too.
    report = verify_folder(story.run.folder, replay=1.0)
    print(report)
    assert report.verified
    assert report.checks["record"].done > 100
    assert report.checks["payloads"].done >= 3 * ROUNDS - 3


def objects(story: Story, below: str) -> list[str]:
    """The keys of what peers put below a name, each in its own place; the lead's first."""
    lead = dev_wallet("bob/v1").hotkey.ss58_address
    names = open_store(story.server.address("story")).names("peers")
    found = [f"story/{name}" for name in names if name.split("/", 2)[2].startswith(below)]
    return sorted(found, key=lambda key: (lead not in key, key))


@contextmanager
def altered(story: Story, key: str) -> Generator[None]:
    """Something else under a key of the bucket, as its holder can put it there."""
    url = f"{story.server.endpoint}/runs/{key}"
    with urllib.request.urlopen(url) as answer:
        whole = answer.read()
    _put(url, whole[::-1])
    try:
        yield
    finally:
        _put(url, whole)


def _put(url: str, data: bytes) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method="PUT"), timeout=300):
        pass


def test_no_peer_held_what_opens_the_nodes_own_methods(story: Story) -> None:
    """Peers, owner included, found no token of the node: no `dev_` method was theirs to call."""
    homes = {command.log.parent for command in story.subnet.started}
    assert len(homes) == 6
    assert [str(token) for home in homes for token in home.rglob("*.token")] == []


def test_each_peer_keeps_one_record_across_a_kill(story: Story) -> None:
    for name, wallet in (("m1", "bob/m1"), ("m3", "bob/m3"), ("v1", "bob/v1")):
        home: Path = story.subnet.folder / wallet.replace("/", "-")
        hotkey = dev_wallet(wallet).hotkey.ss58_address
        record = home / "peers" / peer_folder(story.manifest.hash, hotkey).name / FILE_NAME
        assert verify(record).torn_bytes == 0, name


@pytest.mark.long
def test_blocks_that_wait_for_no_peer(tmp_path: Path) -> None:
    """A block every half second, whatever the peers do: rounds of measured length are long enough."""
    with open_subnet(tmp_path) as subnet:
        subnet.register("bob/m1")
        subnet.register("bob/m2")
        subnet.register("bob/v1", stake_tao=300)
        subnet.seal_every(0.5)
        manifest = subnet.published("--notice", "60", "--blocks-per-round", "40", rounds=3)
        left_s = 0.5 * (manifest.heights(2).close - subnet.client.head().number)
        assert left_s < 60 + 3 * 20, "the pace of blocks was not measured as it is"
        peers = [subnet.peer("miner", f"bob/m{i}") for i in (1, 2)] + [subnet.peer("validator", "bob/v1")]
        assert [peer.ended(LIMIT_S + 3 * left_s) for peer in peers] == [0, 0, 0]
        assert len({peer.event("note", rounds=3)["theta"] for peer in peers}) == 1
        closed = [line for line in peers[2].lines() if line.get("kind") == "round_closed"]
        assert [line["round"] for line in closed] == [0, 1, 2]
        assert [line["heights"] for line in closed] == [
            [heights.open, heights.commit, heights.beacon, heights.close]
            for heights in map(manifest.heights, range(3))
        ]
        assert subnet.client.metagraph(subnet.netuid).weights
