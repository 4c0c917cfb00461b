"""MuLoCo as a whole: its outer step, its clip against peers that choose their scales, and a whole run."""

from collections.abc import Callable
from typing import Any, ClassVar, cast

import pytest
import torch

from subnetlab.errors import ManifestInvalid
from subnetlab.record.events import RoundClosed, Scored, WeightsSet
from subnetlab.train import models, strategies
from subnetlab.train.attackers.updates import Poisoner
from subnetlab.train.manifest import Manifest, RoundHeights
from subnetlab.train.miner import Miner
from subnetlab.train.optimizer import AdamWConfig, MuonConfig
from subnetlab.train.payload.onebit import OneBitCodec
from subnetlab.train.payload.update import Update
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.strategies import MuLoCo
from subnetlab.train.strategies.base import LocalUpdate, Progress
from subnetlab.train.theta import Layout

MakeManifest = Callable[..., Manifest]
MakeRehearsal = Callable[..., Rehearsal]

LAYOUT = Layout((("pairs.weight", (6, 4)), ("blocks.0.mix.weight", (5, 5))))


def sent(seed: int, factor: float = 1.0, tensor: str | None = None) -> Update:
    """What arrives of a difference, one tensor of which a peer may have made larger."""
    delta_P = torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(seed))
    for name, part in LAYOUT.split(delta_P).items():
        part.mul_(factor if tensor in (None, name) else 1.0)
    codec = OneBitCodec(LAYOUT, 0.95)
    return codec.decode(codec.encode(delta_P, {}))


def test_the_outer_step_is_that_of_torch_sgd_with_nesterov() -> None:
    strategy, outer = MuLoCo(), {}
    theta_P = torch.zeros(LAYOUT.size)
    theirs = torch.nn.Parameter(theta_P.clone())
    reference = torch.optim.SGD([theirs], lr=0.7, momentum=0.6, nesterov=True)
    for round_ in range(4):
        aggregate = sent(round_)
        theirs.grad = aggregate.values_N.clone()
        reference.step()
        strategy.apply(theta_P, aggregate, outer, Progress(round_, 4, 15))
    torch.testing.assert_close(theta_P, theirs.detach(), rtol=1e-5, atol=1e-6)


def test_a_falling_outer_step_begins_as_nesterov_and_ends_as_the_plain_mean() -> None:
    rounds, first = 40, torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(5))

    def moved(strategy: MuLoCo, round_: int) -> torch.Tensor:
        theta_P, outer = first.clone(), {"velocity": torch.ones(LAYOUT.size)}
        strategy.apply(theta_P, sent(1), outer, Progress(round_, rounds, 15))
        return first - theta_P

    fall, constant = MuLoCo(outer_schedule="fall"), MuLoCo()
    for round_ in (0, 10, 16):
        assert torch.equal(moved(fall, round_), moved(constant, round_))
    lengths = [float(moved(fall, round_).norm()) for round_ in range(16, rounds)]
    assert lengths == sorted(lengths, reverse=True)
    last = Progress(rounds, rounds, 15)  # behind the last round: what the schedule tends to
    theta_P = first.clone()
    fall.apply(theta_P, sent(1), {"velocity": torch.ones(LAYOUT.size)}, last)
    torch.testing.assert_close(first - theta_P, sent(1).values_N)


@pytest.mark.parametrize("tensor", [None, "pairs.weight", "blocks.0.mix.weight"])
def test_scales_that_a_peer_chose_move_no_tensor_farther_than_an_honest_peer(tensor: str | None) -> None:
    honest = [sent(seed) for seed in range(4)]
    hostile = sent(9, factor=50.0, tensor=tensor)
    strategy = MuLoCo()
    clean = strategy.combine([*honest, sent(9)], LAYOUT).values_N
    attacked = strategy.combine([*honest, hostile], LAYOUT).values_N
    farthest = max(float(part.norm()) for update in honest for part in LAYOUT.split(update.values_N).values())
    for before, after in zip(LAYOUT.split(clean).values(), LAYOUT.split(attacked).values(), strict=True):
        assert float((after - before).norm()) < 2 * farthest / 5


