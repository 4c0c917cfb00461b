"""The benchmark runner works: a cheap family, measured quickly, lands in the file beside what was there."""

import json
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.measure import Figure
from tests.project import ROOT


def test_a_quick_run_merges_its_figures_into_the_file(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    out.write_text('{"kernel": {"figures": []}}', encoding="utf-8")
    command = [sys.executable, "-m", "tests.benchmarks", "--only", "wire", "--quick", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=50)
    report = json.loads(out.read_text(encoding="utf-8"))
    assert set(report) == {"kernel", "wire"}
    assert report["wire"]["quick"] is True
    assert report["wire"]["machine"]["versions"]["subnetlab"]
    figure = report["wire"]["figures"][0]
    # Exact for one seed: bytes do not depend on the machine's speed.
    assert figure["met"] is True
    assert figure["ratio"] > 1
    assert figure["name"] in done.stdout


def test_an_unknown_family_is_refused_before_anything_runs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "--only", "wires", "--out", str(tmp_path / "b.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 2
    assert "no family wires" in done.stderr
    assert not (tmp_path / "b.json").exists()


def test_a_budget_bounds_the_value_or_the_ratio() -> None:
    plain = Figure(name="start", value=0.5, unit="s", limit=0.4)
    ratio = Figure(
        name="trip", value=2.1, unit="ms", peer="theirs", peer_value=2.0, limit=1.1, limits_ratio=True
    )
    floor = Figure(name="closed", value=0.6, unit="", limit=0.53, at_least=True)
    assert (plain.met, ratio.met, floor.met) == (False, True, True)
    assert Figure(name="free", value=1, unit="s").met is None
