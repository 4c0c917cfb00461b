"""The supervisor's record against chain and store: each round once, as it was, and nothing left out."""

from math import isclose
from typing import Final

from subnetlab.errors import ObjectMissing, ObjectTooLarge
from subnetlab.record.events import RoundClosed
from subnetlab.train import object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.replica import Adopted, Replica, round_closed
from subnetlab.train.round_record import RoundRecord
from subnetlab.train.verify.findings import Report
from subnetlab.train.verify.log import Log
from subnetlab.train.verify.records import Followed
from subnetlab.train.verify.sources import Sources

_LOSS: Final = 1e-4
"""How far a held-out loss may differ on another processor, as a share."""


class LineCheck:
    """Compares the lines of one record."""

    def __init__(self, sources: Sources, log: Log, report: Report, *, most_bytes: int = 0) -> None:
        """Keep what is compared; `most_bytes` of a payload are read to tell its size."""
        self.sources, self.log, self.report = sources, log, report
        self._most_bytes = most_bytes
        self.last = max(log.over, default=-1)
        """The last round that the record tells of."""

    def check_frame(self) -> None:
        """Compare the first line, the blocks, and the end."""
        log, sources = self.log, self.sources
        history = sources.history
        if log.started is None:
            self._wrong("The record does not say how the run was started.")
        elif (
            log.started.manifest_hash != sources.manifest_hash
            or log.started.netuid != sources.manifest.netuid
        ):
            self._wrong("The record was begun for another manifest.")
        for each in log.sealed if history else ():
            if history is not None and history.hashes.get(each.number, each.hash) != each.hash:
                round_ = each.round if each.round >= 0 else None
                self._wrong(f"The record tells another hash of block {each.number} than the chain.", round_)
        unseen = sorted(round_ for round_ in log.over if history and not self._came_to(round_, history.last))
        for round_ in unseen:
            said = "The record tells the end of this round; the chain that was read has not come so far."
            self.report.unchecked("record", "record line", said, round_=round_)
        counts = [round_ for round_, count in log.over.items() if count > 1]
        for round_ in sorted(counts):
            self._wrong("The record tells the end of this round more than once.", round_)
        beyond = [round_ for round_ in log.over if not 0 <= round_ < sources.manifest.rounds]
        for round_ in sorted(beyond):
            self._wrong("The record tells of a round that the manifest does not plan.", round_)
        ended = log.ended
        if ended is not None and ended.status == "finished" and len(log.over) < sources.manifest.rounds:
            missing = sorted(set(range(sources.manifest.rounds)) - set(log.over))
            for round_ in missing:
                self._wrong("The record says that the run finished, and tells no end of this round.", round_)

    def _came_to(self, round_: int, last: int) -> bool:
        manifest = self.sources.manifest
        return not 0 <= round_ < manifest.rounds or manifest.heights(round_).close <= last

    def check_round(
        self, heights: RoundHeights, followed: list[Followed], replica: Replica, *, measured: bool
    ) -> None:
        """Compare what a record tells of a round; the replica holds the model after it."""
        round_, log = heights.round, self.log
        self._check_mined(heights)
        told = log.closed.get(round_)
        if told is None:
            self._untold(round_, followed)
            return
        if not followed:
            self._wrong("The record tells that this round closed; no validator anchored it in time.", round_)
            return
        lead, record = followed[0].seat.uid, followed[0].record
        if told.lead != lead:
            self._wrong(
                f"The record names uid {told.lead} as the lead; the chain makes it uid {lead}.", round_, lead
            )
        if told.heights != [heights.open, heights.commit, heights.beacon, heights.close]:
            self._wrong("The record tells other heights of this round than its manifest.", round_)
        if record is None:
            return
        self._check_closed(told, record, lead)
        if measured:
            self._check_loss(told, record, heights, replica, lead)

    def _check_closed(self, told: RoundClosed, record: RoundRecord, lead: int) -> None:
        accepted = {entry.uid: entry.payload_hash for entry in record.accepted}
        said = {int(uid): str(hash_) for uid, hash_ in told.accepted}
        for uid in sorted(uid for uid in {*accepted, *said} if accepted.get(uid) != said.get(uid)):
            self._wrong(
                "The record tells another payload of this miner than the round record.", told.round, uid
            )
        if len(said) != len(told.accepted):
            self._wrong("The record tells one payload twice.", told.round, lead)
        if told.aggregate_hash != record.aggregate_hash:
            self._wrong("The record tells another aggregate than the round record.", told.round, lead)
        if told.theta_hash != record.theta_after:
            self._wrong("The record tells another model than the round record.", told.round, lead)

    def _check_loss(
        self, told: RoundClosed, record: RoundRecord, heights: RoundHeights, replica: Replica, lead: int
    ) -> None:
        """Measure the model of a round again, and compare loss and metrics."""
        corpus = self.sources.corpus
        if corpus is None:
            return
        found = round_closed(replica, Adopted(record, lead), heights, corpus, aggregate_s=0.0)
        for name, value in {"loss": told.val_loss, **told.metrics}.items():
            again = found.val_loss if name == "loss" else found.metrics.get(name)
            if again is None or not (isclose(value, again, rel_tol=_LOSS, abs_tol=1e-6) or value != value):  # noqa: PLR0124
                said = f"The record tells a held-out {name} of {value:.6g}; measured again it is another."
                self._wrong(said, told.round, lead)

    def _untold(self, round_: int, followed: list[Followed]) -> None:
        """A round whose end the record does not tell, or tells as lost."""
        if self.log.over.get(round_):
            if followed:
                said = "The record tells that this round was lost; on chain a validator anchored it in time."
                self._wrong(said, round_, followed[0].seat.uid)
            return
        if round_ < self.last or self.log.ended is not None or round_ > self.last + 1:
            if followed:
                said = "The record does not tell the end of this round, which is anchored on chain."
                self._wrong(said, round_, followed[0].seat.uid)
        elif followed:
            said = "The record breaks off before the end of this round, which is anchored on chain."
            self.report.unchecked("record", "record line", said, round_=round_)

    def _check_mined(self, heights: RoundHeights) -> None:
        """Compare what miners are told to have sent with what they committed and stored."""
        for seat in self.sources.miners(heights.round):
            uid, round_ = seat.uid, heights.round
            told = self.log.mined.get((round_, uid), [])
            committed = self.sources.commitment_of(round_, seat)
            anchor = Anchor.from_bytes(committed.data) if committed else None
            hash_ = anchor.current.hex() if anchor else ""
            if len(told) > 1 and not self.log.may_miss(uid):
                self._wrong("The record tells this miner's round more than once.", round_, uid)
            for each in told:
                if each.commitment != hash_:
                    said = "The record tells another commitment of this miner than the chain."
                    if self._made_in_vain(heights, seat.hotkey, each.commitment):
                        continue
                    self._wrong(said, round_, uid)
                elif (
                    size := self._stored_bytes(heights, uid, hash_)
                ) is not None and size != each.wire_bytes:
                    self._wrong(
                        f"The record tells {each.wire_bytes:,} bytes; stored are {size:,}.", round_, uid
                    )
            if not told and hash_ and round_ <= self.last and not self.log.may_miss(uid):
                self._wrong(
                    "The record leaves out this miner's round, which is committed on chain.", round_, uid
                )

    def _made_in_vain(self, heights: RoundHeights, hotkey: str, commitment: str) -> bool:
        """Whether a commitment is on chain and does not count: too late, or made before the one that does."""
        history = self.sources.history
        made = [each.data for each in (history.commitments if history else ()) if each.hotkey == hotkey]
        return any(
            anchor is not None and anchor.round == heights.round and anchor.current.hex() == commitment
            for anchor in map(Anchor.from_bytes, made)
        )

    def _stored_bytes(self, heights: RoundHeights, uid: int, hash_: str) -> int | None:
        assert self.sources.store is not None
        name = object_paths.sealed(heights.round, uid, bytes.fromhex(hash_))
        try:
            return len(self.sources.store.get(name, self._most_bytes))
        except (ObjectMissing, ObjectTooLarge):
            return None

    def _wrong(self, said: str, round_: int | None = None, uid: int | None = None) -> None:
        self.report.tampered("record", "record line", said, round_=round_, uid=uid)
