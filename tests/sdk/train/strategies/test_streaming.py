"""Streaming DiLoCo: whole layers in turn, own weights that go on, the step of one fragment, and attackers."""

from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
import torch

from subnetlab.record.events import RoundClosed, Scored, WeightsSet
from subnetlab.train import models, tasks
from subnetlab.train.attackers.updates import Poisoner
from subnetlab.train.data import Corpus, sequences
from subnetlab.train.manifest import Manifest
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.payload.sparse import State
from subnetlab.train.payload.update import Update
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.strategies import StreamingDiLoCo
from subnetlab.train.strategies.base import Progress
from subnetlab.train.strategies.streaming import fragments_of
from subnetlab.train.tasks import Batch
from subnetlab.train.theta import FlatModel, Layout

MakeRehearsal = Callable[..., Rehearsal]
LAYOUT = Layout(
    (
        ("bytes.weight", (4, 2)), ("blocks.0.mix.weight", (2, 2)), ("blocks.0.mix.bias", (2,)),
        ("blocks.1.mix.weight", (2, 2)), ("blocks.2.mix.weight", (2, 2)), ("scale", (3,)),
    )
)  # fmt: skip


def work(corpus: Corpus, seed: int, steps: int) -> list[Batch]:
    draw = np.random.default_rng(seed)
    return [sequences(corpus.train, draw.integers(0, len(corpus.train) - 17, 4), 16) for _ in range(steps)]


def flat(tiny: models.TinyGPT) -> FlatModel:
    return FlatModel(models.build(tiny, 0), tasks.of_model(tiny), AdamWConfig(lr=5e-3))


def test_layers_are_dealt_out_to_the_fragments_in_turn() -> None:
    assert fragments_of(LAYOUT, 2) == ((0, 3, 5), (1, 2, 4))
    assert fragments_of(LAYOUT, 3) == ((0, 4), (1, 2, 5), (3,))
    every = fragments_of(LAYOUT, 100)
    assert every == ((0,), (1, 2), (3,), (4,), (5,)), "a layer is never cut"


def test_a_round_sends_its_fragment_and_the_next_round_the_next() -> None:
    strategy, sizes = StreamingDiLoCo(fragments=2), dict[int, list[int]]()
    delta_P = torch.ones(LAYOUT.size)
    for round_ in range(4):
        codec = strategy.codec(LAYOUT, round_)
        update = codec.decode(codec.encode(delta_P, {}))
        assert update.positions_N is not None
        sizes[round_] = update.positions_N.tolist()
    assert sizes[0] == sizes[2] == [*range(8), *range(14, 18), *range(22, 25)]
    assert sizes[1] == sizes[3] == [*range(8, 14), *range(18, 22)]


def test_the_outer_step_of_a_fragment_is_that_of_torch_sgd_with_nesterov() -> None:
    strategy, outer = StreamingDiLoCo(fragments=2), State()
    theta_P = torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(0))
    theirs = [theta_P[strategy.codec(LAYOUT, f).positions()].clone().requires_grad_() for f in range(2)]
    steps = [torch.optim.SGD([part], lr=0.4, momentum=0.9, nesterov=True) for part in theirs]
    for round_ in range(5):
        codec = strategy.codec(LAYOUT, round_)
        delta_P = torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(round_ + 1))
        aggregate = strategy.combine([codec.decode(codec.encode(delta_P, {}))], LAYOUT)
        theirs[round_ % 2].grad = aggregate.values_N.clone()
        steps[round_ % 2].step()
        strategy.apply(theta_P, aggregate, outer, Progress(round_, 5, 5))
    for fragment, part in enumerate(theirs):
        mine = theta_P[strategy.codec(LAYOUT, fragment).positions()]
        torch.testing.assert_close(mine, part.detach(), rtol=1e-5, atol=1e-6)


