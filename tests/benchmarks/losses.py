"""Loss at equal tokens: one worker alone, DDP, DiLoCo and SparseLoCo, all through our own training code.

The 1M-parameter model, four workers, 900 inner steps of 4 x 64 bytes each, the standard library as corpus,
the validation loss over 16,384 held-out bytes. Payloads are really encoded and decoded, their bytes counted.
What counts is the share of the gap between the single worker and DDP that a strategy closes. Takes minutes.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.train import data, models, strategies, tasks
from subnetlab.train.data.corpus import Corpus, sequences
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.payload.sparse import State
from subnetlab.train.strategies.base import Progress, Strategy
from subnetlab.train.theta import FlatModel
from tests.benchmarks.measure import Figure

WORKERS = 4
STEPS = 900
BATCH = 4
SEED = 0
VALIDATION_BATCHES, VALIDATION_BATCH = 8, 32
CONFIG = models.TinyGPT("small")
VALIDATOR = 99


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a strategy arrived and what it sent."""

    loss: float
    bytes_up: int
    """Per worker over the whole run."""
    wall_s: float


def measure(quick: bool) -> Iterator[Figure]:
    """All rows on one corpus, the anchors of the gap first."""
    torch.set_num_threads(1)
    corpus = data.stdlib().read()
    steps = 30 if quick else STEPS
    alone = train(strategies.DDP(), 1, steps, corpus)
    yield _row("single worker: validation loss", alone, "")
    together = train(strategies.DDP(), WORKERS, steps, corpus)
    yield _row("DDP: validation loss", together, "")
    for name, strategy in (("DiLoCo", strategies.DiLoCo()), ("SparseLoCo", strategies.SparseLoCo())):
        outcome = train(strategy, WORKERS, steps, corpus)
        closed = (alone.loss - outcome.loss) / (alone.loss - together.loss)
        yield _row(f"{name} H=15: validation loss", outcome, "DDP", together.loss)
        goal = 0.53 if name == "SparseLoCo" else None
        yield Figure(
            name=f"{name} H=15: share of the gap closed", value=closed, unit="", limit=goal, at_least=True
        )
        yield Figure(
            name=f"{name} H=15: bytes up per worker", value=outcome.bytes_up, unit="B", peer="DDP",
            peer_value=together.bytes_up,
        )  # fmt: skip


def train(strategy: Strategy, workers: int, steps: int, corpus: Corpus) -> Outcome:
    """Run a strategy's rounds with every worker in this process, one after another."""
    start = time.perf_counter()
    rounds = steps // strategy.inner_steps
    task = tasks.of_model(CONFIG)
    flat_models = [FlatModel(models.build(CONFIG, SEED), task, AdamWConfig()) for _ in range(workers)]
    layout = flat_models[0].layout
    codec = strategy.codec(layout)
    theta_P = flat_models[0].theta_P.clone()
    memories: list[State] = [{} for _ in range(workers)]
    outer: State = {}
    sent = 0
    for round_ in range(rounds):
        progress = Progress(round_, rounds, strategy.inner_steps)
        payloads: list[bytes] = []
        for worker, model in enumerate(flat_models):
            batches = [
                draw(corpus.train, worker, progress.first_step + step, BATCH)
                for step in range(strategy.inner_steps)
            ]
            learned = strategy.learn(model, theta_P, batches, progress, lambda _step, _loss: None)
            payloads.append(codec.encode(learned.delta_P, memories[worker]))
        sent += len(payloads[0])
        aggregate = strategy.combine([codec.decode(payload) for payload in payloads], layout)
        strategy.apply(theta_P, aggregate, outer, progress)
    return Outcome(validate(flat_models[0], theta_P, corpus), sent, time.perf_counter() - start)


def draw(tokens: NDArray[np.uint8], worker: int, step: int, batch: int) -> tuple[Tensor, Tensor]:
    """A batch at random places, the same in every row for one worker and step."""
    places = np.random.default_rng((SEED, worker, step))
    return sequences(tokens, places.integers(0, len(tokens) - CONFIG.seq_len - 1, batch), CONFIG.seq_len)


def validate(model: FlatModel, theta_P: Tensor, corpus: Corpus) -> float:
    """Mean loss over the fixed held-out batches, nats per byte."""
    model.load(theta_P)
    losses = [
        model.loss(draw(corpus.validation, VALIDATOR, step, VALIDATION_BATCH))
        for step in range(VALIDATION_BATCHES)
    ]
    return sum(losses) / len(losses)


def _row(name: str, outcome: Outcome, peer: str, peer_value: float | None = None) -> Figure:
    return Figure(
        name=name, value=outcome.loss, unit="nats/byte", peer=peer, peer_value=peer_value,
        note=f"{outcome.wall_s:.0f} s",
    )  # fmt: skip
