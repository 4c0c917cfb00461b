"""A validator: fetches, checks, tries, gates and aggregates, publishes the round, and sets weights.

Every validator computes and anchors the same round record; peers follow the first in lead order whose records
hold, so a lead that is gone is replaced without a vote. A lead that cheats is detected, since anyone can
recompute the record, and out-voted in weights; it is not prevented.
"""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from subnetlab.errors import ModelDiverged, PayloadRejected
from subnetlab.record.events import Role, Sampled, Scored, WeightsSet
from subnetlab.record.reasons import ACCEPTED, COPIED, FORGED, IN_WORDS, UNTRIED, measured
from subnetlab.store.places import locator_of
from subnetlab.train import aggregate, assignment, object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.intake import Intake, Received, drop_copies
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.payload.update import Update
from subnetlab.train.peer import Peer
from subnetlab.train.replica import Adopted, round_closed
from subnetlab.train.roster import Seat, miners
from subnetlab.train.round_record import RoundRecord, aggregate_hash
from subnetlab.train.scoring.evidence import Evidence
from subnetlab.train.scoring.gate import gate, gate_by
from subnetlab.train.scoring.losses import Removed, Trial
from subnetlab.train.scoring.rating import Ratings
from subnetlab.train.scoring.sample import Trust
from subnetlab.train.scoring.similar import NearCopies
from subnetlab.units import U16_MAX

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

    @property
    def accepted(self) -> list[Received]:
        """What goes into the aggregate, in uid order."""
        out = {*self.gated, *self.left_out}
        return [self.received[uid] for uid in sorted(self.received) if uid not in out]

    def untried(self, uid: int) -> bool:
        """Whether a payload was sound, and not among those that were tried."""
        return uid in self.received and uid not in self.removed

    def score(self, uid: int) -> float:
        """Relative loss removed on unseen data; 0 for what was rejected or shut out."""
        return 0.0 if uid in self.gated or uid not in self.removed else self.removed[uid].held_out


