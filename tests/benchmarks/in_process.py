"""A subnet's training in one process: every worker in turn, payloads really coded, no chain, store or judge.

The same strategies, codecs and inner loop as a run's; what is missing is what makes peers trust each other.
Losses are in nats per byte on 16,384 fixed held-out bytes. Used by `losses` and `strategies`.
"""

import time
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.train import models, tasks
from subnetlab.train.data.corpus import Corpus, sequences
from subnetlab.train.optimizer import OptimizerConfig
from subnetlab.train.payload.sparse import State
from subnetlab.train.strategies.base import Progress, Strategy
from subnetlab.train.tasks import Batch
from subnetlab.train.theta import FlatModel

_VALIDATOR = 99
_VALIDATION_BATCHES, _VALIDATION_BATCH, _LENGTH = 8, 32, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all rows of a table share."""

    model: models.TinyGPT
    workers: int = 4
    steps: int = 900
    batch: int = 4
    seed: int = 0
    looks: int = 10
    """How often a run is judged on its way, for its curve."""

    def batches(self, tokens: NDArray[np.uint8], worker: int, step: int) -> Batch:
        """One worker's batch of one step, the same in every row."""
        return draw(tokens, self.model.seq_len, self.batch, (self.seed, worker, step))

    def built(self, config: OptimizerConfig) -> FlatModel:
        """A worker's model with the seed's first weights."""
        return FlatModel(models.build(self.model, self.seed), tasks.of_model(self.model), config)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """Where a run arrived and what it took."""

    loss: float
    bytes_up: int
    """Of one worker in the whole run."""
    bytes_once: int
    """The largest payload."""
    cpu_s: float
    curve: dict[int, float] = field(default_factory=dict[int, float])
    """Loss by inner step."""


def subnet(
    strategy: Strategy, config: OptimizerConfig, setting: Setting, corpus: Corpus, *, ema: float = 0.0
) -> Trained:
    """Run a strategy's rounds, one worker after another.

    Args:
        strategy: what trains.
        config: of the workers' optimizer.
        setting: model, steps and data.
        corpus: the data.
        ema: share that the judged weights keep of their earlier values each round; 0 judges θ itself.
    """
    torch.set_num_threads(1)
    start, rounds = time.process_time(), setting.steps // strategy.inner_steps
    flat_models = [setting.built(config) for _ in range(setting.workers)]
    layout, theta_P = flat_models[0].layout, flat_models[0].theta_P.clone()
    judged_P = theta_P.clone()
    memories, outer = [State() for _ in flat_models], State()
    looks, curve, sizes = set(_looks(rounds, setting.looks)), dict[int, float](), list[int]()
    for round_ in range(rounds):
        progress, codec = Progress(round_, rounds, strategy.inner_steps), strategy.codec(layout, round_)
        payloads: list[bytes] = []
        for worker, (model, memory) in enumerate(zip(flat_models, memories, strict=True)):
            work = (
                setting.batches(corpus.train, worker, progress.first_step + step)
                for step in range(strategy.inner_steps)
            )
            learned = strategy.learn(model, theta_P, work, progress, _ignored, memory=memory)
            payloads.append(codec.encode(learned.delta_P, memory))
        sizes.append(len(payloads[0]))
        aggregate = strategy.combine([codec.decode(payload) for payload in payloads], layout)
        strategy.apply(theta_P, aggregate, outer, progress)
        judged_P.lerp_(theta_P, 1 - ema)
        if round_ in looks:
            curve[progress.first_step + strategy.inner_steps] = validate(flat_models[0], judged_P, corpus)
    loss = next(reversed(curve.values()))
    return Trained(
        loss=loss, bytes_up=sum(sizes), bytes_once=max(sizes), cpu_s=time.process_time() - start, curve=curve
    )


def together(config: OptimizerConfig, workers: int, setting: Setting, corpus: Corpus) -> Trained:
    """Every step on the joined batches of so many workers: one is alone, all are DDP."""
    torch.set_num_threads(1)
    start, model = time.process_time(), setting.built(config)
    curve, done = dict[int, float](), 0
    for first, last in pairwise([0, *(look + 1 for look in _looks(setting.steps, setting.looks))]):
        progress = Progress(0, 1, setting.steps)
        for step in range(first, last):
            batches = [setting.batches(corpus.train, worker, step) for worker in range(workers)]
            x, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
            model.differentiate((x, y))
            model.optimizer.step(model.theta_P, model.gradient_P, config.rate(step, progress.steps))
        done = last
        curve[done] = validate(model, model.theta_P.clone(), corpus)
    dense = model.layout.dense_bytes if workers > 1 else 0
    return Trained(
        loss=curve[done], bytes_up=dense * setting.steps, bytes_once=dense,
        cpu_s=time.process_time() - start, curve=curve,
    )  # fmt: skip


def draw(tokens: NDArray[np.uint8], length: int, batch: int, key: tuple[int, ...]) -> Batch:
    """Sequences at random places, the same ones for the same key."""
    places = np.random.default_rng(key).integers(0, len(tokens) - length - 1, batch)
    return sequences(tokens, places, length)


def validate(model: FlatModel, theta_P: Tensor, corpus: Corpus) -> float:
    """Mean loss over the fixed held-out batches, nats per byte."""
    model.load(theta_P)
    losses = [
        model.loss(draw(corpus.validation, _LENGTH, _VALIDATION_BATCH, (_VALIDATOR, step)))
        for step in range(_VALIDATION_BATCHES)
    ]
    return sum(losses) / len(losses)


def _looks(rounds: int, looks: int) -> list[int]:
    """The rounds after which a run is judged; the last is among them."""
    return sorted({max(1, rounds * (look + 1) // looks) - 1 for look in range(looks)})


def _ignored(step: int, loss: float) -> None:
    """A worker's step is of no interest here."""
