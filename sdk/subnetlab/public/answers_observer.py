"""Follow a public run of answers from chain and store: whose scores closed a round, and who took part."""

import contextlib
from dataclasses import dataclass

from subnetlab.answers.closed_rounds import record_of
from subnetlab.answers.manifest import AnswersManifest
from subnetlab.answers.score_record import ScoreRecord
from subnetlab.answers.validator import round_closed
from subnetlab.errors import ObjectExists
from subnetlab.network.chain import Chain
from subnetlab.public.observer import Observer
from subnetlab.store.base import Store
from subnetlab.train import object_paths
from subnetlab.train.roster import Roster


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What an observer reads of a run that has no model; in the place of its replica."""

    manifest: AnswersManifest
    roster: Roster
    chain: Chain
    store: Store

    @property
    def run(self) -> str:
        """The manifest's hash."""
        return self.manifest.hash


@dataclass(slots=True, kw_only=True)
class AnswersObserver(Observer):
    """The record of a public run of answers, kept up to date."""

    followed: Followed

    def follow(self, upto: int) -> None:
        """Put on record what became of every round up to one.

        Raises:
            NodeUnreachable, StoreUnreachable: it cannot be read now.
        """
        what = self.followed
        for number in range(self._next, upto + 1):
            found = record_of(what.manifest, number, what.roster, what.chain, what.store)
            if found is not None:
                self._take(*found)
        self._lost_before(upto + 1)

    def _take(self, record: ScoreRecord, lead: int) -> None:
        """Put a round that was closed on record, unless it is."""
        number = record.round
        with contextlib.suppress(ObjectExists):  # an observer that was started again
            self.kept.put(object_paths.record(record.hash), record.to_bytes())
        self._lost_before(number)
        self._next = number + 1
        for entry in record.entries:
            if entry.payload_hash:
                self._took_part(entry.uid, entry.hotkey, "miner")
        if number in self.over:
            return
        self._took_part(lead, self.hotkeys.get(lead, ""), "validator")
        for uid in list(self.seen):
            self.append(self._reported(uid, number))
        self.last = round_closed(record, self.followed.manifest.heights(number), lead)
        self.over.add(number)
        self.append([self.last])
