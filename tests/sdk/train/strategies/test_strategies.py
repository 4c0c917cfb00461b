"""Every strategy as a whole: it learns, its options are checked, its outer step is the textbook's."""

import json
from typing import Any

import numpy as np
import pytest
import torch

from subnetlab.errors import ManifestInvalid
from subnetlab.train import models, strategies, tasks
from subnetlab.train.data import Corpus, sequences
from subnetlab.train.optimizer import AdamWConfig, SignumConfig
from subnetlab.train.strategies import DDP, DeMo, DiLoCo, MuLoCo, SparseLoCo, Strategy, StreamingDiLoCo
from subnetlab.train.strategies.base import Progress
from subnetlab.train.tasks import Batch
from subnetlab.train.theta import FlatModel, Layout

ROUNDS = 6


def batches(corpus: Corpus, seed: int, steps: int) -> list[Batch]:
    generator = np.random.default_rng(seed)
    return [
        sequences(corpus.train, generator.integers(0, len(corpus.train) - 17, 8), 16) for _ in range(steps)
    ]


def trained(strategy: Strategy, tiny: models.TinyGPT, corpus: Corpus, peers: int = 2) -> tuple[float, float]:
    """Loss before and after some rounds of two peers."""
    task = tasks.of_model(tiny)
    flat_models = [FlatModel(models.build(tiny, 0), task, AdamWConfig(lr=5e-3)) for _ in range(peers)]
    layout, theta = flat_models[0].layout, flat_models[0].theta_P.clone()
    memories, outer = [{} for _ in range(peers)], {}
    x, y = batches(corpus, 99, 1)[0]
    before = flat_models[0].loss((x, y))
    for round_ in range(ROUNDS):
        progress = Progress(round_, ROUNDS, strategy.inner_steps)
        updates, codec = [], strategy.codec(layout, round_)
        for peer in range(peers):
            work = batches(corpus, 10 * round_ + peer, strategy.inner_steps)
            learned = strategy.learn(
                flat_models[peer], theta, work, progress, lambda i, loss: None, memory=memories[peer]
            )
            assert len(learned.losses) == strategy.inner_steps
            updates.append(codec.decode(codec.encode(learned.delta_P, memories[peer])))
        strategy.apply(theta, strategy.combine(updates, layout), outer, progress)
    flat_models[0].load(theta)
    return before, flat_models[0].loss((x, y))


@pytest.mark.parametrize(
    "strategy",
    [
        SparseLoCo(inner_steps=5), SparseLoCo(inner_steps=5, bins="sign", mean="all", k=512),
        DiLoCo(inner_steps=5, outer_lr=0.5, momentum=0.5), DDP(optimizer=AdamWConfig(lr=2e-2)),
        DDP(inner_steps=2), MuLoCo(inner_steps=5),
        MuLoCo(inner_steps=5, outer_schedule="fall"), StreamingDiLoCo(inner_steps=3, fragments=2),
        DeMo(optimizer=SignumConfig(lr=5e-3, warmup=0.0)),
    ],
    ids=["sparseloco", "sparseloco-all", "diloco", "ddp", "ddp-accumulated", "muloco", "muloco-fall",
         "streaming", "demo"],
)  # fmt: skip
def test_every_strategy_learns(strategy: Strategy, tiny: models.TinyGPT, corpus: Corpus) -> None:
    before, after = trained(strategy, tiny, corpus)
    assert after < before - 0.01


@pytest.mark.parametrize(
    "options",
    [
        {"inner_steps": 0}, {"k": 0}, {"k": 5000}, {"feedback": 1.1}, {"outer_lr": 0.0}, {"chunk": 1 << 30},
        {"k": 1.5}, {"mean": "some"}, {"bins": "three"},
    ],
)  # fmt: skip
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="SparseLoCo needs"):
        SparseLoCo(**options)


