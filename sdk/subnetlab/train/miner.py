"""A miner: trains on its assigned data, seals what it learned, commits, and reveals after the deadline."""

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.errors import ObjectExists
from subnetlab.record.events import Mined, Role, Stepped
from subnetlab.store.places import locator_of
from subnetlab.train import assignment, object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.audit import report as reports
from subnetlab.train.audit.report import ReportingCodec, Trace, WorkReport
from subnetlab.train.audit.state import MinerState, snapshot
from subnetlab.train.delivery import Delivery, RoundWork, beside
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.payload.seal import Binding, Sealed, seal, signed_text
from subnetlab.train.peer import Peer
from subnetlab.train.publishing import put_reveal
from subnetlab.train.replica import Adopted
from subnetlab.train.strategies.base import LocalUpdate, Overlapping, overlap_of
from subnetlab.train.tasks.base import Batch

_STEPS_PER_REPORT = 5


@dataclass(frozen=True, slots=True)
class _Early:
    """A round that passes in threads beside its last steps."""

    delivery: Delivery
    delivered: "Future[None]"
    followed: "Future[Adopted | None]"


class Miner(Peer):
    """One miner's process."""

    role: ClassVar[Role] = "miner"
    _early: _Early | None = None
    """The payload of the round at hand, where it left before the last step."""
    states: tuple[MinerState, MinerState] | None = None
    """What it remembered before and after the round at hand, in a run that audits."""
    _trace: Trace | None = None
    _probes_S: NDArray[np.float32] | None = None

    def prepare(self) -> None:
        """Have the training steps compiled, if they are to be, so that no round waits for a compiler.

        One gradient, which nothing keeps, of items that are the first of the data.
        """
        if self.execution.compiled:
            items = self.manifest.task.items(self.corpus, "train")
            numbers_B = np.arange(self.manifest.batch_size, dtype=np.int64) % items.count
            self.replica.model.differentiate(self.manifest.task.batch(self.corpus, "train", numbers_B))

    def take_part(self, heights: RoundHeights) -> None:
        """Train, commit before the deadline, reveal after it."""
        self._early = None
        worked = self.work(heights)
        trained = time.perf_counter()
        early = self._early
        if early is None:
            delivery = self._delivery(worked, heights)
            self._deliver(delivery, heights)
        else:
            delivery = early.delivery
            early.delivered.result()
        sealed = delivery.sealed
        self.report(
            Mined(
                uid=self.seat.uid,
                round=heights.round,
                loss=worked.loss,
                wire_bytes=len(sealed.data),
                dense_bytes=self.replica.layout.dense_bytes,
                commitment=sealed.commitment.hex(),
                compute_s=worked.compute_s,
                compress_s=worked.compress_s,
                **delivery.waits(trained),
            )
        )

    def follow(self, heights: RoundHeights) -> Adopted | None:
        """Adopt the round; where its payload left early, wait for the thread that does."""
        early, self._early = self._early, None
        if early is None or early.delivered.exception() is not None:
            return super().follow(heights)
        return early.followed.result()

    def work(self, heights: RoundHeights) -> RoundWork:
        """Take the round's inner steps and encode the result."""
        began = time.perf_counter()
        reporting = isinstance(self.codec, ReportingCodec)
        before = snapshot(self.replica.model, self.memory) if reporting else None
        learned = self.learn(heights)
        computed = time.perf_counter()
        early = self._early.delivery.worked if self._early is not None else None
        payload = early.payload if early else self.codec.encode(learned.delta_P, self.memory)
        mean = sum(learned.losses) / len(learned.losses)
        if not bool(learned.delta_P.isfinite().all()):
            # Validators refuse this payload; the next round must not start from its moments and its rest.
            self.memory.clear()
            self.replica.model.forget()
        if before is not None:
            payload = self._reported(payload, before)
        compress_s = early.compress_s if early else time.perf_counter() - computed
        return RoundWork(payload, mean, computed - began - (early.compress_s if early else 0.0), compress_s)

    def _binding(self, heights: RoundHeights) -> Binding:
        return Binding(run=self.replica.run, round=heights.round, hotkey=self.seat.hotkey)

    def _delivery(self, worked: RoundWork, heights: RoundHeights) -> Delivery:
        """Seal a payload, ready to leave."""
        began = time.perf_counter()
        return Delivery(self.sealed(worked.payload, self._binding(heights)), worked, began)

    def _deliver(self, delivery: Delivery, heights: RoundHeights) -> None:
        """Store, commit, and reveal after the deadline."""
        sealed = delivery.sealed
        self.store.put(object_paths.sealed(heights.round, self.seat.uid, sealed.commitment), sealed.data)
        delivery.stored = time.perf_counter()
        self.commit(sealed, heights)
        delivery.submitted = time.perf_counter()
        self.done("committed", heights)
        self.wait(heights.commit)
        delivery.included = time.perf_counter()
        self.publish_states(heights)
        self.reveal(sealed, self._binding(heights), heights)
        self.done("revealed", heights)

    def _send_early(self, delta_P: torch.Tensor, heights: RoundHeights) -> None:
        """Encode what was learnt and let it go through its round while the last steps are taken."""
        began = time.perf_counter()
        payload = self.codec.encode(delta_P, self.memory)
        worked = RoundWork(payload, 0.0, 0.0, time.perf_counter() - began)
        delivery = self._delivery(worked, heights)
        delivered = beside(lambda: self._deliver(delivery, heights), "deliver")

        def follow() -> Adopted | None:
            delivered.result()
            return Peer.follow(self, heights)

        self._early = _Early(delivery, delivered, beside(follow, "follow"))

    def learn(self, heights: RoundHeights) -> LocalUpdate:
        """Train from θ on the assigned items, reporting losses as they come."""
        progress, replica = self.manifest.progress(heights.round), self.replica
        pending: list[float] = []
        trace = self._begin_trace(heights) if isinstance(self.codec, ReportingCodec) else None

        def on_step(index: int, loss: float) -> None:
            pending.append(loss)
            if trace is not None:
                trace.step(replica.model, loss)
            if len(pending) == _STEPS_PER_REPORT or index == progress.inner_steps - 1:
                first = progress.first_step + index + 1 - len(pending)
                self.report(
                    Stepped(uid=self.seat.uid, round=heights.round, first_step=first, losses=list(pending))
                )
                pending.clear()

        # Dropout draws from torch's global generator.
        drawn = self.manifest.drawn_for, heights.round, self.drawn_as(self.seat.uid)
        torch.manual_seed(assignment.seed(*drawn))
        strategy, where = self.manifest.strategy, (replica.model, replica.theta_P)
        # A subclass's change of the update, and a report of the steps, need the last step.
        fixed = type(self).learn is Miner.learn and trace is None
        if fixed and overlap_of(strategy):
            return cast("Overlapping", strategy).learn(
                *where, self.batches(heights), progress, on_step, memory=self.memory,
                on_fixed=lambda delta_P: self._send_early(delta_P, heights),
            )  # fmt: skip
        return strategy.learn(*where, self.batches(heights), progress, on_step, memory=self.memory)

    def _begin_trace(self, heights: RoundHeights) -> Trace:
        """State the model from which the round's steps start, and begin their trace."""
        theta_P = self.replica.theta_P
        self._probes_S = theta_P[self._drawn(reports.PROBES, heights)].numpy()
        self._trace = Trace(self._drawn(min(len(theta_P), reports.TRACED), heights))
        return self._trace

    def _drawn(self, count: int, heights: RoundHeights) -> Tensor:
        """Positions in θ that the block which opened the round draws."""
        return torch.from_numpy(assignment.probes(
            self.replica.layout.size, count, run=self.manifest.drawn_for, round_=heights.round,
            block_hash=self.drawn_at(heights.open),
        ))  # fmt: skip

    def _reported(self, payload: bytes, before: MinerState) -> bytes:
        """The round's payload with the report of its work."""
        assert isinstance(self.codec, ReportingCodec)
        assert self._trace is not None
        assert self._probes_S is not None
        after = snapshot(self.replica.model, self.memory)
        self.states = before, after
        losses_H = np.array(self._trace.losses, dtype=np.float32)
        report = WorkReport(before.hash, after.hash, self._probes_S, losses_H, tuple(self._trace.chain))
        return self.codec.reported(payload, report)

    def is_audited(self, heights: RoundHeights) -> bool:
        """Whether this round of this miner is one that validators train again."""
        return assignment.is_audited(
            self.manifest.scoring.audits, run=self.manifest.drawn_for, round_=heights.round,
            uid=self.drawn_as(self.seat.uid), deadline=self.drawn_at(heights.commit),
        )  # fmt: skip

    def publish_states(self, heights: RoundHeights) -> None:
        """Put what this miner remembers into the store, if the block of the deadline draws its round."""
        if self.states is None or not self.is_audited(heights):
            return
        for state in self.states:
            with contextlib.suppress(ObjectExists):  # two hotkeys of one fleet may remember the same nothing
                self.store.put(object_paths.state(heights.round, self.seat.uid, state.hash), state.data)

    def closed(self, heights: RoundHeights, adopted: Adopted | None) -> None:
        """Begin afresh after a round whose record does not name this miner: nothing then proves its state."""
        del heights
        if not isinstance(self.codec, ReportingCodec):
            return
        self.states = None
        taken = adopted.record.accepted if adopted else ()
        if all(entry.hotkey != self.hotkey for entry in taken):
            self.memory.clear()
            self.replica.model.forget()

    def batches(self, heights: RoundHeights) -> Iterator[Batch]:
        """The assigned items, one batch per inner step."""
        task = self.manifest.task
        work_HB = assignment.work(
            task.items(self.corpus, "train"),
            (self.manifest.strategy.inner_steps, self.manifest.batch_size),
            run=self.manifest.drawn_for,
            round_=heights.round,
            uid=self.drawn_as(self.seat.uid),
            block_hash=self.drawn_at(heights.open),
        )
        return (task.batch(self.corpus, "train", numbers_B) for numbers_B in work_HB)

    def sealed(self, payload: bytes, binding: Binding) -> Sealed:
        """Seal a payload for this round and hotkey."""
        return seal(payload, binding)

    def commit(self, sealed: Sealed, heights: RoundHeights) -> None:
        """Put the commitment on chain, linked to the one before."""
        anchor = Anchor(
            "miner", heights.round, sealed.commitment, self.previous_commitment,
            locator=locator_of(self.store),
        )  # fmt: skip
        self.chain.commit(anchor.to_bytes())
        self.previous_commitment = sealed.commitment

    def reveal(self, sealed: Sealed, binding: Binding, heights: RoundHeights) -> None:
        """Publish salt and key, signed."""
        signature = self.sign(signed_text(sealed.commitment, binding))
        prefix = object_paths.reveals(heights.round, self.seat.uid, self.chain.block_hash(heights.commit))
        put_reveal(self.store, prefix, sealed, signature)
