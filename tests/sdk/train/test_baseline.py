"""Baselines: each a run of the same code on a budget of its own."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from subnetlab.record.baselines import budget, known_titles
from subnetlab.record.events import BASELINE_UID, BaselineEvaluated, Event, Phase
from subnetlab.train import assignment, models
from subnetlab.train.baseline import Baseline
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.manifest import Manifest
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.scoring.losses import validation_loss
from subnetlab.train.strategies import MuLoCo, SparseLoCo, alone_optimizer, ddp_optimizer, inner_optimizer
from subnetlab.train.theta import FlatModel

from .conftest import MakeManifest, MakeRehearsal


def trained(manifest: Manifest, corpus: Corpus, name: str, *, miners: int = 1) -> list[BaselineEvaluated]:
    events: list[Event] = []
    Baseline(manifest, events.append, name=name, corpus=corpus, miners=miners).run()
    return [event for event in events if isinstance(event, BaselineEvaluated)]


@pytest.fixture
def manifest(make_manifest: MakeManifest) -> Manifest:
    return make_manifest(rounds=8, strategy=SparseLoCo(inner_steps=5))


def test_every_baseline_has_a_budget_and_a_name_of_its_own() -> None:
    assert (budget("alone").times, budget("alone_12x").times, budget("ddp").joined) == (1, 12, True)
    for name in ("alone_1x", "alone_0x", "alone_100x", "alone_3", "DDP", "", "alone_3x\n", "alone_03x"):
        with pytest.raises(ValueError, match="no baseline is called"):
            budget(name)
    assert known_titles(["alone", "ddp", "of tomorrow"]) == {"alone": "one alone", "ddp": "DDP"}


def test_three_times_the_steps_come_with_a_schedule_of_their_own(manifest: Manifest, corpus: Corpus) -> None:
    once, longer = trained(manifest, corpus, "alone"), trained(manifest, corpus, "alone_3x")
    assert [event.step for event in once] == list(range(5, 45, 5))
    assert {event.steps for event in once} == {40}
    assert (longer[-1].step, longer[-1].steps, longer[-1].baseline) == (120, 120, "alone_3x")
    assert longer[-1].val_loss < once[-1].val_loss
    same = {event.step: event.val_loss for event in longer}
    assert same[40] != once[-1].val_loss, "after as many steps its learning rate is higher still"
    assert all(event.cpu_s > 0 and event.compute_s > 0 for event in (*once, *longer))


def test_a_long_baseline_is_judged_seldom_and_after_its_last_step(
    make_manifest: MakeManifest, corpus: Corpus
) -> None:
    found = trained(make_manifest(rounds=50, strategy=SparseLoCo(inner_steps=1)), corpus, "ddp")
    rounds = [event.round for event in found]
    assert rounds[-1] == 49
    assert {after - before for before, after in pairwise(rounds)} == {2}


def test_ddp_takes_each_step_on_the_joined_batches_of_all_honest_miners(
    manifest: Manifest, corpus: Corpus
) -> None:
    found = trained(manifest, corpus, "ddp", miners=3)
    task, config = manifest.task, manifest.optimizer
    model = FlatModel(models.build(manifest.model, manifest.seed), task, config)
    for round_ in range(manifest.rounds):
        parts = [
            assignment.work(
                task.items(corpus, "train"), (5, manifest.batch_size), run=manifest.hash, round_=round_,
                uid=BASELINE_UID - seat, block_hash="alone",
            )
            for seat in range(3)
        ]  # fmt: skip
        assert len({part.tobytes() for part in parts}) == 3, "every miner has data of its own"
        for step in range(5):
            model.differentiate(task.batch(corpus, "train", np.concatenate([part[step] for part in parts])))
            rate = config.rate(round_ * 5 + step, 40)
            model.optimizer.step(model.theta_P, model.gradient_P, rate)
    assert found[-1].val_loss == validation_loss(model, manifest, corpus)
    assert found[-1].val_loss < trained(manifest, corpus, "alone")[-1].val_loss


def test_every_baseline_trains_at_its_own_best_rate(make_manifest: MakeManifest, corpus: Corpus) -> None:
    """Under MuLoCo at a third of the miners' rate by itself, at half of it on everyone's data."""
    strategy = MuLoCo(inner_steps=2)
    manifest = make_manifest(rounds=2, strategy=strategy, optimizer=inner_optimizer(strategy))
    alone, joined = (Baseline(manifest, print, name=name, corpus=corpus) for name in ("alone", "ddp"))
    assert joined.model.config == ddp_optimizer(strategy, manifest.optimizer) != manifest.optimizer
    assert alone.model.config == alone_optimizer(strategy, manifest.optimizer) != manifest.optimizer


def phases(run: Rehearsal) -> Iterator[Phase]:
    return (event for event in run.events if isinstance(event, Phase))


def test_every_peer_tells_what_processor_time_its_part_took(rehearse: MakeRehearsal) -> None:
    run = rehearse("miner", "validator")
    run.run()
    assert {event.uid for event in phases(run) if event.cpu_s > 0} == {0, 1}
    assert all(event.cpu_s >= 0 for event in phases(run))
