"""What a run trains with that names no strategy: rows of classes and of numbers learn within a few rounds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

from subnetlab.lab.plan import plan
from subnetlab.train import assignment, data, models
from subnetlab.train.optimizer import AdamWConfig, MuonConfig, SignumConfig
from subnetlab.train.scoring.losses import item_losses
from subnetlab.train.strategies import DDP, DeMo, DiLoCo, MuLoCo, SparseLoCo
from subnetlab.train.strategies.base import Progress
from subnetlab.train.theta import FlatModel

GOLDEN = Path(__file__).parents[3] / "golden" / "table_curves.json"
TEXT = data.text("a subnet pays for loss that is removed " * 80)
MINERS = 4


class Wide(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 700), nn.ReLU(), nn.Linear(700, 1500), nn.Linear(1500, 2))

    def forward(self, x):
        return self.layers(x)


def flowers() -> tuple[Any, tuple[Any, Any]]:
    """Fisher's irises, 150 rows sorted by kind."""
    table = pl.read_csv(GOLDEN.parent / "iris.csv")
    x = table.drop("species").to_numpy().astype(np.float32)
    return nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 3)), (x, table["species"].to_numpy())


def numbers() -> tuple[Any, tuple[Any, Any]]:
    """A target with a variance of 5.7, on which an outer momentum of 0.9 diverged."""
    draw = np.random.default_rng(3)
    x = draw.normal(size=(3000, 6)).astype(np.float32)
    y = (x @ np.arange(1, 7, dtype=np.float32) / 4).astype(np.float32)
    return nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 1)), (x, y)


def planned(model: Any, given: Any, strategy: Any = None, **options: Any):
    return plan(model, given, strategy, **{"rounds": 10, "batch_size": 16, "seed": 0, **options})


def curve(model: Any, rows: Any, **options: Any) -> tuple[list[float], dict[str, float]]:
    """Held-out loss after every round of the plan's miners in this process, and the last metrics."""
    torch.set_num_threads(1)
    made = planned(model, rows, **options)
    strategy, task, corpus = made.strategy, made.task, made.corpus
    flat = [FlatModel(models.build(made.model, 0), task, made.optimizer) for _ in range(MINERS)]
    if made.initial:
        for one in flat:
            one.module.load_state_dict(model.state_dict())
    layout, theta_P = flat[0].layout, flat[0].theta_P.clone()
    codec, outer, found = strategy.codec(layout), {}, list[float]()
    items, held_out = task.items(corpus, "train"), np.arange(task.items(corpus, "validation").count)
    for round_ in range(made.rounds):
        updates = []
        for uid, one in enumerate(flat):
            work = assignment.work(
                items,
                (strategy.inner_steps, made.batch_size),
                run="t",
                round_=round_,
                uid=uid,
                block_hash="b",
            )
            batches = (task.batch(corpus, "train", numbers_B) for numbers_B in work)
            progress = Progress(round_, made.rounds, strategy.inner_steps)
            learned = strategy.learn(one, theta_P, batches, progress, lambda i, loss: None, memory={})
            updates.append(codec.decode(codec.encode(learned.delta_P, {})))
        strategy.apply(theta_P, strategy.combine(updates, layout), outer, progress)
        flat[0].load(theta_P)
        found.append(float(item_losses(flat[0], corpus, "validation", held_out).mean()))
    return found, flat[0].measure([task.batch(corpus, "validation", held_out)])


@pytest.mark.parametrize(("make", "metric", "least"), [(flowers, "accuracy", 0.9), (numbers, "r2", 0.98)])
def test_a_table_is_learned_with_neither_strategy_nor_rate(make: Any, metric: str, least: float) -> None:
    torch.manual_seed(0)
    losses, metrics = curve(*make())
    assert metrics[metric] >= least
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))[make.__name__]
    assert losses == pytest.approx(golden, rel=1e-2)


@pytest.mark.parametrize("rounds", [4, 30])
def test_the_usual_rate_suits_short_and_long_runs_of_small_batches(rounds: int) -> None:
    torch.manual_seed(0)
    losses, metrics = curve(*numbers(), rounds=rounds, batch_size=4 if rounds == 30 else 16)
    assert metrics["r2"] > 0.95
    assert losses[-1] <= 1.5 * min(losses), "it does not end far above its best"


def test_the_usual_strategy_follows_model_data_and_size() -> None:
    rows, tokens = flowers(), models.TinyGPT("binder", n_embd=32, n_layer=1)
    assert planned(*rows).strategy == DiLoCo(outer_lr=0.7, momentum=0.5)
    assert planned(*rows).optimizer == AdamWConfig(lr=2e-2)
    assert planned(*rows, lr=1e-3).optimizer == AdamWConfig(lr=1e-3)
    assert planned(*rows, strategy=DiLoCo()).optimizer == AdamWConfig()
    assert planned(tokens, TEXT).strategy == SparseLoCo()
    assert planned(tokens, TEXT).optimizer == AdamWConfig()
    demo = planned(models.TinyGPT("demo", n_embd=16, n_layer=1), TEXT)
    assert (demo.strategy, demo.optimizer) == (MuLoCo(), MuonConfig())
    x = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    large = planned(Wide(), (x, np.where(x[:, 0] > 0, "up", "down")))
    assert large.strategy == SparseLoCo(), "a million parameters are too many to send each round"


def test_a_rate_reaches_the_strategy_whose_outer_step_it_is() -> None:
    tokens = models.TinyGPT("binder", n_embd=32, n_layer=1)
    ddp = planned(tokens, TEXT, strategy=DDP(), lr=1e-2)
    assert ddp.strategy == DDP(optimizer=AdamWConfig(lr=1e-2))
    assert ddp.optimizer == AdamWConfig(lr=1e-2)
    demo = planned(tokens, TEXT, strategy=DeMo(), lr=3e-3)
    assert demo.strategy == DeMo(optimizer=SignumConfig(lr=3e-3))
