"""What is said of a cluster before anything runs on it, and how often a lost peer is started again."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import subnetlab as sl
from subnetlab.errors import ArgumentInvalid, FleetStartFailed
from subnetlab.fleet.cluster.connection import join_cluster, refused
from subnetlab.fleet.cluster.launcher import given_to, without_keys
from subnetlab.fleet.cluster.survey import NodeFound, refusal
from subnetlab.fleet.spec import FleetSpec, PeerSeat
from subnetlab.fleet.worker.life import Reporter
from subnetlab.record.events import PeerGone, PeerReady

from .stage import ALL, VALIDATOR, Stage, reports

HERE = {"subnetlab": "0.1.0", "torch": "2.13.0"}
ASKED = {"endpoint": "ws://127.0.0.1:9944", "seen": {"folder": "/runs"}}


def test_ray_is_loaded_where_a_cluster_is_asked_for_and_not_before() -> None:
    code = "import sys, subnetlab as sl; sl.RayFleet(miners=1); print('ray' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"address": "ray://head:10001"}, "Ray's client"),
        ({"address": 7}, "address is an int"),
        ({"gpus_per_miner": -1}, "not a number from 0 up"),
        ({"cpus_per_peer": 1.5}, "no share and no whole number"),
        ({"gpus_per_minor": 1}, "gpus_per_miner"),
        ({"miners": 0}, "at least one miner"),
    ],
)
def test_a_fleet_that_cannot_be_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ArgumentInvalid, match=said):
        sl.RayFleet(**options)  # type: ignore[arg-type]


def test_without_the_extra_the_next_step_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(FleetStartFailed, match=r"not installed here.*pip install 'subnetlab\[ray\]'"):
        join_cluster("auto")


def test_another_ray_or_python_is_named() -> None:
    from ray._private.utils import check_version_info

    with pytest.raises(RuntimeError) as raised:
        check_version_info({"ray_version": "2.9.0", "python_version": "3.10.1"}, "here")
    said = str(refused("head:6379", raised.value))
    assert "head:6379 runs Ray 2.9.0 on Python 3.10.1; here are Ray 2." in said


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"versions": {**HERE, "torch": "2.12.1"}}, "Node b has torch 2.12.1, and here is 2.13.0"),
        ({"versions": {**HERE, "subnetlab": ""}}, "Node b has no subnetlab"),
        ({"reaches_chain": "Connection refused"}, "Node b does not reach the chain at ws://127.0.0.1:9944"),
        ({"sees_folder": False}, "Node b does not see the folder /runs"),
    ],
)
def test_a_node_that_no_peer_can_run_on_is_named(node: dict[str, object], said: str) -> None:
    good: dict[str, object] = {"versions": HERE, "reaches_chain": "", "sees_folder": True}
    nodes = [NodeFound(name="a", **good), NodeFound(name="b", **{**good, **node})]  # type: ignore[arg-type]
    assert refusal(nodes[:1], HERE, ASKED) is None
    assert said in str(refusal(nodes, HERE, ASKED))


def test_what_goes_to_the_nodes_derives_no_key() -> None:
    seats = (PeerSeat(uid=1, hotkey="5A", role="miner", hotkey_uri="//Alice//miner"),)
    others = (PeerSeat(uid=2, hotkey="5B", role="other", wallet="bob/default"),)
    spec = FleetSpec(
        endpoint="ws://h:1",
        network="devnet",
        is_devnet=True,
        netuid=1,
        store="/s",
        seats=seats,
        others=others,
    )
    text = without_keys(spec).to_json()
    assert "Alice" not in text
    assert "bob" not in text
    assert [seat.uid for seat in FleetSpec.from_json(text).seats] == [1]


def test_a_seat_that_signs_with_a_wallet_is_refused(tmp_path: Path) -> None:
    seat = PeerSeat(uid=1, hotkey="5A", role="miner", wallet="bob/default")
    spec = FleetSpec(
        endpoint="ws://h:1", network="test", is_devnet=False, netuid=1, store=str(tmp_path), seats=(seat,)
    )
    with pytest.raises(FleetStartFailed, match="wallet of this machine") as refused_with:
        given_to(spec, seat)
    assert "subnetlab miner" in refused_with.value.hint


@pytest.mark.parametrize(("restarts", "starts"), [(0, 1), (1, 2), (2, 3)])
def test_a_peer_whose_process_was_lost_is_started_again_so_many_times(
    tmp_path: Path, restarts: int, starts: int
) -> None:
    begun: list[int] = []

    def lost_twice(report: Reporter, stop: threading.Event) -> None:
        begun.append(1)
        if len(begun) < 3:
            report.hang_up()
        else:
            reports(1, *ALL)(report, stop)

    stage = Stage(tmp_path)
    stage.play({1: ("miner", lost_twice), 7: VALIDATOR}, restarts=restarts)
    assert len(begun) == starts
    assert [event.uid for event in stage.events(PeerGone)] == [1] * min(starts, 2)
    assert len([event for event in stage.events(PeerReady) if event.uid == 1]) == (starts == 3)
