"""DeMo: the published step where everything is sent, options, attackers, and a whole run."""

from collections.abc import Callable
from typing import cast

import pytest
import torch

from subnetlab.errors import ManifestInvalid
from subnetlab.record.events import RoundClosed, Scored, WeightsSet
from subnetlab.train import strategies
from subnetlab.train.aggregate import clip_to_median
from subnetlab.train.attackers.updates import Poisoner
from subnetlab.train.manifest import Manifest
from subnetlab.train.optimizer import AdamWConfig, Signum, SignumConfig
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.strategies import DDP, DeMo
from subnetlab.train.strategies.base import Progress
from subnetlab.train.theta import Layout

MakeRehearsal = Callable[..., Rehearsal]
LAYOUT = Layout((("bytes.weight", (64, 64)), ("norm.weight", (8,))))
FLAT = SignumConfig(lr=1e-2, schedule="constant", warmup=0.0, weight_decay=0.1)


def gradient(seed: int, factor: float = 1.0) -> torch.Tensor:
    return torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(seed)) * factor


def test_a_step_goes_against_the_sign_of_what_all_sent_together() -> None:
    strategy, theta_P = DeMo(optimizer=FLAT), gradient(9)
    codec, before = strategy.codec(LAYOUT), theta_P.clone()
    updates = [codec.decode(codec.encode(gradient(seed), {})) for seed in range(3)]
    aggregate = strategy.combine(updates, LAYOUT)
    strategy.apply(theta_P, aggregate, {}, Progress(3, 10, 1))
    clipped = [update.values_N for update in clip_to_median(updates, LAYOUT, "tensor")]
    torch.testing.assert_close(aggregate.values_N, torch.stack(clipped).mean(0))
    torch.testing.assert_close(theta_P, before * (1 - 1e-3) - aggregate.values_N.sign() * 1e-2)


def test_signum_steps_along_the_sign_of_a_moving_average() -> None:
    optimizer = Signum(SignumConfig(momentum=0.5, weight_decay=0.0, clip=1e9), 2)
    theta_P = torch.zeros(2)
    optimizer.step(theta_P, torch.tensor([1.0, -3.0]), 0.1)
    optimizer.step(theta_P, torch.tensor([-2.0, 1.0]), 0.1)
    assert theta_P.tolist() == pytest.approx([0.0, 0.2])
    with pytest.raises(ValueError, match="Signum needs"):
        SignumConfig(momentum=1.0)


@pytest.mark.parametrize(
    "options",
    [{"inner_steps": 0}, {"k": 0}, {"k": 5000}, {"k": 1.5}, {"decay": 1.0}, {"bins": "three"}, {"clip": ""}],
)
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="DeMo needs"):
        DeMo(**options)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("factor", [-40.0, 1e-3])
def test_a_peer_of_many_moves_signs_no_more_than_its_vote(factor: float) -> None:
    strategy = DeMo()
    codec = strategy.codec(LAYOUT)
    shared = gradient(100, 0.03)
    honest = [codec.decode(codec.encode(shared + gradient(seed, 0.01), {})) for seed in range(4)]
    hostile = codec.decode(codec.encode((shared + gradient(5, 0.01)) * factor, {}))
    clean = strategy.combine(honest, LAYOUT).values_N
    attacked = strategy.combine([*honest, hostile], LAYOUT).values_N
    certain = clean.abs() > float(clean.abs().mean())
    assert float((clean.sign() == attacked.sign())[certain].float().mean()) > 0.9


def test_a_runs_rate_is_that_of_the_outer_step() -> None:
    """Of DDP too: `lr=` once reached the baselines alone."""
    config = SignumConfig(lr=3e-4)
    stepping = strategies.stepping_with(DeMo(k=8), config)
    assert stepping == DeMo(k=8, optimizer=config)
    assert strategies.stepping_with(DDP(), AdamWConfig(lr=0.1)) == DDP(optimizer=AdamWConfig(lr=0.1))
    assert strategies.stepping_with(strategies.DiLoCo(), config) == strategies.DiLoCo()
    with pytest.raises(ManifestInvalid, match="DeMo steps with SignumConfig"):
        strategies.stepping_with(DeMo(), AdamWConfig())


def test_a_manifest_keeps_the_strategy(make_manifest: Callable[..., Manifest]) -> None:
    manifest = make_manifest(strategy=DeMo(optimizer=FLAT), optimizer=FLAT)
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_a_run_learns_and_shuts_out_free_rider_and_poisoner(rehearse: MakeRehearsal) -> None:
    roles = ("miner", "miner", "miner", "miner", "free_rider", "validator", "validator")
    run = rehearse(
        *roles,
        roles={3: Poisoner},
        strategy=DeMo(optimizer=SignumConfig(lr=3e-3, warmup=0.0)),
        optimizer=SignumConfig(lr=3e-3),
        rounds=15,
    )
    run.run()
    closed = sorted(cast("list[RoundClosed]", run.of(RoundClosed)), key=lambda event: event.round)
    assert closed[-1].val_loss < closed[0].val_loss - 0.1
    hostile = {event.verdict for event in cast("list[Scored]", run.of(Scored)) if event.uid in (3, 4)}
    assert hostile <= {"gated", "huge"}
    weights = cast("list[WeightsSet]", run.of(WeightsSet))[-1].weights
    assert weights.get("3", 0) == weights.get("4", 0) == 0
    assert min(weights[uid] for uid in ("0", "1", "2")) > 0
