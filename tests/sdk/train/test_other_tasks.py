"""A second task, defined here alone, goes through a whole run: the loop knows nothing of text.

Also what every task gets from the seam: dropout is off while a validator judges, frozen parameters stay.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from subnetlab.record.events import RoundClosed, Sampled, Scored
from subnetlab.train import models, tasks
from subnetlab.train.data import Corpus
from subnetlab.train.data.corpus import in_memory
from subnetlab.train.free_rider import FreeRider
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.strategies import DiLoCo, SparseLoCo, Strategy
from subnetlab.train.tasks import Batch, Items
from subnetlab.train.tasks.base import Part
from subnetlab.train.tasks.check import check
from subnetlab.train.theta import FlatModel

from .conftest import MakeManifest, keypair, seats_for

FEATURES = 6
ROW = FEATURES + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """Rows of numbers, the last of which is to be foretold from the others; mean squared error."""

    columns: int

    @property
    def unit(self) -> str:
        return "squared error"

    def items(self, data: Corpus, part: Part) -> Items:
        return Items.separate(len(data.part(part)) // self.columns)

    def batch(self, data: Corpus, part: Part, numbers_B: NDArray[np.int64]) -> Batch:
        rows = torch.from_numpy(data.part(part).reshape(-1, self.columns)[numbers_B])
        return rows[:, :-1], rows[:, -1:]

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        x_BF, y_B1 = batch
        return functional.mse_loss(model(x_BF), y_B1)

    def losses(self, model: nn.Module, batch: Batch) -> Tensor:
        x_BF, y_B1 = batch
        return functional.mse_loss(model(x_BF), y_B1, reduction="none").mean(1)


@dataclass(frozen=True, slots=True)
class Spec:
    """A model of this file; peers in threads need no import."""

    make: Any

    def build(self) -> nn.Module:
        return self.make()

    def to_json(self) -> dict[str, Any]:
        return {"kind": "Spec", "name": self.make.__name__}


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Linear(FEATURES, 32), nn.Tanh(), nn.Linear(32, 1))


def with_dropout() -> nn.Module:
    return nn.Sequential(nn.Linear(FEATURES, 64), nn.Dropout(0.5), nn.Linear(64, 1))


def half_frozen() -> nn.Module:
    model = cast("nn.Sequential", perceptron())
    model[0].requires_grad_(requires_grad=False)
    return model


@pytest.fixture(scope="module")
def rows() -> Corpus:
    draw = np.random.default_rng(3)
    x = draw.normal(size=(3000, FEATURES)).astype(np.float32)
    y = (x @ np.arange(1, FEATURES + 1, dtype=np.float32) / 4)[:, None]
    table = np.concatenate([x, y.astype(np.float32)], axis=1)
    return in_memory("rows", table[:2700].reshape(-1), table[2700:].reshape(-1))


def played(make_manifest: MakeManifest, rows: Corpus, make: Any, strategy: Strategy) -> Rehearsal:
    manifest = make_manifest(
        model=Spec(make),
        task=Regression(columns=ROW),
        data=rows.manifest,
        strategy=strategy,
        rounds=4,
        optimizer=AdamWConfig(lr=1e-2),
    )
    run = Rehearsal(
        manifest,
        seats_for("miner", "miner", "miner", "validator", "validator"),
        rows,
        lambda seat: lambda message: bytes(keypair(seat.uid).sign(message)),
        roles={2: FreeRider},
    )
    run.run()
    return run


@pytest.mark.parametrize(
    "strategy", [SparseLoCo(inner_steps=12, k=16, chunk=64), DiLoCo(inner_steps=12, momentum=0.5)]
)
def test_a_regression_trains_end_to_end(
    make_manifest: MakeManifest, rows: Corpus, strategy: Strategy
) -> None:
    check(Regression(columns=ROW), perceptron(), rows)
    run = played(make_manifest, rows, perceptron, strategy)
    closed = sorted(cast("list[RoundClosed]", run.of(RoundClosed)), key=lambda event: event.round)
    assert closed[-1].val_loss < 0.9 * closed[0].val_loss
    assert {uid for event in closed for uid, _ in event.accepted} <= {0, 1, 2}
    riders = [event.score for event in cast("list[Scored]", run.of(Scored)) if event.uid == 2]
    workers = [event.score for event in cast("list[Scored]", run.of(Scored)) if event.uid < 2]
    assert sum(riders) / len(riders) < 0.5 * sum(workers) / len(workers)
    assert run.of(Sampled) == []
    assert run.manifest.to_json()["task"] == {"kind": "Regression", "columns": ROW, "unit": "squared error"}


def test_dropout_is_off_while_validators_judge(make_manifest: MakeManifest, rows: Corpus) -> None:
    run = played(make_manifest, rows, with_dropout, DiLoCo(inner_steps=6))
    judged: dict[tuple[int, int], set[tuple[float, float]]] = {}
    for event in cast("list[Scored]", run.of(Scored)):
        losses = (event.loss_removed_assigned, event.loss_removed_held_out)
        judged.setdefault((event.round, event.uid), set()).add(losses)
    assert {len(found) for found in judged.values()} == {1}


def test_dropout_is_on_while_a_miner_trains(rows: Corpus) -> None:
    task = Regression(columns=ROW)
    model = FlatModel(with_dropout(), task, AdamWConfig())
    batch = task.batch(rows, "train", np.arange(64))
    assert model.loss(batch) == model.loss(batch)
    assert model.differentiate(batch) != model.differentiate(batch)
    assert model.loss(batch) == model.loss(batch)


@pytest.mark.parametrize("strategy", [SparseLoCo(inner_steps=6, k=8, chunk=64), DiLoCo(inner_steps=6)])
def test_frozen_parameters_stay_as_the_seed_made_them(
    make_manifest: MakeManifest, rows: Corpus, strategy: Strategy
) -> None:
    run = played(make_manifest, rows, half_frozen, strategy)
    replica = run.peers[3].replica
    replica.model.load(replica.theta_P)
    fresh = models.build(Spec(half_frozen), run.manifest.seed)
    after, before = dict(replica.model.module.named_parameters()), dict(fresh.named_parameters())
    assert all(torch.equal(after[name], before[name]) for name in ("0.weight", "0.bias"))
    assert not torch.equal(after["2.weight"], before["2.weight"])
    assert replica.layout.size == 33


def test_tasks_meet_the_seam() -> None:
    task: tasks.Task = Regression(columns=ROW)
    assert not isinstance(task, tasks.Samples)
