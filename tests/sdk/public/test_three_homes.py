"""A public run at interval sealing: an owner in a notebook, strangers of other homes, one S3 server.

No home shares a folder with another, no peer holds the node's token, and blocks wait for no peer. A run of
such a length takes minutes; `test_strangers.py` is its short sibling.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.kernel.running import RunningKernel, start_kernel
from tests.sdk.store.s3_server import s3_server

from subnetlab.lab.preset import TEMPO
from subnetlab.network.metagraph import metagraph_at

from .stage import LIMIT_S, Command, OpenSubnet, open_subnet

ROUNDS = 16
LATE = 10
"""Rounds that are over before the late miner is started."""
LENGTH = 30
BLOCK_S = 0.5
SPAN_S = 4 * ROUNDS * LENGTH * BLOCK_S
PUBLISH = """\
import subnetlab as sl
net = sl.connect({endpoint!r})
run = net.subnet({netuid}).train(
    model=sl.models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32),
    data=sl.data.text("The quick brown fox jumps over the lazy dog. " * 2_000, name="fox"),
    strategy=sl.strategies.SparseLoCo(inner_steps=4), rounds={rounds},
    fleet=sl.OpenFleet(store={store!r}, blocks_per_round={length}, notice_s=90, miners=3, checkpoint_every=4),
)
print(run.note)
"""


def published_from_a_notebook(subnet: OpenSubnet, home: Path) -> RunningKernel:
    """The kernel of an owner who has published the run."""
    kernel = start_kernel(SUBNETLAB_HOME=str(home))
    cell = PUBLISH.format(
        endpoint=subnet.node.endpoint, netuid=subnet.netuid, rounds=ROUNDS, store=subnet.store, length=LENGTH
    )
    reply = kernel.run(cell, timeout=LIMIT_S)
    assert "was announced in block" in reply.text, reply
    return kernel


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_strangers_of_three_homes_train_are_paid_and_a_fourth_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anyone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
    with s3_server() as server, open_subnet(tmp_path, server.address("run")) as subnet:
        for wallet in ("bob/m1", "bob/m2", "bob/m3"):
            subnet.register(wallet)
        for wallet, stake_tao in (("bob/v1", 300), ("bob/v2", 200)):
            subnet.register(wallet, stake_tao=stake_tao)
        subnet.seal_every(BLOCK_S)
        kernel = published_from_a_notebook(subnet, tmp_path / "owner")
        manifest = subnet.awaited()
        peers = {name: subnet.peer("miner", f"bob/{name}", home="first") for name in ("m1", "m2")}
        peers |= {name: subnet.peer("validator", f"bob/{name}", home="second") for name in ("v1", "v2")}
        peers["m2"].event("mined", round=1, limit_s=SPAN_S)
        kernel.stop()
        peers["m1"].event("mined", round=2, limit_s=SPAN_S)
        peers["m1"].process.send_signal(signal.SIGKILL)
        peers["m1"].ended()
        peers["m1"] = subnet.peer("miner", "bob/m1", home="first")
        peers["v1"].event("round_closed", round=LATE - 1, limit_s=SPAN_S)
        peers["m3"] = subnet.peer("miner", "bob/m3", home="third")
        assert {name: peer.ended(SPAN_S) for name, peer in peers.items()} == dict.fromkeys(peers, 0)
        assert len({peer.event("note", rounds=ROUNDS)["theta"] for peer in peers.values()}) == 1
        joined = [int(line["round"]) for line in peers["m3"].lines() if line.get("kind") == "mined"]
        assert joined[0] >= LATE
        assert joined == list(range(joined[0], ROUNDS))
        again = [int(line["round"]) for line in peers["m1"].lines() if line.get("kind") == "mined"]
        assert again[-1] == ROUNDS - 1
        uid = peers["m3"].event("peer_ready")["uid"]
        voted = voted_for(peers["v1"], uid)
        assert joined[0] <= voted <= joined[0] + 1
        paid_in_the_first_full_tempo(subnet, uid, manifest.heights(voted).close)
        assert len(subnet.client.metagraph(subnet.netuid).weights) == 2
        done = verified_by_a_fourth(subnet, tmp_path / "fourth")
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{ROUNDS} rounds" in done.stdout


def voted_for(validator: Command, uid: int) -> int:
    """The first round in which a validator votes for a miner."""
    votes = [line for line in validator.lines() if line.get("kind") == "weights_set"]
    return min(int(vote["round"]) for vote in votes if vote["weights"].get(str(uid)))


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
        capture_output=True, text=True, timeout=SPAN_S, check=False,
    )  # fmt: skip
