"""The check-up judges what it finds, and says what to do."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from subnetlab.commands.doctor import (
    Check,
    Checkup,
    chain_check,
    console_check,
    devices_check,
    doctor,
    fleet_check,
    jupyter_check,
    torch_check,
)
from subnetlab.train.devices import Card, Found


def test_this_machine_can_run_the_tutorials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path / "new"))
    found = doctor()
    assert found.healthy
    assert {check.name for check in found.checks} >= {"Python", "torch", "local ports", "processes", "disk"}
    assert "127.0.0.1 can be opened" in repr(found)


@pytest.mark.skipif(sys.platform == "darwin", reason="there is no CUDA build to mistake it for")
@pytest.mark.parametrize(
    ("version", "state"),
    [("2.13.0+cpu", "ok"), ("2.13.0+cu130", "warning"), ("2.13.0", "warning"), (None, "missing")],
)
def test_a_torch_that_costs_gigabytes_is_called_out(version: str | None, state: str) -> None:
    check = torch_check(version)
    assert check.state == state
    assert bool(check.advice) == (state != "ok")


def test_devices_are_named() -> None:
    card = Found(cards=(Card(name="H200", bytes=150_000_000_000),))
    assert devices_check(card).found == "cpu, cuda:0 H200 (150 GB)"
    assert devices_check(Found()).found == "cpu"
    assert devices_check(Found(mps=True)).found == "cpu, mps"
    unused = devices_check(Found(cpu_build=True))
    assert unused.state == "warning"
    assert "pip install torch" in unused.advice
    assert torch_check("2.13.0+cu130", has_card=True).state == "ok"
    assert torch_check("2.13.0+cu130").state == "warning"


def test_a_home_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("SUBNETLAB_HOME", str(blocked))
    found = doctor()
    assert not found.healthy
    assert "Set SUBNETLAB_HOME" in repr(found)
    assert "Something is missing" in repr(found)


def test_a_warning_is_not_an_illness() -> None:
    assert Checkup((Check("x", "warning", "slow", "do this"),)).healthy
    assert not Checkup((Check("x", "missing", "none", "do this"),)).healthy


def test_a_small_container_is_told_the_fleet_that_fits() -> None:
    small = fleet_check(1, 1_000_000_000)
    assert small.state == "warning"
    assert "1 core and 1.0 GB of free memory are little for 11 peers" in small.found
    assert small.advice == "sl.LocalFleet(miners=3, validators=1, baseline=False) is smaller."
    assert fleet_check(4, 8_000_000_000).state == "ok"


def test_a_jupyter_of_another_python_is_called_out(tmp_path: Path) -> None:
    other = jupyter_check(str(tmp_path / "bin" / "jupyter"))
    assert other.state == "warning"
    assert f"start it by {sys.executable} -m jupyter lab" in other.advice
    assert jupyter_check(str(Path(sys.prefix) / "bin" / "jupyter")).state == "ok"


@pytest.mark.parametrize(
    ("encoding", "state"),
    [("utf-8", "ok"), ("UTF8", "ok"), ("ascii", "warning"), ("cp1252", "warning"), ("?", "warning")],
)
def test_a_console_that_is_not_utf_8_is_called_out(encoding: str, state: str) -> None:
    assert console_check(encoding).state == state


@pytest.mark.parametrize(
    ("spec", "state", "said"), [(461, "ok", ""), (470, "warning", "newer"), (400, "warning", "older")]
)
def test_a_chain_of_another_runtime_is_called_out(spec: int, state: str, said: str) -> None:
    net: Any = SimpleNamespace(name="a chain", client=SimpleNamespace(spec_version=spec))
    check = chain_check(net)
    assert check.state == state
    assert said in check.found
    assert str(spec) in check.found
