"""A run for other people's peers, from a notebook: published, watched, told about, and ended by its owner."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import subnetlab as sl
from subnetlab.cli import main
from subnetlab.errors import NotRegistered, NotYetSupported

LIMIT_S = 300.0


@pytest.fixture(scope="module")
def net() -> Iterator[sl.Net]:
    with sl.connect(sealing=0.25) as net:
        yield net


@pytest.fixture(scope="module")
def subnet(net: sl.Net) -> sl.Subnet:
    return net.create_subnet("open")


def train(subnet: sl.Subnet, store: Path, **options: object) -> sl.Run:
    described: dict[str, object] = {
        "model": sl.models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32),
        "data": sl.data.text("The quick brown fox jumps over the lazy dog. " * 500, name="fox"),
        "strategy": sl.strategies.SparseLoCo(inner_steps=2),
        "rounds": 3,
        "fleet": sl.OpenFleet(store=str(store), notice_s=600),
    }
    return subnet.train(**{**described, **options})  # type: ignore[arg-type]


def test_an_owner_publishes_watches_and_ends_a_run(
    subnet: sl.Subnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(subnet, tmp_path / "store")
    assert "was announced in block" in run.note
    assert f"subnetlab miner --endpoint {subnet.net.endpoint}" in run.note
    assert run.status in ("starting", "running")
    assert run.view.started is not None
    assert run.view.started.manifest["rounds"] == 3
    where = ["--endpoint", subnet.net.endpoint, "--netuid", str(subnet.netuid)]
    assert main(["run", "status", *where, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["run_id"] == run.id
    assert (said["round"], said["rounds"], said["over"]) == (-1, 3, False)
    assert main(["run", "stop", *where, "--wallet", "alice"]) == 0
    assert capsys.readouterr().out == f"Run {run.id} ends after round 0.\n"
    assert run.wait(LIMIT_S, progress=False).status == "stopped"
    assert run.view.ended is not None
    assert run.view.ended.reason == "Its owner ended it before the first round."
    assert main(["run", "status", *where]) == 0
    assert "is over" in capsys.readouterr().out


def test_what_only_a_fleet_of_ones_own_has_is_refused(subnet: sl.Subnet, tmp_path: Path) -> None:
    for options in ({"baselines": ("alone",)}, {"budget_tao": 5}, {"deterministic": True}):
        with pytest.raises(NotYetSupported, match="belong to others"):
            train(subnet, tmp_path / "store", **options)
    assert not (tmp_path / "store").exists()


def test_only_the_owners_wallet_announces_and_any_wallet_registers(
    net: sl.Net, subnet: sl.Subnet, tmp_path: Path
) -> None:
    stranger = net.subnet(subnet.netuid, wallet="bob")
    with pytest.raises(NotRegistered, match="Only the owner's hotkey"):
        train(stranger, tmp_path / "store")
    assert not (tmp_path / "store").exists()
    uid = stranger.register("bob/m1")
    assert subnet.hotkey(uid) == net.address(net.wallet("bob/m1").hotkey)  # type: ignore[union-attr]