def test_a_miner_goes_on_from_its_own_weights_and_mixes_what_came_back(
    tiny: models.TinyGPT, corpus: Corpus
) -> None:
    strategy, model, memory = StreamingDiLoCo(inner_steps=3, fragments=2), flat(tiny), State()
    theta_P = model.theta_P.clone()

    def learned(round_: int, agreed_P: torch.Tensor) -> torch.Tensor:
        progress = Progress(round_, 9, 3)
        batches = work(corpus, round_, 3)
        return strategy.learn(model, agreed_P, batches, progress, lambda i, x: None, memory=memory).delta_P

    first = learned(0, theta_P)
    own_P, moved_P = memory["own"], theta_P + 1.0
    assert not torch.equal(theta_P - first, own_P), "the last step is taken while the fragment travels"
    at_N = strategy.codec(model.layout, 0).positions()
    mixed_P = own_P.clone()
    mixed_P[at_N] = 0.5 * own_P[at_N] + 0.5 * moved_P[at_N]
    assert torch.equal(strategy._own(moved_P, model.layout, 1, memory), mixed_P)
    second = learned(1, moved_P)
    torch.testing.assert_close(moved_P - second, mixed_P, rtol=0, atol=0.2)
    assert torch.equal(strategy._own(theta_P, model.layout, 3, memory), theta_P), "it missed a round"
    memory["own"][5] = torch.nan
    assert torch.equal(strategy._own(theta_P, model.layout, 2, memory), theta_P)


def test_the_difference_is_taken_before_the_overlapping_steps(tiny: models.TinyGPT, corpus: Corpus) -> None:
    found: dict[int, torch.Tensor] = {}
    for overlap in (0, 2):
        model, memory = flat(tiny), State()
        strategy = StreamingDiLoCo(inner_steps=4, overlap=overlap)
        found[overlap] = strategy.learn(
            model, model.theta_P.clone(), work(corpus, 1, 4), Progress(0, 8, 4), lambda i, x: None,
            memory=memory,
        ).delta_P  # fmt: skip
        found[overlap + 10] = memory["own"]
    assert torch.equal(found[10], found[12]), "both train as long"
    assert 0 < float(found[2].norm()) < float(found[0].norm())


@pytest.mark.parametrize(
    "options",
    [
        {"inner_steps": 0}, {"inner_steps": 2.5}, {"fragments": 0}, {"fragments": 1.5}, {"overlap": 5},
        {"overlap": -1}, {"mixing": 1.0}, {"momentum": 1.0}, {"outer_lr": float("inf")}, {"clip": "some"},
    ],
)  # fmt: skip
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="StreamingDiLoCo needs"):
        StreamingDiLoCo(**options)  # pyright: ignore[reportArgumentType]


def test_a_peer_that_sends_large_scales_moves_a_tensor_no_farther_than_an_honest_one() -> None:
    strategy = StreamingDiLoCo(fragments=2)
    codec = strategy.codec(LAYOUT, 0)

    def sent(seed: int, factor: float = 1.0) -> Update:
        delta_P = torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(seed)) * factor
        return codec.decode(codec.encode(delta_P, {}))

    honest = [sent(seed) for seed in range(4)]
    clean = strategy.combine([*honest, sent(9)], LAYOUT).dense(LAYOUT.size)
    attacked = strategy.combine([*honest, sent(9, -20.0)], LAYOUT).dense(LAYOUT.size)
    farthest = max(
        float(part.norm()) for one in honest for part in LAYOUT.split(one.dense(LAYOUT.size)).values()
    )
    for before, after in zip(LAYOUT.split(clean).values(), LAYOUT.split(attacked).values(), strict=True):
        assert float((after - before).norm()) < 2 * farthest / 5


def test_a_manifest_keeps_the_strategy(make_manifest: Callable[..., Manifest]) -> None:
    manifest = make_manifest(strategy=StreamingDiLoCo(fragments=2, mixing=0.25))
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_a_run_learns_and_shuts_out_free_rider_and_poisoner(rehearse: MakeRehearsal) -> None:
    roles = ("miner", "miner", "miner", "miner", "free_rider", "validator", "validator")
    run = rehearse(
        *roles,
        roles={3: Poisoner},
        strategy=StreamingDiLoCo(inner_steps=5, fragments=2),
        optimizer=AdamWConfig(lr=5e-3),
        rounds=6,
    )
    run.run()
    losses = [
        event.val_loss
        for event in sorted(cast("list[RoundClosed]", run.of(RoundClosed)), key=lambda e: e.round)
    ]
    assert losses[-1] < losses[0] - 0.1
    hostile = {event.verdict for event in cast("list[Scored]", run.of(Scored)) if event.uid in (3, 4)}
    assert hostile <= {"gated", "huge"}
    weights = cast("list[WeightsSet]", run.of(WeightsSet))[-1].weights
    assert weights.get("3", 0) == weights.get("4", 0) == 0
    assert min(weights[uid] for uid in ("0", "1", "2")) > 0
