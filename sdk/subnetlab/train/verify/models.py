"""The model of each round, computed again: the average of its payloads, and where that leads, bit by bit."""

from dataclasses import dataclass
from typing import Final

from torch import Tensor

from subnetlab.errors import ObjectMissing, ObjectTooLarge, PayloadRejected
from subnetlab.train import aggregate, checkpoint, object_paths
from subnetlab.train.checkpoint import Checkpoint
from subnetlab.train.intake import Received
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.payload.sparse import State
from subnetlab.train.payload.update import Update
from subnetlab.train.replica import Replica
from subnetlab.train.roster import in_fleet_order
from subnetlab.train.round_record import RoundRecord, aggregate_hash
from subnetlab.train.strategies.base import overlap_of
from subnetlab.train.verify.findings import Report
from subnetlab.train.verify.payloads import Opened
from subnetlab.train.verify.records import Followed, RecordChain
from subnetlab.train.verify.sources import Sources

_GATHERED: Final = "some not stored, because their validator ended first: made again from their payloads"


@dataclass(frozen=True, slots=True)
class Combined:
    """The aggregate of a record: None where no payload was accepted."""

    update: Update | None
    known: bool
    """Whether it is known at all."""


class ModelChain:
    """θ of a run, moved round by round by what was computed again."""

    def __init__(self, sources: Sources, replica: Replica, records: RecordChain, report: Report) -> None:
        self.sources, self.replica, self.records, self.report = sources, replica, records, report
        self.lost = False
        """Whether θ of the round at hand is unknown, because an earlier step could not be followed."""

    @property
    def theta(self) -> str:
        """The hash of θ before the round at hand."""
        return self.replica.hash

    def check(self, followed: list[Followed], heights: RoundHeights, opened: Opened) -> Combined:
        """Compute the aggregate of every distinct record of a round again; that of the adopted one."""
        adopted = Combined(None, known=False)
        seen: dict[str, Combined] = {}
        for place, each in enumerate(followed):
            record = each.record
            if record is None:
                continue
            if record.hash not in seen:
                with self.report.timed("aggregates"):
                    seen[record.hash] = self._combined(each, record, heights, opened)
            adopted = seen[record.hash] if place == 0 else adopted
        return adopted

    def move(self, followed: list[Followed], combined: Combined, heights: RoundHeights) -> None:
        """Apply the adopted aggregate and compare where it leads with what the record says."""
        if not followed:
            return
        lead, record = followed[0].seat.uid, followed[0].record
        if self.lost:
            return
        if record is None or not combined.known:
            self.lost = True
            said = "The model cannot be followed from here on: its aggregate is not known."
            self.report.unchecked("model", "model", said, round_=heights.round)
            return
        with self.report.timed("model"):
            theta_P, outer, after = self.replica.preview(combined.update, heights.round)
            self.report.count("model")
            if record.theta_before != self.replica.hash:
                self._wrong(heights, lead, "The record starts from another model than the round before left.")
            if record.theta_after != after:
                self._wrong(heights, lead, "The aggregate does not lead to the model that the record names.")
            self.replica.earlier.append(self.replica.theta_P)
            self._check_checkpoint(followed[0], record, (theta_P, outer), heights)
            self.replica.theta_P, self.replica.outer, self.replica.hash = theta_P, outer, after
            self.replica.last, self.replica.round = combined.update, heights.round + 1
            if record.theta_after != after:
                self.lost = True

    def _check_checkpoint(
        self, lead: Followed, record: RoundRecord, reached: tuple[Tensor, State], heights: RoundHeights
    ) -> None:
        """Compare the checkpoint that a record names with the model, and what lies in the store with both."""
        due = checkpoint.due(self.sources.manifest.checkpoint_every, heights.round)
        right = Checkpoint.of(*reached) if due else None
        if record.checkpoint != ("" if right is None else right.hash):
            self._wrong(heights, lead.seat.uid, "The record names another checkpoint than the model's.")
        if right is None:
            return
        self.report.count("checkpoints")
        place = self.records.publications_of(lead.seat, lead.anchor).store
        try:
            same = place.get(object_paths.checkpoint(right.hash), len(right.data)) == right.data
        except ObjectMissing:  # what is not there misleads no late joiner
            return
        except ObjectTooLarge:
            same = False
        if not same:
            said = "What lies in the store is not the checkpoint that the record names."
            self.report.tampered("checkpoints", "checkpoint", said, round_=heights.round, uid=lead.seat.uid)

    def _wrong(self, heights: RoundHeights, lead: int, said: str) -> None:
        self.report.tampered("model", "model", said, round_=heights.round, uid=lead)

    def _combined(
        self, each: Followed, record: RoundRecord, heights: RoundHeights, opened: Opened
    ) -> Combined:
        if not record.accepted:
            return Combined(None, known=True)
        self.report.count("aggregates")
        stored, missing = self._stored(each, record, heights)
        accepted = [opened.received.get(entry.uid) for entry in record.accepted]
        if any(found is None or found.entry not in record.accepted for found in accepted):
            self._say_missing(each, record, heights, missing=missing)
            return Combined(stored, known=stored is not None)
        layout = self.replica.layout
        sound = [found for found in accepted if found is not None]
        update = self.sources.manifest.strategy.combine(self._in_order(heights, sound), layout)
        if aggregate_hash(aggregate.write(update, layout)) == record.aggregate_hash:
            if missing and self._gathers:
                self.report.checks["aggregates"].note = _GATHERED
            else:
                self._say_missing(each, record, heights, missing=missing)
            return Combined(update, known=True)
        self._say_missing(each, record, heights, missing=missing)
        said = "The aggregate is not what the accepted payloads make."
        self.report.tampered("aggregates", "aggregate", said, round_=heights.round, uid=each.seat.uid)
        return Combined(stored, known=stored is not None)

    @property
    def _gathers(self) -> bool:
        """Whether peers of this run make aggregates again from payloads; their upload follows the record."""
        return overlap_of(self.sources.manifest.strategy) > 0

    def _say_missing(
        self, each: Followed, record: RoundRecord, heights: RoundHeights, *, missing: bool
    ) -> None:
        if missing:
            said = f"The aggregate {record.aggregate_hash[:12]}… is not in the store."
            self.report.unchecked("aggregates", "aggregate", said, round_=heights.round, uid=each.seat.uid)

    def _stored(
        self, each: Followed, record: RoundRecord, heights: RoundHeights
    ) -> tuple[Update | None, bool]:
        """The aggregate as a validator stored it, if it can be had, and whether it is missing."""
        layout = self.replica.layout

        def read(data: bytes) -> Update:
            if aggregate_hash(data) != record.aggregate_hash:
                raise PayloadRejected("The aggregate is not the recorded one.", reason="wrong_hash")
            return aggregate.read(data, layout)

        name = object_paths.aggregate(heights.round, record.aggregate_hash)
        try:
            where = (each.seat, each.anchor)
            return self.records.published(where, name, aggregate.limit(layout), read, each.detours), False
        except ObjectMissing:
            return None, True
        except (PayloadRejected, ObjectTooLarge):
            said = "What lies in the store is not the aggregate that the record names."
            self.report.tampered("aggregates", "aggregate", said, round_=heights.round, uid=each.seat.uid)
        return None, False

    def _in_order(self, heights: RoundHeights, accepted: list[Received]) -> list[Update]:
        """The updates in the order in which they are added: by uid, or by place in a repeatable fleet."""
        places = {seat.uid: seat.uid for seat in self.sources.seats(heights.round)}
        if self.sources.manifest.deterministic:
            seats = in_fleet_order(self.sources.seats(heights.round))
            places = {seat.uid: place for place, seat in enumerate(seats)}
        return [found.update for found in sorted(accepted, key=lambda found: places[found.entry.uid])]
