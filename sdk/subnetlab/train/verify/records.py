"""The chain of round records: each anchored by a validator in its round, each linked to the one before.

Anchors are read from the bodies of blocks, so the chain alone tells the hash of every record. A record
whose object was altered or is gone is made again from what else is known, and is the same if it has the
anchored hash.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from subnetlab.errors import ObjectMissing, ObjectTooLarge, PayloadRejected
from subnetlab.network.commit_history import Committed
from subnetlab.record.events import RoundClosed
from subnetlab.store.base import Reader
from subnetlab.store.places import Places, place_of
from subnetlab.train import object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.publishing import Detours, Publications
from subnetlab.train.roster import Seat
from subnetlab.train.round_record import LIMIT, RoundRecord
from subnetlab.train.verify.findings import Report
from subnetlab.train.verify.payloads import Opened
from subnetlab.train.verify.sources import ReadOnly, Sources, read_only

T = TypeVar("T")
Remake = Callable[[str], "RoundRecord | None"]
"""Makes the record of an anchored hash from what else is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A validator's anchor of a round, and its record where it can be had."""

    seat: Seat
    committed: Committed
    anchor: Anchor
    detours: Detours
    record: RoundRecord | None


class RecordChain:
    """Follows the records of a run round by round."""

    def __init__(self, sources: Sources, report: Report) -> None:
        assert sources.store is not None
        self.sources, self.report = sources, report
        self.publications = Publications(read_only(sources.store))
        self.previous = bytes(32).hex()
        """Anchored hash of the last record that was followed."""
        self._published: dict[tuple[int, str], Publications] = {}

    def follow(self, heights: RoundHeights, opened: Opened, theta: str) -> list[Followed]:
        """Every validator's record of a round, in the order in which they lead; the first is the adopted one.

        Args:
            heights: of the round.
            opened: its payloads, to make a missing record again.
            theta: hash of the model before the round, for the same.
        """
        found: list[Followed] = []
        for seat in self.sources.validators(heights.round):
            anchored = self.sources.anchored(heights.round, seat)
            if anchored is not None:
                self.report.count("rounds")
                found.append(self._read(heights, seat, anchored, opened, theta))
        holding = [each for each in found if self._holds(each, heights)]
        found = holding + [each for each in found if each not in holding]
        if found:
            self.previous = found[0].anchor.current.hex()
        return found

    def publications_of(self, seat: Seat, anchor: Anchor) -> Publications:
        """What a validator published: in its own place, or in the store that all peers share."""
        store = self.sources.store
        if not isinstance(store, Places):
            return self.publications
        where = seat.uid, anchor.locator
        if where not in self._published:
            self._published[where] = Publications(ReadOnly(place_of(store, *where)))
        return self._published[where]

    def published(
        self, anchored: tuple[Seat, Anchor], name: str, limit: int, read: Callable[[bytes], T],
        detours: Detours,
    ) -> T:  # fmt: skip
        """An object that a validator published; where its place has lost it, from those that anchored too.

        Raises:
            ObjectMissing, ObjectTooLarge, PayloadRejected: see `Publications.get`.
            StoreUnreachable: the store did not answer.
        """
        seat, anchor = anchored
        try:
            return self.publications_of(seat, anchor).get(name, limit, read, detours)
        except ObjectMissing:
            if isinstance(self.sources.store, Places):
                for other in self.sources.validators(anchor.round):
                    also = self.sources.anchored(anchor.round, other)
                    if other.uid != seat.uid and also is not None:
                        with suppress(ObjectMissing, ObjectTooLarge, PayloadRejected):
                            return self.publications_of(other, also[1]).get(name, limit, read, {})
            raise

    def _read(
        self,
        heights: RoundHeights,
        seat: Seat,
        anchored: tuple[Committed, Anchor],
        opened: Opened,
        theta: str,
    ) -> Followed:
        committed, anchor = anchored
        hash_ = anchor.current.hex()
        publications = self.publications_of(seat, anchor)
        detours = publications.detours(anchor)
        name, read = object_paths.record(hash_), partial(RoundRecord.of_hash, hash_)
        record: RoundRecord | None = None
        try:
            record = self.published((seat, anchor), name, LIMIT, read, detours)
        except (PayloadRejected, ObjectMissing, ObjectTooLarge) as error:
            record = self._again(heights, anchor, opened, theta)
            self._name(heights, (seat, anchor), hash_, error, opened, made_again=record is not None)
        return Followed(seat=seat, committed=committed, anchor=anchor, detours=detours, record=record)

    def _name(
        self,
        heights: RoundHeights,
        anchored: tuple[Seat, Anchor],
        hash_: str,
        error: Exception,
        opened: Opened,
        *,
        made_again: bool,
    ) -> None:
        """Say what became of a record's object; of an altered one, whose entry differs."""
        seat, store = anchored[0], self.publications_of(*anchored).store
        ending = " What it said follows from the chain and the payloads." if made_again else ""
        if isinstance(error, ObjectMissing):
            said = f"The record {hash_[:12]}… is not in the store.{ending}"
            self.report.unchecked("rounds", "round record", said, round_=heights.round, uid=seat.uid)
            return
        said = f"What lies in the store is not the record {hash_[:12]}… that is anchored.{ending}"
        for uid in [seat.uid, *self._differing(heights, hash_, opened, store)]:
            self.report.tampered("rounds", "round record", said, round_=heights.round, uid=uid)

    def _differing(self, heights: RoundHeights, hash_: str, opened: Opened, store: Reader) -> list[int]:
        """The miners of whom an altered record says something else than chain and store do."""
        try:
            data = store.get(object_paths.record(hash_), LIMIT)
            told_record: dict[str, Any] = json.loads(data)
            entries: list[dict[str, Any]] = (
                told_record["accepted"] if told_record["round"] == heights.round else []
            )
            told = {int(entry["uid"]): (entry["payload_hash"], entry["commitment"]) for entry in entries}
        except (ValueError, TypeError, KeyError, RecursionError, ObjectMissing, ObjectTooLarge):
            return []
        known = {uid: (r.entry.payload_hash, r.entry.commitment) for uid, r in opened.received.items()}
        return sorted(uid for uid, said in told.items() if known.get(uid) != said)

    def _again(self, heights: RoundHeights, anchor: Anchor, opened: Opened, theta: str) -> RoundRecord | None:
        """The record made from what the supervisor's record and the payloads say, if it has the hash."""
        log = self.sources.log
        told: RoundClosed | None = log.closed.get(heights.round) if log else None
        if told is None:
            return None
        try:
            accepted = tuple(opened.received[int(uid)].entry for uid, _ in told.accepted)
        except (KeyError, ValueError, TypeError):
            return None
        record = RoundRecord(
            run=self.sources.manifest_hash,
            round=heights.round,
            previous=anchor.previous.hex(),
            accepted=accepted,
            aggregate_hash=told.aggregate_hash,
            theta_before=theta,
            theta_after=told.theta_hash,
            checkpoint=told.checkpoint,
        )
        return record if record.hash == anchor.current.hex() else None

    def _holds(self, each: Followed, heights: RoundHeights) -> bool:
        """Whether an anchored record belongs where it is; says so where it does not."""
        report, uid, record = self.report, each.seat.uid, each.record
        wrong: list[str] = []
        if each.committed.block <= heights.beacon:
            wrong.append(
                f"The anchor is in block {each.committed.block}, before the beacon of block {heights.beacon} "
                "that it had to wait for."
            )
        if each.anchor.previous.hex() != self.previous:
            wrong.append(
                "The anchor does not name the record of the round before as the one that it follows."
            )
        if record is not None and record.run != self.sources.manifest_hash:
            wrong.append(f"The record is of another run, {record.run[:12]}….")
        if record is not None and record.round != heights.round:
            wrong.append(f"The record is of round {record.round + 1}.")
        if record is not None and record.previous != each.anchor.previous.hex():
            wrong.append("Record and anchor name different records before them.")
        for said in wrong:
            report.tampered("rounds", "anchor", said, round_=heights.round, uid=uid)
        return not wrong and record is not None
