"""Runs of this machine: what is listed can be acted on, one can be deleted, attaching brings its chain."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.sdk.lab import story

import subnetlab as sl
from subnetlab.errors import RunError, RunNotFinished, UnknownRun
from subnetlab.fleet.supervisor.supervise import sole_supervisor
from subnetlab.lab import resume as resuming
from subnetlab.lab import running, session
from subnetlab.lab.run import Run
from subnetlab.lab.runs import attach, find, runs
from subnetlab.lab.session import Net, connect
from subnetlab.network.dev import DevControls
from subnetlab.record.line import FILE_NAME
from subnetlab.record.writer import RecordWriter
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


def test_a_stopped_run_is_over_when_stop_returns(net: Net) -> None:
    run = net.create_subnet("stopped").train(rounds=5000, **OPTIONS)
    pause = threading.Event()
    while not run.round:
        assert not run.ended
        pause.wait(0.05)
    run.stop()
    assert run.status == "stopped"
    assert run.view.ended is not None
    assert next(run.model.parameters()).isfinite().all()
    run.stop()


def test_a_run_that_does_not_end_in_time_is_said_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(story.write(tmp_path / "r1", story.story(2, ended=False)))
    asked: list[Path] = []
    monkeypatch.setattr(running, "request_stop", asked.append)
    says = r"Run r1 was asked to end, and has not within 0\.1 s\. .*run\.wait\(\)"
    with sole_supervisor(run.folder):
        run.stop(timeout=0)
        with pytest.raises(RunNotFinished, match=says):
            run.stop(timeout=0.1)
    assert asked == [run.folder] * 2


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


def _of_one_name(home: Path, *names: str) -> list[Path]:
    """Runs of a home, each begun an hour after the one before, the last an hour ago; the first has ended."""
    folders: list[Path] = []
    for i, name in enumerate(names):
        begun = time.time() - 3_600 * (len(names) - i)
        folder = home / "runs" / name
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}")
        with RecordWriter(folder / FILE_NAME, clock=lambda at=begun: at) as record:
            for event in story.story(ended=not i):
                record.append(event)
        folders.append(folder)
    return folders


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path))
    return tmp_path


def test_of_several_runs_of_a_name_the_one_that_goes_on_is_taken(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming, "resume", lambda _folder: "")
    monkeypatch.setattr(session, "rejoin", lambda _run: None)
    _, going, _ = _of_one_name(empty_home, "besieged-1ade", "besieged-5787", "other-1")
    with sole_supervisor(going):
        run = attach("besieged")
        assert run.id == "besieged-5787"
        assert "Of 2 runs called 'besieged' it is the one that goes on." in repr(run)
        assert attach("besieged-1ade").note == ""
        with pytest.raises(UnknownRun, match="2 runs are called"):
            find("besieged")  # what deletes or verifies takes no guess


def test_where_none_or_several_go_on_those_of_the_name_are_listed(empty_home: Path) -> None:
    _, *left, _ = _of_one_name(empty_home, "besieged-1ade", "besieged-5787", "besieged-0a", "other-1")
    says = (
        "3 runs are called 'besieged'. Newest first: besieged-0a (interrupted, begun 2 h ago), "
        "besieged-5787 (interrupted, begun 3 h ago), besieged-1ade (finished, begun 4 h ago). "
        "Give one name in full: %sl attach besieged-0a, or sl.attach('besieged-0a')."
    )
    with pytest.raises(UnknownRun) as raised:
        attach("besieged")
    assert str(raised.value) == says
    with sole_supervisor(left[0]), sole_supervisor(left[1]), pytest.raises(UnknownRun) as raised:
        attach("besieged")
    assert str(raised.value) == says.replace("interrupted", "running")
    (left[1] / FILE_NAME).write_bytes(b"{}\n")
    with pytest.raises(UnknownRun, match=r"besieged-0a \(unreadable, begun 0 s ago\)"):
        attach("besieged")
    _of_one_name(empty_home, *(f"many-{i}" for i in range(12)))
    with pytest.raises(UnknownRun, match=r"many-11 \(.*many-2 \(.* and 2 older ones\."):
        attach("many")


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
