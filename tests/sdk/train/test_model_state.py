"""What a model holds besides plain fp32 parameters is trained, judged and saved right.

`Statistics` are a function of θ and the data, so every replica holds the same; the golden record proves that
models without any are untouched.
"""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from subnetlab.errors import TrainError
from subnetlab.record.events import RoundClosed, Scored
from subnetlab.store.objects import open_store
from subnetlab.train import initial, object_paths
from subnetlab.train.data import Corpus
from subnetlab.train.models.tensors import fill, packed
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.replica import Replica
from subnetlab.train.roster import FixedRoster
from subnetlab.train.scoring.losses import validation_loss
from subnetlab.train.strategies import DiLoCo
from subnetlab.train.theta import FlatModel

from .conftest import MakeManifest
from .test_other_tasks import FEATURES, ROW, Regression, played, rows

__all__ = ["rows"]


class Normed(nn.Module):
    """BatchNorm, a buffer that training counts up, one that it leaves, and one that is no float."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(FEATURES, 16)
        self.norm = nn.BatchNorm1d(16)
        self.drop = nn.Dropout(0.3)
        self.last = nn.Linear(16, 1)
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))
        self.register_buffer("scale", torch.full((1,), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.seen += len(x)
        return self.last(self.drop(self.norm(self.first(x)).relu())) * self.scale


def mixed() -> nn.Module:
    """fp16, bf16 and fp64 weights beside fp32."""

    class Cast(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.brain, self.short = nn.Linear(FEATURES, 8).bfloat16(), nn.Linear(8, 8).half()
            self.long, self.last = nn.Linear(8, 8).double(), nn.Linear(8, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.short(self.brain(x.bfloat16()).half().tanh())
            return self.last(self.long(x.double()).float())

    return Cast()


def shared() -> nn.Module:
    """One layer in two places, and a tie."""
    layer, out = nn.Linear(FEATURES, FEATURES, bias=False), nn.Linear(FEATURES, FEATURES, bias=False)
    out.weight = layer.weight
    return nn.Sequential(layer, nn.Tanh(), layer, out, nn.Linear(FEATURES, 1))


def replica_of(run: Rehearsal) -> Replica:
    """A stranger's replica after the last round."""
    made = Replica(run.manifest, FixedRoster(tuple(run.seats)), run.net.chain(""), run.store)
    made.adopt(run.manifest.rounds - 1)
    made.model.load(made.theta_P)
    return made


@pytest.mark.parametrize("make", [Normed, mixed, shared])
def test_what_was_judged_is_what_is_saved_and_loaded(
    make_manifest: MakeManifest, rows: Corpus, make: Any
) -> None:
    run = played(make_manifest, rows, make, DiLoCo(inner_steps=6))
    losses = [event.val_loss for event in run.of(RoundClosed)]  # type: ignore[attr-defined]
    assert np.isfinite(losses).all()
    assert losses[-1] != losses[0]
    stranger = replica_of(run).model
    if stranger.has_statistics:
        stranger.settle(rows)
    state = stranger.state()
    loaded = FlatModel(make(), run.manifest.task, run.manifest.optimizer)
    loaded.module.load_state_dict(state)
    loaded = FlatModel(loaded.module, run.manifest.task, run.manifest.optimizer)
    loaded._statistics.moving = False
    assert validation_loss(loaded, run.manifest, rows) == losses[-1]
    again = loaded.state()
    assert all(torch.equal(part, again[name]) for name, part in state.items())
    verdicts: dict[tuple[int, int], set[float]] = {}
    for event in run.of(Scored):
        assert isinstance(event, Scored)
        verdicts.setdefault((event.round, event.uid), set()).add(event.loss_removed_held_out)
    assert all(len(found) == 1 for found in verdicts.values())


def test_statistics_follow_from_the_parameters_alone(make_manifest: MakeManifest, rows: Corpus) -> None:
    task = Regression(columns=ROW)
    model = FlatModel(Normed(), task, AdamWConfig())
    model.settle(rows)
    first = model.state()
    assert first["norm.running_mean"].abs().sum() > 0
    assert int(first["norm.num_batches_tracked"]) == 4
    assert float(first["scale"]) == 0.5
    batch = task.batch(rows, "train", np.arange(7))
    before = torch.get_rng_state()
    for _ in range(3):
        model.differentiate(batch)
    assert int(model.state()["seen"]) > int(first["seen"])
    rng = torch.get_rng_state()
    model.settle(rows)
    assert torch.equal(rng, torch.get_rng_state())
    assert not torch.equal(rng, before), "dropout drew while it trained"
    again = model.state()
    assert all(torch.equal(part, again[name]) for name, part in first.items())
    model.load(model.theta_P + 0.1)
    model.settle(rows)
    assert not torch.equal(model.state()["norm.running_mean"], first["norm.running_mean"])


def test_a_model_without_moving_buffers_is_estimated_once(rows: Corpus) -> None:
    still = nn.Sequential(nn.Linear(FEATURES, 1))
    still.register_buffer("table", torch.arange(3))
    model = FlatModel(still, Regression(columns=ROW), AdamWConfig())
    assert model.has_statistics
    model.settle(rows)
    assert not model.has_statistics
    assert not FlatModel(nn.Linear(FEATURES, 1), Regression(columns=ROW), AdamWConfig()).has_statistics


def test_parameters_of_other_types_are_cast_from_theta() -> None:
    model = FlatModel(mixed(), Regression(columns=ROW), AdamWConfig())
    assert model.theta_P.dtype == torch.float32
    model.load(torch.full_like(model.theta_P, 1 / 3))
    kinds = {part.dtype: part for part in model.state().values()}
    assert set(kinds) == {torch.bfloat16, torch.float16, torch.float32, torch.float64}
    third = torch.tensor(1 / 3)
    assert all(torch.equal(part, third.to(kind).expand_as(part)) for kind, part in kinds.items())
    model.differentiate((torch.ones(2, FEATURES), torch.zeros(2, 1)))
    parts = model.layout.split(model.gradient_P)
    assert all(part.abs().sum() > 0 for part in parts.values())


def test_given_weights_are_where_every_peer_starts(make_manifest: MakeManifest) -> None:
    manifest = make_manifest()
    fresh = initial.built(manifest, None)
    given = {name: part + 1 for name, part in fresh.state_dict().items()}
    fill(fresh, given)
    data = packed(fresh)
    store = open_store("memory")
    started = make_manifest(init=initial.hash_of(data))
    assert "init" not in manifest.to_json()
    assert type(started).from_json(started.to_json()).init == started.init
    with pytest.raises(Exception, match="is not in memory"):
        initial.built(started, store)
    store.put(object_paths.initial(started.init), data)
    model = initial.built(started, store)
    assert all(torch.equal(part, given[name]) for name, part in model.state_dict().items())
    forged = open_store("memory")
    forged.put(object_paths.initial(started.init), data[:-1] + b"\x00")
    with pytest.raises(Exception, match="are not those that the manifest names"):
        initial.built(started, forged)


def test_a_loss_far_above_the_first_ends_the_run_early(make_manifest: MakeManifest, rows: Corpus) -> None:
    def hot() -> nn.Module:
        return nn.Linear(FEATURES, 1)

    strategy = DiLoCo(inner_steps=4, outer_lr=150.0)
    with pytest.raises(TrainError, match=r"The model's loss is .* before round [23], and began at"):
        played(make_manifest, rows, hot, strategy)
