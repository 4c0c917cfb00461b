"""The baseline: one honest miner that trains by itself, with the steps and data of one seat, and no subnet.

Same model, same schedule, same batch size, judged on the same validation items after every round's worth
of steps. It keeps pace with a chain if it is given one, but no peer waits for it.
"""

import time

import torch

from subnetlab.network.chain import Chain
from subnetlab.record.events import BASELINE_UID, BaselineEvaluated
from subnetlab.store.base import Store
from subnetlab.train import assignment, initial, strategies
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.manifest import Manifest
from subnetlab.train.peer import Report, checked_corpus
from subnetlab.train.scoring.losses import validation_loss
from subnetlab.train.theta import FlatModel


class Baseline:
    """The reference miner; it holds no seat."""

    def __init__(
        self,
        manifest: Manifest,
        report: Report,
        *,
        chain: Chain | None = None,
        corpus: Corpus | None = None,
        store: Store | None = None,
        patience_s: float = 600.0,
    ) -> None:
        """Build the same model as everyone; `store` holds the weights of a run that starts from given ones.

        Raises:
            ModelNotBuildable, DatasetEmpty, ManifestInvalid: as any peer.
        """
        torch.set_num_threads(1)
        self.manifest, self.report, self.chain, self.patience_s = manifest, report, chain, patience_s
        self.corpus = checked_corpus(manifest, corpus)
        config = strategies.alone_optimizer(manifest.strategy, manifest.optimizer)
        self.model = FlatModel(initial.built(manifest, store), manifest.task, config)

    def run(self) -> None:
        """Train for all rounds."""
        for round_ in range(self.manifest.rounds):
            if self.chain is not None:
                self.chain.wait_for(self.manifest.heights(round_).open, self.patience_s)
            began = time.perf_counter()
            self.train(round_)
            compute_s = time.perf_counter() - began
            loss = validation_loss(self.model, self.manifest, self.corpus)
            self.report(BaselineEvaluated(round=round_, val_loss=loss, compute_s=compute_s))

    def train(self, round_: int) -> None:
        """One round's worth of inner steps."""
        manifest, task = self.manifest, self.manifest.task
        shape = (manifest.strategy.inner_steps, manifest.batch_size)
        work_HB = assignment.work(
            task.items(self.corpus, "train"), shape, run=manifest.drawn_for, round_=round_, uid=BASELINE_UID,
            block_hash="alone",
        )  # fmt: skip
        progress = manifest.progress(round_)
        for index, numbers_B in enumerate(work_HB):
            self.model.differentiate(task.batch(self.corpus, "train", numbers_B))
            rate = self.model.config.rate(progress.first_step + index, progress.steps)
            self.model.optimizer.step(self.model.theta_P, self.model.gradient_P, rate)