class Validator(Peer):
    """One validator's process."""

    role: ClassVar[Role] = "validator"
    aggregate_s: float = 0.0
    _first_loss: float | None = None
    """On held-out items before the first round that this process judged."""

    @cached_property
    def ratings(self) -> Ratings:
        """What this validator thinks of every miner, from its first round on."""
        scoring = self.manifest.scoring
        return Ratings(scoring.rating_decay, scoring.proof_decay)

    @cached_property
    def evidence(self) -> Evidence:
        """What several rounds together say of every miner."""
        scoring = self.manifest.scoring
        return Evidence(scoring.own_work, scoring.certainty, Trust(scoring.tried))

    @cached_property
    def near_copies(self) -> NearCopies:
        """What finds payloads that nearly equal others."""
        return NearCopies(self.manifest.scoring.near_copies)

    def recall(self, verdicts: Iterable[Scored]) -> None:
        """Rate miners as this validator's own verdicts on record left them, when it is started again."""
        rounds: dict[int, list[Scored]] = {}
        for verdict in verdicts:
            rounds.setdefault(verdict.round, []).append(verdict)
        for _, judged in sorted(rounds.items()):
            removed = {
                verdict.uid: Removed(
                    verdict.loss_removed_assigned, verdict.loss_removed_held_out, verdict.noise
                )
                for verdict in judged
                if measured(verdict)
            }
            self.evidence.weigh_standing(removed)
            known = self.evidence.own_work  # 0 is what is told of a miner that was never weighed, too
            known.update({one.uid: one.own_work for one in judged if one.own_work or one.uid in known})
            forged = [verdict.uid for verdict in judged if verdict.verdict in FORGED]
            for verdict in judged:
                if verdict.uid in removed or verdict.verdict in {*FORGED, COPIED}:
                    self.evidence.trust.passed[verdict.uid] = verdict.verdict == ACCEPTED
            self._take_in(
                {verdict.uid: verdict.score for verdict in judged if verdict.tried},
                removed,
                [verdict.uid for verdict in judged if verdict.verdict == ACCEPTED],
                forged,
            )

    def _take_in(
        self, scores: dict[int, float], removed: Mapping[int, Removed], accepted: Iterable[int],
        forged: Iterable[int],
    ) -> None:  # fmt: skip
        """Let a round count in what lasts."""
        scoring = self.manifest.scoring
        signs = {uid: one.own > 0 for uid, one in removed.items()} if not scoring.own_work else {}
        beside, passed = self.evidence.known_beside(removed), set(accepted)
        self.ratings.update(scores, signs, {uid: one for uid, one in beside.items() if uid in passed})
        if scoring.slash < 1:
            self.ratings.slash(forged, scoring.slash)

    def take_part(self, heights: RoundHeights) -> None:
        """Judge the round's payloads between beacon and close."""
        self.done("ready", heights)
        self.wait(heights.beacon)
        judged = self.judge(heights)
        began = time.perf_counter()
        self.publish(judged, heights)
        self.aggregate_s = time.perf_counter() - began
        self.rate(judged, heights)
        self.done("scored", heights)

    def judge(self, heights: RoundHeights) -> Judged:
        """Check every miner's payload and try the sound ones on data."""
        judged = Judged()
        intake = Intake(self.replica.run, self.store, self.codec, self.chain.block_hash(heights.commit))
        seats = miners(self.seats)
        fetched = intake.fetch_all(seats, heights, self.chain.commitments())
        for seat in seats:
            sent = fetched.pop(seat.uid)
            try:
                if isinstance(sent, PayloadRejected):
                    raise sent
                judged.received[seat.uid] = intake.check(seat, heights, sent)
            except PayloadRejected as error:
                judged.rejected[seat.uid] = error
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
        self.evidence.weigh_standing(judged.removed)
        self._trust(judged)
        return judged

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

    def publish(self, judged: Judged, heights: RoundHeights) -> None:
        """Put aggregate and round record into the store and anchor the record on chain."""
        replica, accepted, publications = self.replica, judged.accepted, self.replica.publications
        update: Update | None = None
        combined_hash = ""
        if accepted:
            update = self.manifest.strategy.combine(self._in_order(accepted), replica.layout)
            data = aggregate.write(update, replica.layout)
            combined_hash = aggregate_hash(data)
            publications.put(object_paths.aggregate(heights.round, combined_hash), data)
        after = replica.foresee(update, heights.round, combined_hash)
        kept = replica.checkpoint()
        if kept is not None:
            publications.put(object_paths.checkpoint(kept.hash), kept.data)
        record = RoundRecord(
            run=replica.run,
            round=heights.round,
            previous=replica.previous,
            accepted=tuple(r.entry for r in accepted),
            aggregate_hash=combined_hash,
            theta_before=replica.hash,
            theta_after=after,
            checkpoint="" if kept is None else kept.hash,
        )
        publications.put(object_paths.record(record.hash), record.to_bytes())
        current, previous = bytes.fromhex(record.hash), bytes.fromhex(replica.previous)
        anchor = Anchor(
            "validator", heights.round, current, previous, publications.list_token(), locator_of(self.store)
        )
        self.chain.commit(anchor.to_bytes())

    def rate(self, judged: Judged, heights: RoundHeights) -> None:
        """Take the round into the ratings, set weights, and report every verdict."""
        seats = miners(self.seats)
        self._take_in(
            {seat.uid: judged.score(seat.uid) for seat in seats if not judged.untried(seat.uid)},
            judged.removed,
            [received.entry.uid for received in judged.accepted],
            [uid for uid, error in judged.rejected.items() if error.reason in FORGED],
        )
        weights = self.vote(judged)
        if any(weights.values()):
            self.chain.set_weights(weights)
            self.report(weights_set(self.seat.uid, heights, weights))
        for seat in seats:
            self.report(self._verdict(judged, seat, heights, weights.get(seat.uid, 0.0)))

    def vote(self, judged: Judged) -> dict[int, float]:
        """The weights of this round by uid, from the ratings up to now."""
        scoring, known = self.manifest.scoring, self.evidence
        below = [uid for uid, share in known.standing.items() if scoring.standing and share < scoring.gate]
        copied = [
            uid for uid, error in judged.rejected.items() if scoring.near_copies and error.reason == COPIED
        ]
        return self.ratings.weights({*below, *copied, *known.against(known.own_work)})

    def closed(self, heights: RoundHeights, adopted: Adopted | None) -> None:
        """The followed lead reports the round, once, with the model's loss and a sample of its output.

        Raises:
            ModelDiverged: the round has left a model whose loss is not finite.
        """
        if adopted is None:
            return
        finite = bool(self.replica.theta_P.isfinite().all())
        if finite and adopted.lead != self.seat.uid:
            return
        event = round_closed(self.replica, adopted, heights, self.corpus, aggregate_s=self.aggregate_s)
        if not finite or not math.isfinite(event.val_loss):
            uids = ", ".join(str(entry.uid) for entry in adopted.record.accepted)
            applied = f", which applied the updates of uid {uids}" if uids else ""
            loss = f"The model's loss is {event.val_loss:g}"
            raise ModelDiverged(f"{loss} after round {heights.round + 1}{applied}.")
        self.report(event)
        sample = self.replica.model.sample() if self._samples_after(heights.round) else None
        if sample is not None:
            self.report(Sampled(round=heights.round, prompt=sample.prompt, text=sample.text))

    def _samples_after(self, round_: int) -> bool:
        every = max(1, self.manifest.rounds // 10)
        return (round_ + 1) % every == 0 or round_ == self.manifest.rounds - 1

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
            uid: trial.removed(update, rate, self._assigned(uid, heights, beacon))
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

    def _verdict(self, judged: Judged, seat: Seat, heights: RoundHeights, weight: float) -> Scored:
        uid = seat.uid
        removed = judged.removed.get(uid, Removed(0.0, 0.0))
        rejected = judged.rejected.get(uid)
        if rejected is not None:
            verdict, reason = rejected.reason, IN_WORDS.get(rejected.reason, str(rejected))
        elif uid in judged.gated:
            verdict, reason = "gated", judged.gated[uid]
        elif uid in judged.left_out:
            verdict, reason = UNTRIED, judged.left_out[uid]
        else:
            verdict, reason = "accepted", ""
        return Scored(
            validator=self.seat.uid,
            uid=uid,
            round=heights.round,
            verdict=verdict,
            score=judged.score(uid),
            loss_removed_assigned=removed.assigned,
            loss_removed_held_out=removed.held_out,
            rating=self.ratings.of.get(uid, 0.0),
            weight=weight,
            norm=aggregate.norm(judged.received[uid].update) if uid in judged.received else 0.0,
            reason=reason,
            own_work=self.evidence.own_work.get(uid, 0.0),
            noise=removed.own_noise if self.evidence.certainty else 0.0,
            tried=not judged.untried(uid),
        )

    def _in_order(self, accepted: list[Received]) -> list[Update]:
        """The updates in the order in which they are added: by uid, or by place in the fleet."""
        return [r.update for r in sorted(accepted, key=lambda r: self.drawn_as(r.entry.uid))]


def weights_set(validator: int, heights: RoundHeights, weights: dict[int, float]) -> WeightsSet:
    """The event of a vote, in the chain's u16."""
    top = max(weights.values())
    u16 = {str(uid): round(weight / top * U16_MAX) for uid, weight in weights.items()}
    return WeightsSet(validator=validator, round=heights.round, weights=u16)
