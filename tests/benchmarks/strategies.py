"""Every strategy at several lengths of a round and seeds, in one process: `make strategies`.

`python -m tests.benchmarks.strategies [--quick] [--out build/strategies.json] [--page docs]`. A cell that is
in the file is not run again, so that the table can be broken off and taken up, unless its row has another
optimizer by now; the page is written from what is there. Rates were chosen on another seed than those
reported, at rounds of 15 steps, each within a bracket.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from subnetlab.train import data, models
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.optimizer import AdamWConfig, MuonConfig, OptimizerConfig, SignumConfig
from subnetlab.train.strategies import DeMo, DiLoCo, MuLoCo, SparseLoCo, Strategy, StreamingDiLoCo
from tests.benchmarks.in_process import Setting, Trained, subnet, together
from tests.benchmarks.strategies_page import write

SEEDS: Final = (0, 1, 2)
LENGTHS: Final = (15, 5, 30)
"""Steps between two payloads of the same parameters; the first is the one for which rates were chosen."""
SETTING: Final = Setting(model=models.TinyGPT("demo", n_embd=32, n_layer=1), batch=2, looks=3)
QUICK: Final = replace(SETTING, model=models.TinyGPT("demo", n_embd=16, n_layer=1), steps=30, looks=1)


def adamw(lr: float) -> AdamWConfig:
    """AdamW on the schedule that MuLoCo's Muon has, so that no strategy is ahead by its schedule."""
    return AdamWConfig(lr=lr, schedule="wsd", floor=0.0)


def signum(lr: float) -> SignumConfig:
    """Signum on the same schedule."""
    return SignumConfig(lr=lr, schedule="wsd", floor=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A strategy for every length of a round, and what its miners step with."""

    make: Callable[[int], Strategy]
    optimizer: OptimizerConfig
    lengths: tuple[int, ...] = LENGTHS


def sparse(k: int) -> Row:
    """SparseLoCo with so many values of each chunk."""
    return Row(make=lambda h: SparseLoCo(inner_steps=h, k=k), optimizer=adamw(8e-3))


ROWS: Final[dict[str, Row]] = {
    "DiLoCo": Row(make=lambda h: DiLoCo(inner_steps=h), optimizer=adamw(8e-3)),
    "MuLoCo": Row(make=lambda h: MuLoCo(inner_steps=h), optimizer=MuonConfig()),
    "MuLoCo, falling": Row(
        make=lambda h: MuLoCo(inner_steps=h, outer_schedule="fall"), optimizer=MuonConfig(beta2=0.99)
    ),
    "SparseLoCo k=64": sparse(64),
    "Streaming DiLoCo": Row(
        make=lambda h: StreamingDiLoCo(inner_steps=max(2, h // 3), fragments=3), optimizer=adamw(16e-3)
    ),
    "SparseLoCo k=512": sparse(512),
    "SparseLoCo k=128": sparse(128),
    "SparseLoCo k=32": sparse(32),
    "DeMo": Row(
        make=lambda h: DeMo(inner_steps=h, optimizer=signum(16e-3)), optimizer=signum(16e-3), lengths=(1, 5)
    ),
}
ANCHORS: Final[dict[str, tuple[OptimizerConfig, int]]] = {
    "alone, AdamW": (adamw(16e-3), 1),
    "DDP, AdamW": (adamw(16e-3), 4),
    "alone, Muon": (MuonConfig(lr=0.01), 1),
    "DDP, Muon": (MuonConfig(lr=0.02), 4),
    "alone, Muon 0.99": (MuonConfig(lr=0.01, beta2=0.99), 1),
    "DDP, Muon 0.99": (MuonConfig(lr=0.02, beta2=0.99), 4),
}
"""Between which a share of the gap is measured, each optimizer with the best rate of its own; 0.99 is β₂."""


def cells(seeds: tuple[int, ...] = SEEDS) -> Iterator[tuple[str, int, int]]:
    """Name, length of a round and seed of every cell: the first length of all seeds, then seed by seed."""
    for seed in seeds:
        yield from ((name, 1, seed) for name in ANCHORS)
        yield from ((name, row.lengths[0], seed) for name, row in ROWS.items())
    for seed in seeds:
        yield from ((name, length, seed) for name, row in ROWS.items() for length in row.lengths[1:])


def optimizer_of(name: str) -> OptimizerConfig:
    """What the workers of a row step with."""
    return ANCHORS[name][0] if name in ANCHORS else ROWS[name].optimizer


def measured(name: str, length: int, setting: Setting, corpus: Corpus) -> Trained:
    """One cell."""
    if name in ANCHORS:
        config, workers = ANCHORS[name]
        return together(config, workers, setting, corpus)
    row = ROWS[name]
    return subnet(row.make(length), row.optimizer, setting, corpus)


def run(out: Path, *, quick: bool, most: int | None = None) -> dict[str, Any]:
    """Measure every cell that the file lacks, at most so many, and keep each as soon as it is done."""
    corpus, setting = data.stdlib().read(), QUICK if quick else SETTING
    described = {
        **setting.model.to_json(),
        "workers": setting.workers,
        "steps": setting.steps,
        "batch": setting.batch,
    }
    kept = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    if kept.get("setting") != described:
        kept = {"setting": described, "cells": {}}
    left = [cell for cell in cells(SEEDS[:1] if quick else SEEDS) if _due(kept["cells"], *cell)]
    for name, length, seed in left[:most]:
        cell = measured(name, length, replace(setting, seed=seed), corpus)
        found = {**asdict(cell), "optimizer": optimizer_of(name).to_json()}
        kept["cells"][_key(name, length, seed)] = json.loads(json.dumps(found))
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        sys.stderr.write(f"{name}, H={length}, seed {seed}: {cell.loss:.4f} ({cell.cpu_s:.0f} s)\n")
    return kept


def _due(kept: dict[str, Any], name: str, length: int, seed: int) -> bool:
    """Whether a cell is missing, or was measured with another optimizer than the row has now."""
    cell = kept.get(_key(name, length, seed))
    return cell is None or cell.get("optimizer") != optimizer_of(name).to_json()


def _key(name: str, length: int, seed: int) -> str:
    return f"{name} | {length} | {seed}"


def main(arguments: list[str]) -> None:
    """Measure what is left, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.strategies", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a model and a length that end in seconds")
    parser.add_argument("--out", type=Path, default=Path("build/strategies.json"))
    parser.add_argument("--page", type=Path, default=Path("docs"), help="folder of strategies.md")
    parser.add_argument("--most", type=int, default=None, help="cells to measure before the page is written")
    given = parser.parse_args(arguments)
    write(run(given.out, quick=given.quick, most=given.most), given.page)


if __name__ == "__main__":
    main(sys.argv[1:])
