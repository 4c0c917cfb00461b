"""A baseline: the run's model trained without the subnet, on a budget of its own.

Same model, same inner loop, same batch size, judged on the same validation items. `record.baselines` says
which there are. `alone` keeps pace with the chain if it is given one; nothing waits for any of them. Data is
drawn as a miner's is, under names that no seat has, so that a baseline may be ahead of the rounds.
Shapes: H inner steps, B items a step.
"""

import time
from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from subnetlab.network.chain import Chain
from subnetlab.record.baselines import ALONE, budget
from subnetlab.record.events import BASELINE_UID, BaselineEvaluated
from subnetlab.store.base import Store
from subnetlab.train import assignment, initial, strategies
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.execution import ON_CPU, Execution
from subnetlab.train.manifest import Manifest
from subnetlab.train.peer import Report, checked_corpus
from subnetlab.train.scoring.losses import validation_loss
from subnetlab.train.strategies.base import Progress, inner_loop
from subnetlab.train.tasks.base import Batch
from subnetlab.train.theta import FlatModel

_EVALUATIONS: Final = 20
"""At least as many of a baseline that does not keep pace with the rounds: judging is dear."""


class Baseline:
    """One baseline; it holds no seat.

    Args:
        manifest: of the run beside which it trains.
        report: takes its evaluations.
        name: which baseline.
        miners: how many honest miners the subnet has; `ddp` trains on the data of as many.
        chain: what `alone` keeps pace with; the others take no notice of it.
        store: holds the weights of a run that starts from given ones.
        corpus: the run's data; made again from the manifest's source unless given.
        patience_s: how long a block may take before the chain counts as gone.
        execution: the device on which it computes, as of `Peer`.

    Raises:
        ValueError: no baseline is called so.
        ModelNotBuildable, DatasetEmpty, ManifestInvalid: as any peer.
    """

    def __init__(
        self,
        manifest: Manifest,
        report: Report,
        *,
        name: str = ALONE,
        miners: int = 1,
        chain: Chain | None = None,
        corpus: Corpus | None = None,
        store: Store | None = None,
        patience_s: float = 600.0,
        execution: Execution = ON_CPU,
    ) -> None:
        """Build the same model as every peer.

        Raises:
            ModelNotBuildable, DatasetEmpty, ManifestInvalid: as any peer.
        """
        execution.check_here()
        torch.set_num_threads(1)
        self.manifest, self.report, self.patience_s = manifest, report, patience_s
        self.execution = execution
        self.budget = budget(name)
        self.chain = chain if self.keeps_pace else None
        self.miners = max(1, miners) if self.budget.joined else 1
        self.rounds = manifest.rounds * self.budget.times
        self.corpus = checked_corpus(manifest, corpus)
        best = strategies.ddp_optimizer if self.budget.joined else strategies.alone_optimizer
        config = best(manifest.strategy, manifest.optimizer)
        built = initial.built(manifest, store)
        self.model = FlatModel(built, manifest.task, config, manifest.execution(execution))

    @property
    def keeps_pace(self) -> bool:
        """Whether it trains beside the rounds and is judged after each, as the live picture shows it."""
        return self.budget.name == ALONE

    def run(self) -> None:
        """Train for the whole budget."""
        stride = 1 if self.keeps_pace else max(1, self.rounds // max(_EVALUATIONS, 4 * self.budget.times))
        compute_s = cpu_s = 0.0
        for round_ in range(self.rounds):
            if self.chain is not None:
                self.chain.wait_for(self.manifest.heights(round_).open, self.patience_s)
            began, worked = time.perf_counter(), time.process_time()
            self.train(round_)
            compute_s += time.perf_counter() - began
            cpu_s += time.process_time() - worked
            if (self.rounds - 1 - round_) % stride == 0:  # the last round is among them
                self._evaluate(round_, compute_s, cpu_s)
                compute_s = cpu_s = 0.0

    def train(self, round_: int) -> None:
        """One round's worth of inner steps."""
        progress = Progress(round_, self.rounds, self.manifest.strategy.inner_steps)
        torch.manual_seed(assignment.seed(self.manifest.drawn_for, round_, BASELINE_UID))
        inner_loop(self.model, self.model.theta_P, self._batches(round_), progress, lambda _step, _loss: None)

    def _batches(self, round_: int) -> Iterator[Batch]:
        task = self.manifest.task
        parts = [self._work(round_, seat) for seat in range(self.miners)]
        for numbers_B in np.concatenate(parts, axis=1):
            yield task.batch(self.corpus, "train", numbers_B)

    def _work(self, round_: int, seat: int) -> NDArray[np.int64]:
        """The H x B items of one of the miners whose place it takes."""
        manifest = self.manifest
        return assignment.work(
            manifest.task.items(self.corpus, "train"),
            (manifest.strategy.inner_steps, manifest.batch_size),
            run=manifest.drawn_for, round_=round_, uid=BASELINE_UID - seat, block_hash=ALONE,
        )  # fmt: skip

    def _evaluate(self, round_: int, compute_s: float, cpu_s: float) -> None:
        steps = self.manifest.strategy.inner_steps
        self.report(
            BaselineEvaluated(
                round=round_,
                val_loss=validation_loss(self.model, self.manifest, self.corpus),
                compute_s=compute_s,
                baseline=self.budget.name,
                step=(round_ + 1) * steps,
                steps=self.rounds * steps,
                cpu_s=cpu_s,
            )
        )
