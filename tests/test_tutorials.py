"""The first tutorial and the command that runs it: small in every test run, whole in the long one."""

import json
from pathlib import Path

import nbformat
import pytest

from subnetlab.cli import main
from subnetlab.commands.demo import execute, page
from subnetlab.commands.tutorials import find
from subnetlab.errors import RunError
from subnetlab.lab.replay import open as open_recorded
from tests.notebooks import check_cells, read, solved

SMALL = {
    "--rounds 50": "--rounds 4",
    'TinyGPT("demo")': 'TinyGPT("demo", n_embd=32, n_layer=1, n_head=2, seq_len=32)',
    "inner_steps=12": "inner_steps=2",
}
"""What makes the first tutorial fit into a test: the same cells, a smaller model, fewer steps."""


def smaller(source: Path, folder: Path) -> Path:
    """A copy of a tutorial that trains less; fails where the tutorial no longer says what is replaced."""
    text = source.read_text(encoding="utf-8")
    for whole, small in SMALL.items():
        quoted = json.dumps(whole)[1:-1]
        assert quoted in text
        text = text.replace(quoted, json.dumps(small)[1:-1])
    copy = folder / source.name
    copy.write_text(text, encoding="utf-8")
    return copy


def test_the_first_tutorial_runs_headless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path / "home"))
    kept = tmp_path / "kept.zip"
    small = smaller(find("00"), tmp_path)
    nbformat.write(solved(read(small)), small)
    executed, found = execute(small, keep=kept)
    assert {one: ": right." in said for one, said in check_cells(executed).items()} == dict.fromkeys(
        ("0.1", "0.2", "0.3"), True
    )
    summary = found["summary"]
    assert summary["status"] == "finished"
    assert summary["rounds"] == 4
    assert [m["role"] for m in summary["miners"]] == [
        *["miner"] * 7, "free_rider", "sign_flip", *["validator"] * 2
    ]  # fmt: skip
    assert summary["paid"]["amount_rao"] == 500_000_000
    assert summary["staked"]["amount_rao"] == 10_000_000_000
    assert "Seven of nine strangers reached" in found["verdict"]
    shown = page(executed)
    assert "Seven of nine strangers reached" in shown
    assert "data:image/svg+xml;base64," in shown
    assert "summarise" not in shown
    assert "<script" not in shown
    assert "Widget" not in "".join(str(cell.get("outputs")) for cell in executed.cells)
    assert kept.stat().st_size < 300_000
    assert open_recorded(kept).verdict().headline in found["verdict"]


def test_a_failing_cell_is_named(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    path = tmp_path / "broken.ipynb"
    nbformat.write(notebook, path)
    with pytest.raises(RunError, match=r"A cell of broken.ipynb failed: ZeroDivisionError"):
        execute(path)


def test_a_recording_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "kept.zip"
    kept.write_bytes(b"mine")
    assert main(["demo", "--keep", str(kept)]) == 1
    assert "nothing was run" in capsys.readouterr().err
    assert kept.read_bytes() == b"mine"


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    assert main(["demo", "--out", str(tmp_path / "file" / "demo")]) == 1
    told = capsys.readouterr()
    assert "Give --out another folder." in told.err
    assert "executing" not in told.out


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_demo_does_what_it_promises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path / "home"))
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out)]) == 0
    assert (out / "00.html").stat().st_size > 10_000
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["val_loss_first"] > 5.0
    assert summary["val_loss_last"] <= 1.68
    assert summary["val_loss_alone"] - summary["val_loss_last"] >= 0.2
    assert summary["speed_up"] >= 3
    pay = {m["role"]: [] for m in summary["miners"]}
    for miner in summary["miners"]:
        pay[miner["role"]].append(miner["emission_alpha_rao"])
    assert len(pay["miner"]) == 7
    assert min(pay["miner"]) > 0
    assert pay["free_rider"] + pay["sign_flip"] == [0, 0]
    assert summary["dense_bytes_per_miner_round"] / summary["wire_bytes_per_miner_round"] > 27
