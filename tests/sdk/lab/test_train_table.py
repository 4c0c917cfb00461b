"""A perceptron on a polars frame, with neither strategy nor rate named, through the whole product."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import torch
from torch import nn

import subnetlab as sl
from subnetlab.lab.session import Net

PETALS = nn.Sequential(nn.Linear(5, 32), nn.Tanh(), nn.Linear(32, 3))
DRAW = np.random.default_rng(3)


def flowers(count: int) -> pl.DataFrame:
    """Three kinds in turn, told apart by their sizes and soil; sorted by kind as such tables are."""
    kind = np.sort(np.arange(count) % 3)
    sizes = DRAW.normal(size=(count, 3)) + np.eye(3)[kind] * 3
    return pl.DataFrame(
        {
            "length": sizes[:, 0], "width": sizes[:, 1], "height": sizes[:, 2],
            "soil": np.where(kind == 2, "sand", "clay"), "kind": np.array(["aster", "iris", "rose"])[kind],
        }
    )  # fmt: skip


def share_of_roses(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return (outputs.argmax(1) == 2).float().mean()


def test_a_perceptron_on_a_polars_frame(net: Net, tmp_path: Path) -> None:
    subnet = net.create_subnet("flowers", wallet="alice")
    run = subnet.train(
        PETALS,
        flowers(600),
        target="kind",
        metrics={"roses": share_of_roses},
        rounds=4,
        batch_size=16,
        fleet=sl.LocalFleet(miners=2, validators=1, baseline=False),
    )
    run.wait(timeout=300)
    assert run.status == "finished", run
    rows = run.frame("metrics")
    last = rows.filter(pl.col("round") == rows["round"].max())
    assert sorted(last["metric"].to_list()) == ["accuracy", "macro_f1", "roses"]
    told = dict(zip(last["metric"], last["value"], strict=True))
    assert told["accuracy"] > 0.85
    assert any("accuracy" in sentence for sentence in run.verdict().sentences())
    frame = flowers(90)
    soil = [(frame["soil"] == one).cast(pl.Float64) for one in ("clay", "sand")]
    x = np.stack([*(frame[name] for name in ("length", "width", "height")), *soil], axis=1)
    with torch.no_grad():
        said = run.result(timeout=0)(torch.from_numpy(x.astype(np.float32))).argmax(1)
    names = np.array(["aster", "iris", "rose"])
    assert (names[said.numpy()] == frame["kind"].to_numpy()).mean() > 0.85
    saved = run.save(tmp_path / "flowers")
    config = json.loads((saved / "config.json").read_text())
    assert config["features"] == ["length", "width", "height", "soil=clay", "soil=sand"]
    assert (config["target"], config["classes"]) == ("kind", ["aster", "iris", "rose"])
    assert '    2  "rose"' in (saved / "README.md").read_text().splitlines()
