"""What a refactoring must not change: losses, payloads, models, weights and pay of one small run.

The run's identity is pinned, because it is a hash of field names; the corpus is made here, as the standard
library differs between versions of Python. Losses are compared on any machine; bits only where torch and the
instructions of the processor are those of the machine that wrote the golden file.
"""

import json
import random
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from subnetlab.record.events import RoundClosed, Scored, WeightsSet
from subnetlab.train import data
from subnetlab.train.manifest import EARLIER, Manifest, ScoringConfig
from subnetlab.train.models import TinyGPT
from subnetlab.train.optimizer import AdamWConfig, MuonConfig, SignumConfig
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.strategies import DeMo, MuLoCo, SparseLoCo, StreamingDiLoCo
from subnetlab.yuma.epoch import EpochInput, Neuron, run_epoch
from subnetlab.yuma.fixed import I64F64

from .conftest import MakeManifest, keypair, riders, seats_for

GOLDEN = Path(__file__).parents[2] / "golden"
ROLES = ("miner", "miner", "free_rider", "validator", "validator")
STAKES = (0, 0, 0, 6_000, 4_000)
WORDS = "the subnet pays every miner whose payload removes loss on data that a beacon drew after its commit"


class Pinned(Manifest):
    """A manifest whose hash does not depend on the names of its fields."""

    @property
    def hash(self) -> str:
        return "5b" * 32


def corpus_of_words() -> data.Corpus:
    draw, words = random.Random(7), WORDS.split()
    return data.text(" ".join(draw.choices(words, k=12_000)), name="words").read()


def sparseloco() -> dict[str, Any]:
    return {"strategy": SparseLoCo(inner_steps=8)}


def muloco() -> dict[str, Any]:
    model = TinyGPT("demo", n_embd=32, n_layer=1, n_head=2, seq_len=16)
    return {"strategy": MuLoCo(inner_steps=8), "model": model, "optimizer": MuonConfig(), "rounds": 5}


def streaming() -> dict[str, Any]:
    strategy = StreamingDiLoCo(inner_steps=4, fragments=2)
    return {"strategy": strategy, "optimizer": AdamWConfig(lr=5e-3), "rounds": 6}


def demo() -> dict[str, Any]:
    config = SignumConfig(lr=3e-3, warmup=0.0)
    return {"strategy": DeMo(inner_steps=2, optimizer=config), "optimizer": config, "rounds": 8}


def played(make_manifest: MakeManifest, options: dict[str, Any]) -> Rehearsal:
    corpus = corpus_of_words()
    manifest = make_manifest(
        data=corpus.manifest,
        scoring=replace(ScoringConfig(validation_batches=2, validation_sequences=16), **EARLIER),
        **options,
    )
    pinned = Pinned(**{field.name: getattr(manifest, field.name) for field in fields(manifest)})
    run = Rehearsal(
        pinned,
        seats_for(*ROLES),
        corpus,
        lambda seat: lambda message: bytes(keypair(seat.uid).sign(message)),
        roles=riders(*ROLES),
    )
    run.run()
    return run


def pay(weights: dict[str, dict[str, int]]) -> list[int]:
    """What Yuma pays each uid for standing weights."""
    neurons = tuple(
        Neuron(
            stake=I64F64.of(stake),
            last_update=9,
            registered_at=0,
            permit=stake > 0,
            weights=tuple((int(to), value) for to, value in weights.get(str(uid), {}).items()),
        )
        for uid, stake in enumerate(STAKES)
    )
    return run_epoch(EpochInput(block=10, fresh_since=0, emission=10**9, neurons=neurons)).emission


def digest(run: Rehearsal) -> dict[str, Any]:
    closed = sorted(cast("list[RoundClosed]", run.of(RoundClosed)), key=lambda event: event.round)
    scored = cast("list[Scored]", run.of(Scored))
    weights = cast("list[WeightsSet]", run.of(WeightsSet))
    last = {str(event.validator): event.weights for event in sorted(weights, key=lambda event: event.round)}
    return {
        "torch": str(torch.__version__),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "losses": [event.val_loss for event in closed],
        "scores": [
            [e.round, e.validator, e.uid, e.verdict, e.loss_removed_assigned, e.loss_removed_held_out, e.norm]
            for e in sorted(scored, key=lambda e: (e.round, e.validator, e.uid))
        ],
        "weights": [
            [e.round, e.validator, e.weights] for e in sorted(weights, key=lambda e: (e.round, e.validator))
        ],
        "payloads": [event.accepted for event in closed],
        "aggregates": [event.aggregate_hash for event in closed],
        "thetas": [event.theta_hash for event in closed],
        "pay_alpha_rao": pay(last),
    }


@pytest.mark.parametrize(
    ("file", "options"),
    [
        ("record.json", sparseloco), ("record_muloco.json", muloco), ("record_streaming.json", streaming),
        ("record_demo.json", demo),
    ],
)  # fmt: skip
def test_a_small_run_is_what_it_was(
    make_manifest: MakeManifest, file: str, options: Callable[[], dict[str, Any]]
) -> None:
    found = digest(played(make_manifest, options()))
    golden = json.loads((GOLDEN / file).read_text(encoding="utf-8"))
    same = all(found[key] == golden[key] for key in ("torch", "instructions"))
    assert found["losses"] == pytest.approx(golden["losses"], rel=1e-6 if same else 1e-3)
    assert [score[:4] for score in found["scores"]] == [score[:4] for score in golden["scores"]]
    if same:
        assert found == golden
