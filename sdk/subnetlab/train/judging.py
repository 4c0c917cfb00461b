"""A validator's view of a round: every payload checked, tried on data, gated, and compared with the others.

What is published, paid and voted follows from it in `validator`. Two validators that have seen the same
rounds judge alike, to the bit on one instruction set.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from subnetlab.errors import ModelDiverged, PayloadRejected
from subnetlab.record.reasons import COPIED, FORGED
from subnetlab.store.places import place_of
from subnetlab.train import aggregate, assignment
from subnetlab.train.audit.continuity import Continuity
from subnetlab.train.audit.exclusion import AWAY, Exclusions
from subnetlab.train.audit.origin import check_origin
from subnetlab.train.audit.replay import Auditor
from subnetlab.train.audit.report import PROBES
from subnetlab.train.audit.state import fresh
from subnetlab.train.intake import Intake, Received, drop_copies
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.peer import Peer
from subnetlab.train.roster import Seat, miners
from subnetlab.train.scoring.evidence import Evidence
from subnetlab.train.scoring.gate import gate, gate_by
from subnetlab.train.scoring.losses import Removed, Trial
from subnetlab.train.scoring.own import worths
from subnetlab.train.scoring.sample import Trust
from subnetlab.train.scoring.similar import NearCopies
from subnetlab.train.stragglers import Until
from subnetlab.train.tasks.code import Code

_DIVERGED: Final = 10.0
"""A model whose loss is so many times what it was at first does not come back."""


@dataclass(slots=True)
class Judged:
    """One validator's view of one round."""

    received: dict[int, Received] = field(default_factory=dict[int, Received])
    rejected: dict[int, PayloadRejected] = field(default_factory=dict[int, PayloadRejected])
    removed: dict[int, Removed] = field(default_factory=dict[int, Removed])
    gated: dict[int, str] = field(default_factory=dict[int, str])
    left_out: dict[int, str] = field(default_factory=dict[int, str])
    """Of those that were sound and not tried, why they are not taken."""
    own_scores: dict[int, float] = field(default_factory=dict[int, float])
    """Of those that were tried, by the run's own score, if it has one."""
    unscored: dict[int, str] = field(default_factory=dict[int, str])
    """Of those that passed, why the run's own score gives them nothing."""
    audits: dict[int, str] = field(default_factory=dict[int, str])
    """What came of the audits of the miners that were drawn."""

    @property
    def accepted(self) -> list[Received]:
        """What goes into the aggregate, in uid order."""
        out = {*self.gated, *self.left_out}
        return [self.received[uid] for uid in sorted(self.received) if uid not in out]

    def untried(self, uid: int) -> bool:
        """Whether a payload was sound, and not among those that were tried."""
        return uid in self.received and uid not in self.removed

    def score(self, uid: int) -> float:
        """What a payload is worth: relative loss removed on unseen data, or by the run's own score.

        0 for what was rejected or shut out.
        """
        if uid in self.gated or uid not in self.removed:
            return 0.0
        return self.own_scores[uid] if self.own_scores else self.removed[uid].held_out


