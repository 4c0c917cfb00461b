"""A fleet on a real Ray cluster of two nodes: the bits of a local fleet, a lost node, and what is refused."""

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.project import ROOT
from tests.sdk.fleet.ray_cluster import WORDS, events, ray_logs, two_nodes, wait_until
from tests.sdk.store.s3_server import S3Server, s3_server

import subnetlab as sl
from subnetlab.cli import main
from subnetlab.errors import ControlRefused, FleetStartFailed
from subnetlab.fleet.run_folder import LOG_FILE
from subnetlab.fleet.spec import read_spec
from subnetlab.record.events import Mined, PeerGone, PeerReady, RoundClosed, RoundLost, Stepped
from subnetlab.settings import runs_folder

DOCUMENT = ROOT / "docs" / "fleets.md"
ROUNDS = 10
SECRET = "a-key-of-the-store-that-is-written-nowhere"


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


def train(net: sl.Net, fleet: sl.LocalFleet) -> sl.Run:
    drawn = np.random.default_rng(7)
    return net.create_subnet("ray", wallet="alice").train(
        model=sl.models.TinyGPT("demo", n_embd=16, n_layer=1, n_head=2, seq_len=16),
        data=sl.data.text(" ".join(drawn.choice(WORDS.split(), 30_000)), name="words"),
        strategy=sl.strategies.SparseLoCo(inner_steps=4), rounds=ROUNDS, batch_size=2, seed=7, fleet=fleet,
    )  # fmt: skip


def printed(net: sl.Net, fleet: str, store: str) -> tuple[str, sl.Run]:
    """What the script of the documentation prints with these two in its second line, and its run."""
    script = DOCUMENT.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    script, count = re.subn("FLEET, STORE = .*", f'FLEET, STORE = {fleet}, "{store}"', script)
    assert count == 1
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as said:
        patch.setattr(sl, "connect", lambda: contextlib.nullcontext(net))
        exec(script, names)
    return said.getvalue(), names["run"]


def losses(said: str) -> list[float]:
    return [float(found) for found in re.findall(r"loss ([\d.]+)", said)]


def bits(run: sl.Run) -> tuple[list[Any], ...]:
    mined = events(run, Mined)
    payloads = sorted((event.round, event.loss, event.wire_bytes) for event in mined)
    losses = sorted((event.round, event.first_step, event.losses) for event in events(run, Stepped))
    return payloads, losses, [(event.theta_hash, event.val_loss) for event in events(run, RoundClosed)]


def test_two_nodes_and_a_bucket_reach_the_bits_of_a_local_fleet(
    net: sl.Net, cluster: Any, server: S3Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    local, near = printed(net, "sl.LocalFleet", str(tmp_path / "store"))
    remote, far = printed(net, "sl.RayFleet", server.address("ray"))
    assert local == remote
    assert local.count("loss") == 3
    shown = re.findall("```text\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert shown == [shown[0]] * 2
    assert losses(shown[0]) == pytest.approx(losses(local), abs=1e-3)  # another processor has other bits
    assert bits(far) == bits(near)
    for name, tensor in near.state_dict(round=1).items():
        assert (far.state_dict(round=1)[name] == tensor).all()
    assert len({event.node for event in events(far, PeerReady)}) == 2
    assert {event.node for event in events(near, PeerReady)} == {""}
    capsys.readouterr()
    assert main(["verify", far.id, "--endpoint", net.endpoint]) == 0
    kept = [path for path in far.folder.rglob("*") if path.is_file() and path.name != "fleet.json"]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]
    hidden = [SECRET, *(seat.hotkey_uri for seat in read_spec(far.folder).seats)]
    assert all(hidden)
    assert not [text for text in hidden if text in ray_logs()]


def test_peers_of_a_lost_node_start_on_another(
    net: sl.Net, cluster: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    # The way to the store holds each round up, so that what is done here meets the run half way.
    fleet = sl.RayFleet(address=cluster.address, miners=3, validators=1, baseline=False, rtt_ms=100)
    run = train(net, fleet)
    wait_until(run, lambda event: isinstance(event, RoundClosed))
    cell = run.execute(
        "import os; print(f'uid {uid}, {theta.numel()} parameters'); os.write(2, b'of its own process\\n')"
    )
    parameters = {output.stdout.split(", ")[1] for output in cell.outputs.values()}
    assert [output.stdout.split(",")[0] for output in cell.outputs.values()] == [
        f"uid {u}" for u in cell.outputs
    ]
    assert len(parameters) == 1
    with pytest.raises(ControlRefused, match="cannot be paused"):
        run.pause(next(iter(cell.outputs)), 1)
    (joined,) = run.join()
    second = [node for node in cluster.list_all_nodes() if not node.head][-1]
    cluster.remove_node(second, allow_graceful=False)
    assert run.wait(300, progress=False).status == "finished"
    assert re.search(r"\(miner \d.* of its own process", (run.folder / LOG_FILE).read_text(encoding="utf-8"))
    gone, ready = events(run, PeerGone), events(run, PeerReady)
    assert gone
    assert all("node" in event.reason for event in gone), [event.reason for event in gone]
    last = {event.uid: event.node for event in ready}
    assert set(last) == {*run.view.uids("miner"), *run.view.uids("validator")} | {joined}
    assert any(event.uid == joined for event in events(run, Mined))
    assert len(set(last.values())) == 1  # all on the node that is left
    closed, left = events(run, RoundClosed), events(run, RoundLost)
    assert sorted(event.round for event in [*closed, *left]) == list(range(ROUNDS))
    assert len(closed) >= ROUNDS // 2
    capsys.readouterr()
    assert main(["verify", run.id, "--endpoint", net.endpoint]) == 0


def test_a_cluster_without_room_is_refused_before_anything_is_bought(net: sl.Net, cluster: Any) -> None:
    before = set(runs_folder().glob("*"))
    for fleet, said in (
        (sl.RayFleet(address=cluster.address, miners=9, validators=1), r"CPUs free.*11 peers need 11 CPUs"),
        (sl.RayFleet(address=cluster.address, miners=1, gpus_per_miner=0.5), "0 of 0 GPUs free"),
        (sl.RayFleet(address="127.0.0.1:1"), "No Ray cluster answers at 127.0.0.1:1"),
    ):
        with pytest.raises(FleetStartFailed, match=said):
            train(net, fleet)
    assert set(runs_folder().glob("*")) == before