@pytest.mark.parametrize(
    "options",
    [
        {"inner_steps": 0}, {"feedback": 1.1}, {"outer_lr": 0.0}, {"momentum": 1.0},
        {"outer_schedule": "cosine"},
    ],
)  # fmt: skip
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="MuLoCo needs"):
        MuLoCo(**options)


def test_it_trains_with_muon_and_one_alone_at_a_lower_rate() -> None:
    config = strategies.inner_optimizer(MuLoCo())
    assert config == MuonConfig()
    assert strategies.alone_optimizer(MuLoCo(), config) == MuonConfig(lr=0.03 * (1 / 3))
    assert strategies.ddp_optimizer(MuLoCo(), config) == MuonConfig(lr=0.015)
    assert strategies.alone_optimizer(MuLoCo(), AdamWConfig()) == AdamWConfig()
    assert strategies.inner_optimizer(strategies.SparseLoCo()) == AdamWConfig()


def test_a_manifest_keeps_strategy_and_optimizer(make_manifest: MakeManifest) -> None:
    manifest = make_manifest(strategy=MuLoCo(momentum=0.5), optimizer=MuonConfig(lr=0.02))
    back = Manifest.from_json(manifest.to_json())
    assert back == manifest
    assert back.hash == manifest.hash
    broken = {**manifest.to_json(), "optimizer": {"kind": "Adagrad"}}
    with pytest.raises(ManifestInvalid):
        Manifest.from_json(broken)


class Inflater(Miner):
    """Sends honest signs against the loss with scales a thousand times too large."""

    factor: ClassVar[float] = -1000.0

    def learn(self, heights: RoundHeights) -> LocalUpdate:
        learned = super().learn(heights)
        return LocalUpdate((learned.delta_P * self.factor).clamp(-90, 90), learned.losses)


OPTIONS: dict[str, Any] = {"outer_schedule": "fall"}


def test_a_manifest_names_later_options_only_where_they_are_chosen() -> None:
    assert not OPTIONS.keys() & strategies.to_json(MuLoCo()).keys()
    for strategy in (MuLoCo(), MuLoCo(**OPTIONS)):
        assert strategies.from_json(strategies.to_json(strategy)) == strategy


@pytest.mark.parametrize(("attacker", "options"), [(Poisoner, {}), (Inflater, {}), (Inflater, OPTIONS)])
def test_a_poisoner_with_large_scales_is_shut_out_and_not_paid(
    rehearse: MakeRehearsal, attacker: type[Miner], options: dict[str, Any]
) -> None:
    roles = ("miner", "miner", "miner", "miner", "free_rider", "validator", "validator")
    run = rehearse(
        *roles,
        roles={3: attacker},
        model=models.TinyGPT("demo", n_embd=16, n_layer=1, seq_len=16),
        strategy=MuLoCo(inner_steps=5, **options),
        optimizer=MuonConfig(),
        rounds=5,
    )
    run.run()
    losses = [event.val_loss for event in cast("list[RoundClosed]", run.of(RoundClosed))]
    assert losses[-1] < losses[0] < 5.6
    hostile = [event for event in cast("list[Scored]", run.of(Scored)) if event.uid in (3, 4)]
    assert {event.verdict for event in hostile} <= {"gated", "huge"}
    weights = cast("list[WeightsSet]", run.of(WeightsSet))[-1].weights
    assert weights.get("3", 0) == weights.get("4", 0) == 0
    assert min(weights[uid] for uid in ("0", "1", "2")) > 0


def test_a_run_played_twice_ends_in_the_same_model(rehearse: MakeRehearsal) -> None:
    def hashes() -> list[str]:
        run = rehearse("miner", "miner", "validator", strategy=MuLoCo(inner_steps=3), optimizer=MuonConfig())
        run.run()
        closed = cast("list[RoundClosed]", run.of(RoundClosed))
        return [event.theta_hash for event in sorted(closed, key=lambda event: event.round)]

    first = hashes()
    assert len(first) == 3
    assert hashes() == first