class Judging(Peer):
    """A peer that judges payloads."""

    _first_loss: float | None = None
    """On held-out items before the first round that this process judged."""
    opened: tuple[int, Mapping[int, Received]] = -1, {}
    """The last round that was judged, and its payloads; kept where they carry reports."""

    @cached_property
    def evidence(self) -> Evidence:
        """What several rounds together say of every miner."""
        scoring = self.manifest.scoring
        return Evidence(
            scoring.own_work, scoring.certainty, newcomer=scoring.newcomer, trust=Trust(scoring.tried)
        )

    @cached_property
    def exclusions(self) -> Exclusions:
        """Who is shut out, and until when."""
        return Exclusions(self.manifest.scoring.exclusion)

    @cached_property
    def auditor(self) -> Auditor:
        """What trains drawn rounds again; built with the first."""
        return Auditor(self)

    @cached_property
    def continuity(self) -> Continuity:
        """What miners remembered at the end of the round before."""
        return Continuity()

    @cached_property
    def near_copies(self) -> NearCopies:
        """What finds payloads that nearly equal others."""
        return NearCopies(self.manifest.scoring.near_copies)

    def judge(self, heights: RoundHeights) -> Judged:
        """Check every miner's payload and try the sound ones on data."""
        judged = Judged()
        intake = Intake(self.replica.run, self.store, self.codec, self.chain.block_hash(heights.commit))
        seats = miners(self.seats)
        until = Until.judged(self.chain, heights)
        fetched = intake.fetch_all(seats, heights, self.chain.commitments(), until)
        for seat in seats:
            sent = fetched.pop(seat.uid)
            try:
                self.exclusions.check(seat.uid, heights.round)
                if isinstance(sent, PayloadRejected):
                    raise sent
                judged.received[seat.uid] = intake.check(seat, heights, sent)
            except PayloadRejected as error:
                judged.rejected[seat.uid] = error
        if self.manifest.scoring.reports:
            self.opened = heights.round, dict(judged.received)
            self._check_reports(judged, seats, heights)
        if not self.near_copies.share:
            judged.rejected.update(drop_copies(judged.received))
        judged.removed = self._try(judged.received, self._sample(judged.received, heights), heights)
        self.evidence.weigh_own_work(judged.removed)
        if self.near_copies.share:
            self._drop_near_copies(judged, heights)
        scoring = self.manifest.scoring
        if scoring.certainty:
            reasons = gate_by(self.evidence, judged.removed, scoring.gate, scoring.standing)
        else:
            reasons = gate(judged.removed, scoring.gate, self.evidence.standing, scoring.standing)
        judged.gated = {**self.evidence.against(judged.removed), **reasons}
        if scoring.score is not None:
            self._weigh_by_own_score(scoring.score, judged, heights)
        self.evidence.weigh_standing(judged.removed)
        self._trust(judged)
        return judged

    def _weigh_by_own_score(self, score: Code, judged: Judged, heights: RoundHeights) -> None:
        """What the run's own score makes of every payload that passed.

        Raises:
            ScoreFailed: it fails on each of several.
        """
        known = self.evidence
        scores, judged.unscored = worths(score, {
            uid: {
                "held_out": removed.held_out, "assigned": removed.assigned, "noise": removed.own_noise,
                "norm": aggregate.norm(judged.received[uid].update), "own_work": known.own_work.get(uid, 0.0),
                "standing": known.standing.get(uid, 1.0), "round": heights.round,
            }
            for uid, removed in judged.removed.items() if uid not in judged.gated
        })  # fmt: skip
        judged.own_scores = dict.fromkeys(judged.removed, 0.0) | scores

    def _check_reports(self, judged: Judged, seats: Sequence[Seat], heights: RoundHeights) -> None:
        """Take out what began with another model or memory, and what training it again refutes."""
        run, scoring, nothing = self.manifest.drawn_for, self.manifest.scoring, fresh(self.replica.model).hash
        probed_S = assignment.probes(
            self.replica.layout.size, PROBES, run=run, round_=heights.round,
            block_hash=self.drawn_at(heights.open),
        )  # fmt: skip
        deadline = self.drawn_at(heights.commit)
        for seat in [seat for seat in seats if seat.uid in judged.received]:
            one = judged.received[seat.uid]
            assert one.report is not None
            try:
                if scoring.sync:
                    check_origin(one.report, self.replica.theta_P, self.replica.earlier, probed_S)
                if assignment.is_audited(
                    scoring.audits,
                    run=run,
                    round_=heights.round,
                    uid=self.drawn_as(seat.uid),
                    deadline=deadline,
                ):
                    self._audit(judged, seat, heights)
                if scoring.audits:
                    self.continuity.check(heights.round, one, nothing)
            except PayloadRejected as error:
                judged.rejected[seat.uid] = error
                del judged.received[seat.uid]

    def _audit(self, judged: Judged, seat: Seat, heights: RoundHeights) -> None:
        """Train a miner's round again and keep what that came to.

        Raises:
            PayloadRejected: its payload is not what its work makes, or the round could not be trained again.
        """
        received, self.auditor.miner.seats = judged.received[seat.uid], self.seats
        place = place_of(self.store, seat.uid, received.locator)
        try:
            outcome = self.auditor.audit(seat, heights, received, place, self.replica)
        except PayloadRejected as error:
            judged.audits[seat.uid] = error.reason
            raise
        judged.audits[seat.uid] = outcome
        if outcome == AWAY:
            twice = self.exclusions.away.get(seat.uid, 0) > 0
            raise PayloadRejected(
                "Its place did not answer when its round was to be audited.",
                reason="no_state" if twice else "unreachable",
            )

    def _sample(self, received: Mapping[int, Received], heights: RoundHeights) -> list[int]:
        """The miners whose payloads are tried, the same for every validator that has seen the same rounds."""
        run, beacon = self.manifest.drawn_for, self.drawn_at(heights.beacon)
        return self.evidence.trust.drawn({
            uid: assignment.trial_place(run=run, round_=heights.round, uid=self.drawn_as(uid), beacon=beacon)
            for uid in received
        })  # fmt: skip

    def _trust(self, judged: Judged) -> None:
        """Keep what became of those that were tried, and leave out those that are not taken without."""
        cheated = {uid for uid, error in judged.rejected.items() if error.reason in {*FORGED, COPIED}}
        passed = {uid: uid not in judged.gated for uid in judged.removed}
        self.evidence.trust.passed.update({**passed, **dict.fromkeys(cheated, False)})
        untried, evidence = [uid for uid in judged.received if judged.untried(uid)], self.evidence
        against, least = evidence.against(untried), self.manifest.scoring.gate
        for uid in untried:
            standing = evidence.standing.get(uid, 1.0) if self.manifest.scoring.standing else 1.0
            why = against.get(uid) or self.evidence.trust.left_out(uid, standing, least)
            if why:
                judged.left_out[uid] = why

    def _drop_near_copies(self, judged: Judged, heights: RoundHeights) -> None:
        """Take out payloads that nearly equal another; of two alike the miner keeps it whose own work it is.

        Who committed first says little: what a miner works on is public, so a cheat can do another's work and
        commit it in the same block.
        """
        received, removed, known = judged.received, judged.removed, self.evidence.said
        order = sorted(received, key=lambda uid: (-known.get(uid, 0.0), received[uid].entry.block, uid))
        updates = {uid: received[uid].update for uid in sorted(received)}
        size, beacon = self.replica.layout.size, self.drawn_at(heights.beacon)
        copies = self.near_copies.found(updates, order, size, beacon)
        judged.rejected.update(copies)
        for uid in copies:
            del received[uid]
            removed.pop(uid, None)

    def _try(
        self, received: dict[int, Received], sample: list[int], heights: RoundHeights
    ) -> dict[int, Removed]:
        """The updates of a sample, clipped as they would be in the aggregate, each alone on data.

        Raises:
            ModelDiverged: the loss before the round was not finite, or far above the first.
        """
        manifest = self.manifest
        scoring, items = manifest.scoring, manifest.task.items(self.corpus, "train")
        beacon = self.drawn_at(heights.beacon)
        held_out = assignment.held_out(
            items, scoring.held_out_sequences, run=manifest.drawn_for, round_=heights.round, beacon=beacon
        )
        trial = Trial(self.replica.model, self.replica.theta_P, self.corpus, held_out)
        self._refuse_diverged(trial.before, heights.round)
        if not received:
            return {}
        uids, drawn = sorted(received), set(sample)
        clipped = aggregate.clip_to_median(
            [received[uid].update for uid in uids], self.replica.layout, scoring.median_clip
        )
        rate = manifest.strategy.trial_rate * scoring.trial_share
        return {
            uid: replace(
                trial.removed(update, rate, self._assigned(uid, heights, beacon)),
                norm=aggregate.norm(received[uid].update),
            )
            for uid, update in zip(uids, clipped, strict=True)
            if uid in drawn
        }

    def _refuse_diverged(self, loss: float, round_: int) -> None:
        """End a run that can only get worse; given first weights may begin far below any loss of a run."""
        if not math.isfinite(loss):
            raise ModelDiverged(f"The model's loss is {loss:g} before round {round_ + 1}.")
        if self._first_loss is None:
            self._first_loss = loss
        if not self.manifest.init and loss > _DIVERGED * self._first_loss:
            raise ModelDiverged(
                f"The model's loss is {loss:.3g} before round {round_ + 1}, and began at "
                f"{self._first_loss:.3g}."
            )

    def _assigned(self, uid: int, heights: RoundHeights, beacon: str) -> NDArray[np.int64]:
        manifest, run, drawn_as = self.manifest, self.manifest.drawn_for, self.drawn_as(uid)
        work = assignment.work(
            manifest.task.items(self.corpus, "train"),
            (manifest.strategy.inner_steps, manifest.batch_size),
            run=run,
            round_=heights.round,
            uid=drawn_as,
            block_hash=self.drawn_at(heights.open),
        )
        return assignment.judged(
            manifest.scoring.assigned_sequences,
            work,
            run=run,
            round_=heights.round,
            uid=drawn_as,
            beacon=beacon,
        )
