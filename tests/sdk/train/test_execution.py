"""Where a model computes: everything crosses to its device and back, and bf16 learns as float32 does."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from subnetlab.errors import DeviceMissing, ManifestInvalid
from subnetlab.network.memory import MemoryNet
from subnetlab.record.events import RoundClosed
from subnetlab.store.objects import open_store
from subnetlab.train import models, tasks
from subnetlab.train.audit import state
from subnetlab.train.audit.report import Trace
from subnetlab.train.data import Corpus
from subnetlab.train.execution import Execution, check_dtype
from subnetlab.train.manifest import Manifest
from subnetlab.train.miner import Miner
from subnetlab.train.optimizer import AdamWConfig, MuonConfig, OptimizerConfig, SignumConfig
from subnetlab.train.payload.update import Update
from subnetlab.train.roster import FixedRoster, Seat
from subnetlab.train.scoring.losses import Trial
from subnetlab.train.strategies import DDP, SparseLoCo, Strategy, StreamingDiLoCo
from subnetlab.train.strategies.base import LocalUpdate, Progress
from subnetlab.train.theta import FlatModel

from .conftest import MakeManifest, MakeRehearsal
from .second_device import SecondDevice

THERE = Execution(device="meta")


class Normed(nn.Module):
    """A language model with a running statistic, a frozen tensor, a buffer and a tensor that is not fp32."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(256, 16)
        self.norm = nn.BatchNorm1d(16)
        self.lower = nn.Linear(16, 16).to(torch.bfloat16)
        self.fixed = nn.Parameter(torch.ones(16), requires_grad=False)
        self.register_buffer("shift", torch.full((16,), 0.1))
        self.head = nn.Linear(16, 256)

    def forward(self, x_BT: torch.Tensor) -> torch.Tensor:
        h_BTC = self.norm(self.embed(x_BT).mT).mT * self.fixed + self.shift
        return self.head(h_BTC + self.lower(h_BTC.to(torch.bfloat16)).float())


def learned(
    strategy: Strategy, config: OptimizerConfig, spec: models.TinyGPT, corpus: Corpus, on: Execution
) -> tuple[LocalUpdate, dict[str, Any]]:
    """Two rounds of a miner and what else a peer asks of its model, on a device."""
    task = tasks.of_model(spec, "def ")
    model = FlatModel(models.build(spec, 0), task, config, on)
    theta_P = model.theta_P.to("cpu", copy=True)
    memory: dict[str, torch.Tensor] = {}
    trace = Trace(torch.arange(16))
    for round_ in range(2):
        batches = [task.batch(corpus, "train", np.arange(4) + 10 * step) for step in range(4)]
        torch.manual_seed(round_)
        work = strategy.learn(
            model, theta_P, batches, Progress(round_, 2, 4), lambda _, loss: trace.step(model, loss),
            memory=memory,
        )  # fmt: skip
    trial = Trial(model, theta_P, corpus, np.arange(20))
    some = Update(torch.arange(100), work.delta_P[:100])
    removed = [trial.removed(one, 0.5, np.arange(40, 60)) for one in (Update(None, work.delta_P), some)]
    remembered = state.snapshot(model, memory)
    state.restore(remembered, model, dict(memory))
    assert state.snapshot(model, memory).hash == remembered.hash
    sample = model.sample()
    assert sample is not None
    return work, {
        "removed": [(one.assigned, one.held_out) for one in removed],
        "state": model.state(),
        "loss": model.loss(batches[0]),
        "traced": trace.losses,
    }


@pytest.mark.parametrize(
    ("strategy", "config"),
    [
        (SparseLoCo(inner_steps=4), AdamWConfig(lr=5e-3)),
        (StreamingDiLoCo(inner_steps=4, fragments=2), MuonConfig()),
        (DDP(inner_steps=4), SignumConfig()),
    ],
)
def test_a_model_on_another_device_does_what_it_does_on_the_cpu(
    strategy: Strategy, config: OptimizerConfig, tiny: models.TinyGPT, corpus: Corpus
) -> None:
    here, said_here = learned(strategy, config, tiny, corpus, Execution())
    with SecondDevice():
        there, said_there = learned(strategy, config, tiny, corpus, THERE)
    assert there.delta_P.device.type == "cpu"
    torch.testing.assert_close(there.delta_P, here.delta_P, rtol=1e-3, atol=1e-5)
    assert there.losses == pytest.approx(here.losses, rel=1e-4)
    assert np.array(said_there["removed"]) == pytest.approx(np.array(said_here["removed"]), abs=1e-4)
    assert said_there["loss"] == pytest.approx(said_here["loss"], rel=1e-4)
    assert all(part.device.type == "cpu" for part in said_there["state"].values())