@pytest.mark.parametrize("strategy", [DDP, DeMo, DiLoCo, MuLoCo, SparseLoCo, StreamingDiLoCo])
@pytest.mark.parametrize(
    "options", [{"inner_steps": 1.5}, {"inner_steps": -1}, {"inner_steps": True}, {"clip": "most"}]
)
def test_no_strategy_takes_half_a_step_or_an_unknown_clip(strategy: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{strategy.__name__} needs"):
        strategy(**options)


@pytest.mark.parametrize("strategy", [DiLoCo, MuLoCo, SparseLoCo, StreamingDiLoCo])
@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_no_outer_step_is_endless(strategy: Any, rate: float) -> None:
    with pytest.raises(ValueError, match="outer_lr > 0"):
        strategy(outer_lr=rate)


@pytest.mark.parametrize("kind", [DDP, DeMo, DiLoCo, MuLoCo, SparseLoCo, StreamingDiLoCo])
def test_every_strategy_comes_back_from_its_description(kind: Any) -> None:
    described = json.loads(json.dumps(strategies.to_json(kind())))
    assert strategies.from_json(described) == kind()
    with pytest.raises(ManifestInvalid):
        strategies.from_json({**described, "learning_rate": 1})


def test_a_local_start_is_theta_without_what_was_not_sent(tiny: models.TinyGPT, corpus: Corpus) -> None:
    model = FlatModel(models.build(tiny, 0), tasks.of_model(tiny), AdamWConfig(lr=1e-12, weight_decay=0.0))
    layout, progress = model.layout, Progress(1, ROUNDS, 15)
    draw = torch.Generator().manual_seed(0)
    theta_P, delta_P = (torch.randn(layout.size, generator=draw) for _ in range(2))
    local, memory = SparseLoCo(local=True), {}
    sent = local.codec(layout).decode(local.codec(layout).encode(delta_P, memory)).dense(layout.size)
    work = batches(corpus, 1, 1)
    for strategy, start_P in ((local, theta_P - (delta_P - sent)), (SparseLoCo(), theta_P)):
        strategy.learn(model, theta_P, work, progress, lambda i, loss: None, memory=memory)
        torch.testing.assert_close(model.theta_P, start_P)
    local.learn(model, theta_P, work, progress, lambda i, loss: None, memory={})
    torch.testing.assert_close(model.theta_P, theta_P)


def test_a_manifest_names_the_local_start_only_where_it_is_chosen() -> None:
    assert "local" not in strategies.to_json(SparseLoCo())
    for strategy in (SparseLoCo(), SparseLoCo(local=True)):
        assert strategies.from_json(strategies.to_json(strategy)) == strategy


def test_diloco_moves_as_torch_sgd_with_nesterov_would() -> None:
    strategy, outer = DiLoCo(outer_lr=0.7, momentum=0.9), {}
    theta = torch.randn(50, generator=torch.Generator().manual_seed(0))
    theirs = torch.nn.Parameter(theta.clone())
    reference = torch.optim.SGD([theirs], lr=0.7, momentum=0.9, nesterov=True)
    codec = strategy.codec(models_layout := Layout.of(torch.nn.Linear(49, 1)))
    assert models_layout.size == 50
    for round_ in range(4):
        gradient = torch.randn(50, generator=torch.Generator().manual_seed(round_ + 1))
        theirs.grad = gradient.clone()
        reference.step()
        aggregate = strategy.combine([codec.decode(codec.encode(gradient, {}))], models_layout)
        strategy.apply(theta, aggregate, outer, Progress(round_, 4, 15))
    torch.testing.assert_close(theta, theirs.detach(), rtol=1e-5, atol=1e-6)


def test_ddp_with_two_peers_is_adamw_on_their_mean_gradient() -> None:
    config = AdamWConfig(lr=1e-2, warmup=0.0, clip=1e9)
    strategy, outer = DDP(optimizer=config), {}
    layout = Layout.of(torch.nn.Linear(49, 1))
    codec = strategy.codec(layout)
    theta = torch.zeros(50)
    theirs = torch.nn.Parameter(theta.clone())
    reference = torch.optim.AdamW([theirs], lr=1e-2, betas=(0.9, 0.95), weight_decay=0.1)
    for round_ in range(3):
        gradients = [
            torch.randn(50, generator=torch.Generator().manual_seed(10 * round_ + i)) for i in range(2)
        ]
        for group in reference.param_groups:
            group["lr"] = config.rate(round_, 3)
        theirs.grad = (gradients[0] + gradients[1]) / 2
        reference.step()
        updates = [codec.decode(codec.encode(gradient, {})) for gradient in gradients]
        strategy.apply(theta, strategy.combine(updates, layout), outer, Progress(round_, 3, 1))
    torch.testing.assert_close(theta, theirs.detach(), rtol=1e-5, atol=1e-6)
