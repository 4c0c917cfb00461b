"""A fleet on a real Ray cluster of two nodes: the bits of a local fleet, and what is refused."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.sdk.fleet.ray_cluster import WORDS, events, ray_logs, two_nodes
from tests.sdk.store.s3_server import S3Server, s3_server

import subnetlab as sl
from subnetlab.cli import main
from subnetlab.errors import FleetStartFailed
from subnetlab.record.events import Mined, PeerReady, RoundClosed, Stepped
from subnetlab.settings import runs_folder

SECRET = "a-key-of-the-store-that-is-written-nowhere"
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as found:
        yield found


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sl.Net]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBNETLAB_HOME", str(tmp_path_factory.mktemp("home")))
        with sl.connect(sealing="manual") as found:
            yield found


@pytest.fixture(scope="module")
def cluster(net: sl.Net) -> Iterator[Any]:
    with two_nodes() as found, pytest.MonkeyPatch.context() as patch:
        # After the cluster: its nodes have none of these.
        patch.setenv("AWS_ACCESS_KEY_ID", "somebody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        yield found


def train(net: sl.Net, fleet: sl.LocalFleet, *, rounds: int = 2, deterministic: bool = False) -> sl.Run:
    drawn = np.random.default_rng(7)
    return net.create_subnet("ray", wallet="alice").train(
        model=sl.models.TinyGPT("demo", n_embd=16, n_layer=1, n_head=2, seq_len=16),
        data=sl.data.text(" ".join(drawn.choice(WORDS.split(), 30_000)), name="words"),
        strategy=sl.strategies.SparseLoCo(inner_steps=4),
        rounds=rounds, batch_size=2, seed=7, deterministic=deterministic, fleet=fleet,
    )  # fmt: skip


def bits(run: sl.Run) -> tuple[list[Any], ...]:
    mined = events(run, Mined)
    payloads = sorted((event.round, event.loss, event.wire_bytes) for event in mined)
    losses = sorted((event.round, event.first_step, event.losses) for event in events(run, Stepped))
    return payloads, losses, [(event.theta_hash, event.val_loss) for event in events(run, RoundClosed)]


def test_two_nodes_and_a_bucket_reach_the_bits_of_a_local_fleet(
    net: sl.Net, cluster: Any, server: S3Server, capsys: pytest.CaptureFixture[str]
) -> None:
    peers = {"miners": 2, "validators": 1, "baseline": False}
    near = train(net, sl.LocalFleet(**peers), deterministic=True)
    assert near.wait(300, progress=False).status == "finished"
    far = train(
        net, sl.RayFleet(address=cluster.address, store=server.address("ray"), **peers), deterministic=True
    )
    assert far.wait(300, progress=False).status == "finished"
    assert len(bits(far)[2]) == 2
    assert bits(far) == bits(near)
    for name, tensor in near.state_dict(round=1).items():
        assert (far.state_dict(round=1)[name] == tensor).all()
    assert len({event.node for event in events(far, PeerReady)}) == 2
    assert {event.node for event in events(near, PeerReady)} == {""}
    capsys.readouterr()
    assert main(["verify", far.id, "--endpoint", net.endpoint]) == 0
    kept = [path for path in far.folder.rglob("*") if path.is_file() and path.name != "fleet.json"]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]
    assert SECRET not in ray_logs()
    assert "hotkey_uri" not in ray_logs()


def test_a_cluster_without_room_is_refused_before_anything_is_bought(net: sl.Net, cluster: Any) -> None:
    before = set(runs_folder().iterdir())
    for fleet, said in (
        (sl.RayFleet(address=cluster.address, miners=9, validators=1), r"CPUs free.*11 peers need 11 CPUs"),
        (sl.RayFleet(address=cluster.address, miners=1, gpus_per_miner=0.5), "0 of 0 GPUs free"),
        (sl.RayFleet(address="127.0.0.1:1"), "No Ray cluster answers at 127.0.0.1:1"),
    ):
        with pytest.raises(FleetStartFailed, match=said):
            train(net, fleet)
    assert set(runs_folder().iterdir()) == before