def test_statistics_frozen_tensors_and_buffers_go_to_the_device_as_well(corpus: Corpus) -> None:
    task = tasks.NextToken(seq_len=16)
    batch = task.batch(corpus, "train", np.arange(8))

    def all_of_it(on: Execution) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        model = FlatModel(Normed(), task, AdamWConfig(), on)
        for _ in range(3):
            model.differentiate(batch)
            model.optimizer.step(model.theta_P, model.gradient_P, 1e-2)
        model.settle(corpus)
        assert model.has_statistics
        return {**model.state(), "losses": model.losses(batch)}

    here = all_of_it(Execution())
    with SecondDevice():
        there = all_of_it(THERE)
    for name, part in here.items():
        torch.testing.assert_close(there[name], part, rtol=1e-2, atol=1e-3, msg=name)


def test_values_that_do_not_cross_are_refused(tiny: models.TinyGPT) -> None:
    with SecondDevice():
        model = FlatModel(models.build(tiny, 0), tasks.of_model(tiny), AdamWConfig(), THERE)
        with pytest.raises(RuntimeError, match="same device"):
            model.theta_P.sub_(torch.zeros(model.layout.size))


def played_in(rehearse: MakeRehearsal, dtype: str) -> list[float]:
    """Held-out losses of a run whose draws follow from its seed alone."""
    config = AdamWConfig(lr=5e-3)
    run = rehearse(
        "miner", "miner", "validator", dtype=dtype, rounds=5, optimizer=config, deterministic=True
    )  # fmt: skip
    run.run()
    assert run.peers[2].replica.model.execution.dtype == dtype
    return [event.val_loss for event in run.of(RoundClosed) if isinstance(event, RoundClosed)]


def test_a_run_in_bf16_learns_as_one_in_float32(rehearse: MakeRehearsal) -> None:
    exact, mixed = played_in(rehearse, "float32"), played_in(rehearse, "bfloat16")
    assert exact != mixed
    assert exact[0] - exact[-1] > 0.2
    assert mixed == pytest.approx(exact, abs=0.05)


def test_master_weights_gradients_and_moments_stay_fp32(tiny: models.TinyGPT) -> None:
    task = tasks.of_model(tiny)
    model = FlatModel(models.build(tiny, 0), task, AdamWConfig(), Execution(dtype="bfloat16"))
    exact = FlatModel(models.build(tiny, 0), task, AdamWConfig())
    batch = torch.randint(0, 256, (4, 16)), torch.randint(0, 256, (4, 16))
    assert model.differentiate(batch) == pytest.approx(exact.differentiate(batch), abs=0.02)
    apart = float((model.gradient_P - exact.gradient_P).norm() / exact.gradient_P.norm())
    assert 0 < apart < 0.05
    assert {one.dtype for one in (model.theta_P, model.gradient_P, *model.optimizer.moments())} == {
        torch.float32
    }
    assert model.losses(batch).dtype == torch.float32


def test_a_manifest_names_its_arithmetic_only_where_it_is_not_float32(make_manifest: MakeManifest) -> None:
    assert "dtype" not in make_manifest().to_json()
    mixed = make_manifest(dtype="bfloat16")
    assert Manifest.from_json(mixed.to_json()) == mixed
    assert mixed.hash != make_manifest().hash
    with pytest.raises(ManifestInvalid, match="float8"):
        Manifest.from_json({**mixed.to_json(), "dtype": "float8"})


@pytest.mark.parametrize("wrong", ["float16", torch.float16, torch.int8, "", "half", 16, None])
def test_an_arithmetic_that_no_run_has_is_refused(wrong: object) -> None:
    with pytest.raises(ManifestInvalid) as refused:
        check_dtype(wrong)
    assert "bfloat16" in refused.value.hint


def test_torchs_own_types_are_taken() -> None:
    assert check_dtype(torch.bfloat16) == "bfloat16"
    assert check_dtype("float32") == "float32"


def test_a_peer_whose_device_is_not_here_does_not_come_up(
    make_manifest: MakeManifest, corpus: Corpus
) -> None:
    seats = (Seat.of(0, "5x", "miner"),)
    with pytest.raises(DeviceMissing, match="CUDA"):
        Miner(
            make_manifest(), FixedRoster(seats), MemoryNet().chain("5x"), open_store("memory"), print, bytes,
            hotkey="5x", corpus=corpus, execution=Execution(device="cuda:99"),
        )  # fmt: skip


def test_execution_is_replaced_by_the_runs_arithmetic(make_manifest: MakeManifest) -> None:
    on = Execution(device="cuda:1", compiled=True)
    assert make_manifest(dtype="bfloat16").execution(on) == replace(on, dtype="bfloat16")
    assert make_manifest().execution() == Execution()
