"""The check-up judges what it finds, and says what to do."""

import sys
from pathlib import Path

import pytest

from subnetlab.commands.doctor import Check, Checkup, doctor, torch_check


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
