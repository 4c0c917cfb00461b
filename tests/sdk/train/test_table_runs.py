"""Whole runs on tables, in one process: classes, numbers and a loss of one's own are learned and measured."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import nn

from subnetlab.record.events import RoundClosed
from subnetlab.record.view import RunView
from subnetlab.report.verdict import verdict
from subnetlab.train import assignment, data, models
from subnetlab.train.data import Corpus
from subnetlab.train.data.corpus import in_memory
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.strategies import SparseLoCo
from subnetlab.train.tasks import Items, NextToken
from subnetlab.train.tasks.find import find
from subnetlab.train.tasks.travel import code_of

from .conftest import MakeManifest, keypair, seats_for

DRAW = np.random.default_rng(11)
X = DRAW.normal(size=(800, 6))
WEIGHTS = DRAW.normal(size=(6, 3))


def perceptron(outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, outputs))


def played(make_manifest: MakeManifest, corpus: Corpus, outputs: int, **options: Any) -> Rehearsal:
    spec = models.of(perceptron, outputs=outputs)
    task = find(None, spec, models.build(spec, 0), corpus, **options)
    manifest = make_manifest(
        model=spec, task=task, data=corpus.manifest, rounds=5,
        strategy=SparseLoCo(inner_steps=15, k=16, chunk=64),
        batch_size=16, optimizer=AdamWConfig(lr=5e-3),  # 1e-2 overshoots under half of all names
    )  # fmt: skip
    seats = seats_for("miner", "miner", "validator")
    run = Rehearsal(manifest, seats, corpus, lambda seat: lambda text: bytes(keypair(seat.uid).sign(text)))
    run.run()
    return run


def closed(run: Rehearsal) -> list[RoundClosed]:
    return sorted(cast("list[RoundClosed]", run.of(RoundClosed)), key=lambda event: event.round)


def test_classes_are_learned_and_their_metrics_recorded(make_manifest: MakeManifest) -> None:
    names = np.array(["low", "middle", "high"])[(X @ WEIGHTS).argmax(1)]
    run = played(make_manifest, data.of((X, names)).load(), 3)
    rounds = closed(run)
    assert rounds[-1].val_loss < 0.7 * rounds[0].val_loss
    assert rounds[-1].metrics["accuracy"] > 0.8
    assert set(rounds[-1].metrics) == {"accuracy", "macro_f1"}
    assert run.manifest.task.unit == "nats"


def worst(outputs: torch.Tensor, targets: torch.Tensor) -> float:
    return float((outputs - targets).abs().max())


def test_numbers_are_learned_and_a_metric_of_ones_own_measured(make_manifest: MakeManifest) -> None:
    y = X @ WEIGHTS[:, 0]
    own = {"worst": code_of(worst, "metric")}
    rounds = closed(played(make_manifest, data.of((X, y)).load(), 1, metrics=own))
    assert rounds[-1].metrics["r2"] > 0.8
    assert rounds[-1].metrics["worst"] > rounds[-1].metrics["mae"]


@pytest.mark.parametrize("loss", [torch.nn.functional.l1_loss, lambda o, t: (o - t).abs().mean()])
def test_a_loss_of_ones_own_is_learned(make_manifest: MakeManifest, loss: Callable[..., Any]) -> None:
    y = X @ WEIGHTS[:, 0]
    rounds = closed(played(make_manifest, data.of((X, y)).load(), 1, loss=code_of(loss, "loss")))
    assert rounds[-1].val_loss < 0.7 * rounds[0].val_loss
    assert rounds[-1].metrics["r2"] > 0.8


def test_the_verdict_says_the_metrics_in_a_line() -> None:
    view = RunView()
    event = RoundClosed(
        round=0, lead=3, heights=[1, 2, 3, 4], accepted=[], aggregate_hash="", theta_hash="", val_loss=0.5,
        aggregate_s=0.0, metrics={"accuracy": 0.9375, "macro_f1": 0.9},
    )  # fmt: skip
    view.add(event)
    assert "On the held-out data: accuracy 0.938, macro F1 0.900." in verdict(view).sentences()


@pytest.mark.parametrize("count", [20, 700, 20_000])
def test_every_item_of_a_small_data_set_is_drawn_as_often(count: int) -> None:
    stream = np.zeros(count, dtype=np.uint8)
    window = NextToken(seq_len=8).items(in_memory("tokens", stream, stream), "train")
    for items in (Items.separate(count), window):
        drawn = assignment.work(items, (40, 100), run="run", round_=1, uid=3, block_hash="0x5")
        times = np.bincount(drawn.ravel(), minlength=items.count)
        assert times[-1] <= 4 * 4_000 / items.count + 5
        assert drawn.max() < items.count


def test_rows_of_a_large_table_are_in_shards_of_one_size() -> None:
    items = Items.separate(200_000)
    assert (items.shards, items.shard_items) == (4, 50_000)
