"""Nothing below our home can be read by another user of the machine, whatever the umask says."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

import subnetlab as sl
from subnetlab.lab.subnet import Subnet
from subnetlab.record.files import make_private, write_private
from subnetlab.record.lock import is_held, locked
from subnetlab.settings import run_folders


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path / "home"))
    before = os.umask(0)
    yield tmp_path / "home"
    os.umask(before)


def modes(home: Path) -> dict[str, str]:
    """What is open to others, by name."""
    found = {str(path.relative_to(home.parent)): path.lstat().st_mode for path in (home, *home.rglob("*"))}
    return {name: oct(mode) for name, mode in found.items() if mode & 0o077 and not stat.S_ISLNK(mode)}


def small(subnet: Subnet) -> sl.Run:
    return subnet.train(
        model=sl.models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=16),
        data=sl.data.text("def word():\n    return 1\n" * 300, name="words"),
        strategy=sl.strategies.SparseLoCo(inner_steps=1), rounds=2, batch_size=2,
        fleet=sl.LocalFleet(miners=1, validators=1, baseline=False),
    )  # fmt: skip


def test_a_run_its_node_and_its_budget_are_private(home: Path, tmp_path: Path) -> None:
    with sl.connect(sealing="instant") as net:
        net.budget.set(100_000)
        run = small(net.create_subnet("private"))
        run.wait(timeout=300)
        assert modes(home) == {}
        assert {path.name for path in home.iterdir()} >= {"runs", "nodes", "budgets"}
    sl.open(run.save(tmp_path / "run.zip"))
    assert modes(home) == {}
    assert run_folders() == [run.folder]


def test_what_an_earlier_version_left_open_is_closed(home: Path) -> None:
    (home / "budgets").mkdir(parents=True)
    (home / "budgets" / "net.json").write_text("{}")
    make_private(home / "budgets")
    write_private(home / "budgets" / "net.json", "new")
    assert modes(home) == {"home": "0o40777"}
    assert [path.name for path in (home / "budgets").iterdir()] == ["net.json"]


def test_a_lock_is_held_while_its_holder_has_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "lock"
    assert not is_held(path)
    with locked(path):
        assert is_held(path)
    assert not is_held(path)
