"""`make strategies` in little: every cell is measured once, kept, and written to the page people wrote on."""

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks import strategies, strategies_page


def test_every_strategy_is_measured_kept_and_written(tmp_path: Path) -> None:
    out, page = tmp_path / "cells.json", tmp_path / "docs" / "strategies.md"
    strategies.run(out, quick=True, most=3)
    assert len(json.loads(out.read_text(encoding="utf-8"))["cells"]) == 3
    kept = strategies.run(out, quick=True)
    expected = {f"{name} | {length} | {seed}" for name, length, seed in strategies.cells((0,))}
    assert set(kept["cells"]) == expected
    strategies_page.write(kept, page.parent)
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("# Strategies", "# What a person wrote\n\n# Strategies"), encoding="utf-8")
    strategies_page.write(kept, page.parent)
    again = page.read_text(encoding="utf-8")
    assert again.startswith("# What a person wrote")
    assert again.count("| DiLoCo | 15 |") == 1
    rows = re.findall(r"^\| ([A-Z].*?|alone.*?) \| ", again, re.MULTILINE)
    assert set(rows) == {*strategies.ROWS, *strategies.ANCHORS}
    drawn = ET.fromstring((page.parent / "strategies.svg").read_text(encoding="utf-8"))
    assert "MuLoCo" in "".join(drawn.itertext())
    strategies.run(out, quick=True)
    assert json.loads(out.read_text(encoding="utf-8")) == kept, "what is there is not measured again"


def test_a_cell_of_a_rate_that_its_row_no_longer_has_is_measured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "cells.json"
    before = strategies.run(out, quick=True, most=2)["cells"]
    config, workers = strategies.ANCHORS["alone, AdamW"]
    slower = replace(config, lr=config.lr / 4)
    monkeypatch.setitem(strategies.ANCHORS, "alone, AdamW", (slower, workers))
    after = strategies.run(out, quick=True, most=1)["cells"]
    changed = [key for key, cell in after.items() if cell != before.get(key)]
    assert changed == ["alone, AdamW | 1 | 0"]


def test_a_share_is_measured_between_the_anchors_of_the_same_optimizer() -> None:
    cells = {
        ("alone, AdamW", 1): {0: {"loss": 2.0}, 1: {"loss": 2.0}},
        ("DDP, AdamW", 1): {0: {"loss": 1.0}, 1: {"loss": 1.0}},
        ("alone, Muon", 1): {0: {"loss": 1.8}},
        ("DDP, Muon", 1): {0: {"loss": 1.0}},
        ("DiLoCo", 15): {0: {"loss": 1.5}, 1: {"loss": 1.2}},
        ("MuLoCo", 15): {0: {"loss": 1.2}, 1: {"loss": 1.2}},
    }
    assert strategies_page.shares(cells, "DiLoCo", 15) == pytest.approx([0.5, 0.8])
    assert strategies_page.shares(cells, "MuLoCo", 15) == pytest.approx([0.75])
    cells |= {
        ("MuLoCo, falling", 15): {0: {"loss": 1.2}},
        ("alone, Muon 0.99", 1): {0: {"loss": 1.7}},
        ("DDP, Muon 0.99", 1): {0: {"loss": 0.7}},
    }
    assert strategies_page.shares(cells, "MuLoCo, falling", 15) == pytest.approx([0.5])
