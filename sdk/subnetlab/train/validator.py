"""A validator: judges a round, aggregates and publishes it, and sets weights.

Every validator computes and anchors the same round record; peers follow the first in lead order whose records
hold, so a lead that is gone is replaced without a vote. A lead that cheats is detected, since anyone can
recompute the record, and out-voted in weights; it is not prevented.
"""

import math
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from functools import cached_property
from typing import ClassVar, Final

from subnetlab.errors import ModelDiverged
from subnetlab.record.events import Role, Sampled, Scored, WeightsSet
from subnetlab.record.reasons import ACCEPTED, COPIED, FORGED, IN_WORDS, PARTICULAR, UNTRIED, measured
from subnetlab.store.places import locator_of
from subnetlab.train import aggregate, object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.delivery import beside
from subnetlab.train.intake import Received
from subnetlab.train.judging import Judged, Judging
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.payload.update import Update
from subnetlab.train.replica import Adopted, round_closed
from subnetlab.train.roster import Seat, miners
from subnetlab.train.round_record import RoundRecord, aggregate_hash
from subnetlab.train.scoring.losses import Removed
from subnetlab.train.scoring.rating import TRUSTED, Ratings
from subnetlab.train.strategies.base import overlap_of
from subnetlab.units import U16_MAX

_LAST_UPLOAD_S: Final = 2.0
"""How long one that is stopped goes on storing its last aggregate; a fleet waits for three seconds."""


class Validator(Judging):
    """One validator's process."""

    role: ClassVar[Role] = "validator"
    aggregate_s: float = 0.0
    _uploading: "Future[None] | None" = None
    """The upload of the last round's objects, where the record is anchored before they are stored."""

    @cached_property
    def ratings(self) -> Ratings:
        """What this validator thinks of every miner, from its first round on."""
        scoring = self.manifest.scoring
        return Ratings(scoring.rating_decay, scoring.proof_decay, trusted=TRUSTED if scoring.tried else 0.0)

    def recall(self, verdicts: Iterable[Scored]) -> None:
        """Rate miners as this validator's own verdicts on record left them, when it is started again."""
        rounds: dict[int, list[Scored]] = {}
        for verdict in verdicts:
            rounds.setdefault(verdict.round, []).append(verdict)
        for round_, judged in sorted(rounds.items()):
            removed = {
                verdict.uid: Removed(
                    verdict.loss_removed_assigned, verdict.loss_removed_held_out, verdict.noise, verdict.norm
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
            self._shut_out(round_, {verdict.uid: verdict.audit for verdict in judged}, forged)

    def _take_in(
        self, scores: dict[int, float], removed: Mapping[int, Removed], accepted: Iterable[int],
        forged: Iterable[int],
    ) -> None:  # fmt: skip
        """Let a round count in what lasts."""
        scoring = self.manifest.scoring
        signs = {uid: one.own > 0 for uid, one in removed.items()} if not scoring.own_work else {}
        beside, passed = self.evidence.known_beside(removed) if scoring.score is None else {}, set(accepted)
        self.ratings.update(scores, signs, {uid: one for uid, one in beside.items() if uid in passed})
        if scoring.slash < 1:
            self.ratings.slash(forged, scoring.slash)

    def _shut_out(self, round_: int, audits: Mapping[int, str], forged: Iterable[int]) -> None:
        """Keep who was caught, and whose audits could not be made."""
        for uid, outcome in audits.items():
            self.exclusions.audited(uid, outcome)
        for uid in forged:
            self.exclusions.caught(uid, round_)

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

    def publish(self, judged: Judged, heights: RoundHeights) -> None:
        """Put aggregate and round record into the store and anchor the record on chain."""
        replica, accepted, publications = self.replica, judged.accepted, self.replica.publications
        self._await_upload()
        update: Update | None = None
        combined_hash, objects = "", dict[str, bytes]()
        if accepted:
            update = self.manifest.strategy.combine(self._in_order(accepted), replica.layout)
            data = aggregate.write(update, replica.layout)
            combined_hash = aggregate_hash(data)
            objects[object_paths.aggregate(heights.round, combined_hash)] = data
        after = replica.foresee(update, heights.round, combined_hash)
        kept = replica.checkpoint()
        if kept is not None:
            objects[object_paths.checkpoint(kept.hash)] = kept.data
        follows = overlap_of(self.manifest.strategy) > 0  # then peers gather the payloads themselves
        if not follows:
            self._upload(objects)
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
        if follows:
            self._uploading = beside(lambda: self._upload(objects), "upload")

    def _upload(self, objects: Mapping[str, bytes]) -> None:
        for name, data in objects.items():
            self.replica.publications.put(name, data)

    def _await_upload(self) -> None:
        """Wait until the objects of the last record are stored.

        Raises:
            StoreUnreachable: it could not be.
        """
        uploading, self._uploading = self._uploading, None
        if uploading is not None:
            uploading.result()

    def run(self) -> None:
        """See `Peer.run`; the last aggregate is stored in the end; by one that is stopped, if soon."""
        try:
            super().run()
        finally:
            if self._uploading is not None:
                wait_for([self._uploading], _LAST_UPLOAD_S)
        self._await_upload()

    def rate(self, judged: Judged, heights: RoundHeights) -> None:
        """Take the round into the ratings, set weights, and report every verdict."""
        seats = miners(self.seats)
        self._take_in(
            {seat.uid: judged.score(seat.uid) for seat in seats if not judged.untried(seat.uid)},
            judged.removed,
            [received.entry.uid for received in judged.accepted],
            forged := [uid for uid, error in judged.rejected.items() if error.reason in FORGED],
        )
        self._shut_out(heights.round, judged.audits, forged)
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
        if self.opened[0] == heights.round:
            self.continuity.close(*self.opened, adopted.record.accepted if adopted else ())
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

    def _verdict(self, judged: Judged, seat: Seat, heights: RoundHeights, weight: float) -> Scored:
        uid = seat.uid
        removed = judged.removed.get(uid, Removed(0.0, 0.0))
        rejected = judged.rejected.get(uid)
        if rejected is not None:
            verdict, said = rejected.reason, rejected.args[0]
            reason = said if verdict in PARTICULAR else IN_WORDS.get(verdict, str(rejected))
        elif uid in judged.gated:
            verdict, reason = "gated", judged.gated[uid]
        elif uid in judged.left_out:
            verdict, reason = UNTRIED, judged.left_out[uid]
        else:
            verdict, reason = "accepted", judged.unscored.get(uid, "")
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
            audit=judged.audits.get(uid, ""),
        )

    def _in_order(self, accepted: list[Received]) -> list[Update]:
        """The updates in the order in which they are added: by uid, or by place in the fleet."""
        return [r.update for r in sorted(accepted, key=lambda r: self.drawn_as(r.entry.uid))]


def weights_set(validator: int, heights: RoundHeights, weights: dict[int, float]) -> WeightsSet:
    """The event of a vote, in the chain's u16."""
    top = max(weights.values())
    u16 = {str(uid): round(weight / top * U16_MAX) for uid, weight in weights.items()}
    return WeightsSet(validator=validator, round=heights.round, weights=u16)
