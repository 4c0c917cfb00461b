"""Runs of this machine: what is listed can be acted on, one can be deleted, attaching brings its chain."""

from pathlib import Path
from typing import Any

import pytest
from tests.sdk.lab import story

import subnetlab as sl
from subnetlab.errors import RunError, RunNotFinished
from subnetlab.lab.run import Run
from subnetlab.lab.runs import attach, find, runs
from subnetlab.lab.session import Net, connect
from subnetlab.network.dev import DevControls
from subnetlab.settings import runs_folder

OPTIONS: dict[str, Any] = {
    "data": sl.data.stdlib(200_000),
    "model": sl.models.TinyGPT("binder"),
    "strategy": sl.strategies.SparseLoCo(inner_steps=2),
    "fleet": sl.LocalFleet(miners=1, validators=1, baseline=False),
}


def test_a_run_is_deleted_once_it_is_over(net: Net) -> None:
    run = net.create_subnet("deleted").train(rounds=5000, **OPTIONS)
    with pytest.raises(RunNotFinished, match="nothing was removed"):
        run.delete()
    assert run.folder.is_dir()
    run.stop(timeout=30)
    assert run.id in {found.id for found in runs()}
    run.delete()
    assert not list(runs_folder().iterdir())
    assert runs() == []
    with pytest.raises(RunError, match="There is no run"):
        run.delete()


def test_what_never_began_is_not_listed_and_can_be_deleted(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path))
    begun = story.write(tmp_path / "runs" / "begun-1", story.story())
    refused = tmp_path / "runs" / "refused-1"
    refused.mkdir()
    (refused / "manifest.json").write_text("{}")
    (refused / "record.jsonl").touch()
    assert [run.folder for run in runs(all=True)] == [begun]
    find("refused").delete()
    assert [folder.name for folder in (tmp_path / "runs").iterdir()] == ["begun-1"]


def test_attaching_brings_the_chain_of_the_run() -> None:
    with connect(sealing="instant") as first:
        run = first.create_subnet("left").train(rounds=5000, detach=True, **OPTIONS)
        assert attach(run.id).net is first
    again = attach(run.id)
    try:
        assert isinstance(again.net, Net)
        assert again.net is not first
        assert (again.net.endpoint, again.net.name) == (run.endpoint, "devnet")
        assert again.net.subnet(run.netuid).name == "left"
        assert attach(run.id).net is again.net
    finally:
        again.stop(timeout=300)
        if again.net is not None:
            again.net.close()
        DevControls(run.endpoint).shutdown()


def test_a_run_whose_chain_is_gone_brings_none(net: Net, tmp_path: Path, monkeypatch: Any) -> None:
    with connect(sealing="instant") as other:
        run = other.create_subnet("gone").train(rounds=1, **OPTIONS).wait(timeout=300)
        assert other.endpoint != net.endpoint
    assert attach(run.id).net is None
    assert Run(run.folder).net is None
