"""One peer's copy of the model: θ, rebuilt from the seed and the published aggregates, bit by bit.

A peer that joins late walks the records back from an anchor on chain and replays the aggregates forwards; a
peer that is there already replays one. Every step is proven by the θ hash before and after. Records are
followed from the first validator, in lead order, whose whole chain of records holds. Where the run keeps
checkpoints, and all validators whose records can be read name the same one, the replay begins there.
"""

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import torch

from subnetlab.errors import (
    ObjectMissing,
    ObjectTooLarge,
    PayloadRejected,
    PlaceAway,
    StoreUnreachable,
    TrainError,
)
from subnetlab.network.chain import Chain, Commitment
from subnetlab.record.events import RoundClosed
from subnetlab.store.base import Reader, Store
from subnetlab.store.places import Places, place_of
from subnetlab.train import aggregate, checkpoint, initial, object_paths
from subnetlab.train.anchors import NOTHING, Anchor, is_outnumbered
from subnetlab.train.checkpoint import Checkpoint
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.devices import CPU
from subnetlab.train.execution import ON_CPU, Execution
from subnetlab.train.gathering import Gathering
from subnetlab.train.manifest import Manifest, RoundHeights
from subnetlab.train.payload.sparse import State
from subnetlab.train.payload.update import Update
from subnetlab.train.publishing import Detours, Publications
from subnetlab.train.roster import Roster, Seat, validators
from subnetlab.train.round_record import LIMIT, RoundRecord, aggregate_hash
from subnetlab.train.scoring.losses import validation_loss, validation_metrics
from subnetlab.train.strategies.base import overlap_of
from subnetlab.train.theta import FlatModel, theta_hash

_LOG = logging.getLogger(__name__)
_UNREADABLE: Final = (PayloadRejected, ObjectMissing, ObjectTooLarge)
_UPLOAD_LIMIT_S: Final = 600.0
"""How long the newest aggregate is waited for that a lead uploads after its record."""
_LOOK_AGAIN_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Adopted:
    """A round that this peer has applied."""

    record: RoundRecord
    lead: int
    """The uid whose anchor was followed."""


@dataclass(frozen=True, slots=True)
class _Followed:
    """What is read while one validator is followed."""

    lead: int
    """Its uid."""
    places: Sequence[Reader]
    """Its own first, then those of the other validators: a record from before it joined lies there."""
    detours: Detours
    awaited: str
    """The hash of the record whose aggregate is waited for: the one it anchored last; empty for none."""


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """Where an aggregate of a round leads from a θ."""

    round: int
    before: str
    aggregate_hash: str
    update: Update | None
    reached: "_State"
    checkpoint: Checkpoint | None


_State = tuple[torch.Tensor, State, str]
"""θ, the outer state, and the hash of θ."""


class Replica:
    """θ and everything needed to move it."""

    def __init__(
        self, manifest: Manifest, roster: Roster, chain: Chain, store: Store, execution: Execution = ON_CPU
    ) -> None:
        """Build θ_0 from the manifest's seed, or from the tensors it names; θ stays on the CPU."""
        self.manifest, self.roster, self.chain, self.store = manifest, roster, chain, store
        self.publications = Publications(store)
        self.run = manifest.hash
        self.model = FlatModel(
            initial.built(manifest, store), manifest.task, manifest.optimizer, manifest.execution(execution)
        )
        self.layout = self.model.layout
        self.theta_P = self.model.theta_P.to(CPU, copy=True)
        self.outer: State = {}
        self.hash = theta_hash(self.theta_P)
        self.previous = NOTHING.hex()
        self.round = 0
        """The round that is next for θ."""
        self.last: Update | None = None
        """The last aggregate applied."""
        self.earlier: deque[torch.Tensor] = deque(maxlen=manifest.scoring.sync)
        """θ of as many rounds before as the run recognises, the newest last."""
        self.began_at = 0
        """The round before which this copy was taken from a checkpoint; 0 where it replayed all rounds."""
        self._foreseen: _Foreseen | None = None
        self._gathering = Gathering(manifest, roster, chain, store)
        self._in_vain: set[int] = set()  # whose aggregate was waited for and never came; not again

    def preview(self, update: Update | None, round_: int) -> _State:
        """θ, outer state and θ hash after an aggregate, without moving."""
        theta_P = self.theta_P.clone()
        outer = {name: tensor.clone() for name, tensor in self.outer.items()}
        if update is not None:
            self.manifest.strategy.apply(theta_P, update, outer, self.manifest.progress(round_))
        return theta_P, outer, theta_hash(theta_P)

    def foresee(self, update: Update | None, round_: int, aggregate_hash: str) -> str:
        """θ hash after an aggregate; where that leads is kept, so that adopting it costs nothing again."""
        reached = self.preview(update, round_)
        kept = self._checkpoint_of(reached, round_)
        self._foreseen = _Foreseen(round_, self.hash, aggregate_hash, update, reached, kept)
        return reached[2]

    def checkpoint(self) -> Checkpoint | None:
        """The checkpoint after the round that was foreseen; None where none is due."""
        return self._foreseen.checkpoint if self._foreseen else None

    def adopt(self, round_: int, each: Callable[[Adopted], None] | None = None) -> Adopted | None:
        """Apply everything published up to and including a round; None where it closed without a record.

        Args:
            round_: the round.
            each: told of every round that is applied, oldest first, while θ is where that round left it.

        Raises:
            TrainError: validators published for this round, but nothing that can be followed from here.
            StoreUnreachable: the same, and a validator's place did not answer; it may be back later.
        """
        refused: dict[int, PayloadRejected | ObjectMissing | ObjectTooLarge] = {}
        adopted: Adopted | None = None
        anchored = self._anchored(round_)
        for seat, anchor in anchored:
            places = self._places(seat, anchored)
            detours = self.publications.detours(anchor, next(iter(places), None))
            vain = seat.uid in self._in_vain or is_outnumbered(anchor, (other for _, other in anchored))
            followed = _Followed(seat.uid, places, detours, "" if vain else anchor.current.hex())
            try:
                adopted = self._jump(anchor, round_, followed, anchored) if each is None else None
                adopted = adopted or self._replay(
                    self._records(anchor.current.hex(), followed), round_, followed, each
                )
            except _UNREADABLE as error:
                refused[seat.uid] = error
                continue
            if adopted is not None:
                break
        if refused and adopted is None:
            away = any(isinstance(error, PlaceAway) for error in refused.values())
            said = " ".join(f"uid {uid}: {error}" for uid, error in refused.items())
            raise (StoreUnreachable if away else TrainError)(
                f"Round {round_ + 1} cannot be followed. {said}",
                hint="Check the store; a peer that joins again replays the run from its start.",
            )
        self.round = round_ + 1
        return adopted

    def _anchored(self, round_: int) -> list[tuple[Seat, Anchor]]:
        """The validators that anchored a record of this run in time, in the order in which they lead."""
        commitments = self.chain.commitments()
        seats = validators(self.roster.at(self.manifest.heights(round_).open))
        found = ((seat, self._counts(commitments.get(seat.hotkey))) for seat in seats)
        # A validator that is gone leaves the anchor of an older round on chain, which leads no further.
        return [(seat, anchor) for seat, anchor in found if anchor is not None and anchor.round >= self.round]

    def _counts(self, commitment: Commitment | None) -> Anchor | None:
        anchor = Anchor.from_bytes(commitment.data) if commitment else None
        if commitment is None or anchor is None or anchor.who != "validator":
            return None
        if commitment.block < self.manifest.first_block:
            return None  # of an earlier run
        if commitment.block <= self.manifest.heights(anchor.round).close:
            return anchor
        # Too late to count: the next in order may be in time. A copy that has followed nothing yet is led to
        # what it names as the record before, because the chain holds no earlier anchor of this hotkey.
        begins = self.previous == NOTHING.hex() and anchor.previous != NOTHING
        return replace(anchor, current=anchor.previous) if begins else None

    def _places(self, lead: Seat, anchored: Sequence[tuple[Seat, Anchor]]) -> list[Reader]:
        """Where validators publish, the lead first; empty where all peers share one store."""
        if not isinstance(self.store, Places):
            return []
        ordered = sorted(anchored, key=lambda one: one[0].uid != lead.uid)
        return [place_of(self.store, seat.uid, anchor.locator) for seat, anchor in ordered]

    def _replay(
        self, records: Sequence[RoundRecord], round_: int, followed: _Followed,
        each: Callable[[Adopted], None] | None,
    ) -> Adopted | None:  # fmt: skip
        adopted: Adopted | None = None
        for record in records:
            if record.round <= round_:
                self._apply(record, followed)
                adopted = Adopted(record, followed.lead) if record.round == round_ else adopted
                if each is not None:
                    each(Adopted(record, followed.lead))
        return adopted

    def _jump(
        self, anchor: Anchor, round_: int, followed: _Followed, anchored: Sequence[tuple[Seat, Anchor]]
    ) -> Adopted | None:
        """Take the newest checkpoint up to a round and replay from there; None where this peer cannot."""
        every = self.manifest.checkpoint_every
        if not every or round_ + 1 - self.round < every:
            return None

        def saves(record: RoundRecord) -> bool:
            return bool(record.checkpoint) and self.round + every <= record.round + 1 <= round_ + 1

        before = (self.theta_P, self.outer, self.hash, self.last, self.previous, self.round)
        try:
            records = self._records(anchor.current.hex(), followed, saves)
            if not records or not saves(records[0]) or not self._agreed(records, followed, anchored):
                return None
            self._begin_at(records[0], followed)
            adopted = self._replay(records[1:], round_, followed, None)
        except _UNREADABLE as error:
            self.theta_P, self.outer, self.hash, self.last, self.previous, self.round = before
            _LOG.warning("The checkpoint is not followed, all rounds are replayed. %s", error)
            return None
        self.began_at = records[0].round + 1
        return Adopted(records[0], followed.lead) if records[0].round == round_ else adopted

    def _agreed(
        self, records: Sequence[RoundRecord], followed: _Followed, anchored: Sequence[tuple[Seat, Anchor]]
    ) -> bool:
        """Whether no other validator's records lead past the oldest of these to another one."""
        known, start = {record.hash for record in records}, records[0].round
        for _, anchor in anchored:
            current, below = anchor.current.hex(), anchor.round + 1
            while anchor.round >= start and current not in known:
                try:
                    record = self._record(current, followed)
                except _UNREADABLE:
                    break  # what cannot be read names no other checkpoint
                if record.run != self.run or not start < record.round < below:
                    return False
                current, below = record.previous, record.round
                if current == NOTHING.hex():
                    return False
        return True

    def _begin_at(self, record: RoundRecord, followed: _Followed) -> None:
        expected = checkpoint.template(self.manifest, self.theta_P)

        def read(data: bytes) -> tuple[torch.Tensor, State]:
            if checkpoint.hash_of(data) != record.checkpoint:
                raise PayloadRejected("The checkpoint is not the recorded one.", reason="wrong_hash")
            return checkpoint.read(data, expected)

        name, limit = object_paths.checkpoint(record.checkpoint), checkpoint.limit(expected)
        theta_P, outer = self.publications.get(name, limit, read, followed.detours, followed.places)
        if theta_hash(theta_P) != record.theta_after:
            raise PayloadRejected("The checkpoint is of another model.", reason="wrong_theta")
        self.theta_P, self.outer, self.hash, self.last = theta_P, outer, record.theta_after, None
        self.previous, self.round = record.hash, record.round + 1
        self._foreseen = None

    def _records(
        self, newest: str, followed: _Followed, is_enough: Callable[[RoundRecord], bool] = lambda _: False
    ) -> list[RoundRecord]:
        """Records after the last one applied, oldest first, walked back along their hashes.

        Args:
            newest: the hash of the newest.
            followed: whose they are.
            is_enough: whether the walk ends with a record, before it comes to the last one applied.
        """
        chain: list[RoundRecord] = []
        current = newest
        while current != self.previous:
            record = self._record(current, followed)
            descends = not chain or record.round < chain[-1].round
            if record.run != self.run or not descends or record.round < self.round:
                raise PayloadRejected("The chain of records does not lead to this peer.", reason="forked")
            chain.append(record)
            current = record.previous
            if is_enough(record):
                break
        return chain[::-1]

    def _record(self, hash_: str, followed: _Followed) -> RoundRecord:
        name, read = object_paths.record(hash_), partial(RoundRecord.of_hash, hash_)
        return self.publications.get(name, LIMIT, read, followed.detours, followed.places)

    def _apply(self, record: RoundRecord, followed: _Followed) -> None:
        if record.theta_before != self.hash:
            raise PayloadRejected(
                f"The record of round {record.round + 1} starts from another model.", reason="wrong_theta"
            )
        known = self._foreseen_by(record)
        update = self._aggregate(record, followed) if known is None else known.update
        (theta_P, outer, after), kept = self._reached(record, update)
        if after != record.theta_after:
            raise PayloadRejected(
                f"The aggregate of round {record.round + 1} does not lead to the recorded model.",
                reason="wrong_theta",
            )
        if record.checkpoint != ("" if kept is None else kept.hash):
            raise PayloadRejected(
                f"The record of round {record.round + 1} names another checkpoint than the model's.",
                reason="wrong_theta",
            )
        self.earlier.append(self.theta_P)
        self.theta_P, self.outer, self.hash, self.last = theta_P, outer, after, update
        self.previous, self.round = record.hash, record.round + 1
        self._foreseen = None

    def _foreseen_by(self, record: RoundRecord) -> _Foreseen | None:
        """This peer's own computation of a round, where it agrees with a record."""
        known, asked = self._foreseen, (record.round, self.hash, record.aggregate_hash)
        same = known is not None and (known.round, known.before, known.aggregate_hash) == asked
        return known if same else None

    def _reached(self, record: RoundRecord, update: Update | None) -> tuple[_State, Checkpoint | None]:
        known = self._foreseen_by(record)
        if known is not None:
            return known.reached, known.checkpoint
        reached = self.preview(update, record.round)
        return reached, self._checkpoint_of(reached, record.round)

    def _checkpoint_of(self, reached: _State, round_: int) -> Checkpoint | None:
        due = checkpoint.due(self.manifest.checkpoint_every, round_)
        return Checkpoint.of(reached[0], reached[1]) if due else None

    def _aggregate(self, record: RoundRecord, followed: _Followed) -> Update | None:
        if not record.accepted:
            return None
        gathers = overlap_of(self.manifest.strategy) > 0
        waits = gathers and record.hash == followed.awaited
        if not waits:  # it is stored by now, while somebody who sent a payload may be gone
            with contextlib.suppress(*(_UNREADABLE if gathers else ())):
                return self._stored(record, followed)
        with contextlib.suppress(*_UNREADABLE):
            return self._gathering.update(record, self.layout)
        until = time.monotonic() + (_UPLOAD_LIMIT_S if waits else 0.0)
        while True:  # the lead uploads it after it has anchored the record
            try:
                return self._stored(record, followed)
            except ObjectMissing:
                if time.monotonic() >= until:
                    self._in_vain |= {followed.lead} if waits else set()
                    raise
            time.sleep(_LOOK_AGAIN_S)

    def _stored(self, record: RoundRecord, followed: _Followed) -> Update:
        """The aggregate as a validator published it."""

        def read(data: bytes) -> Update:
            if aggregate_hash(data) != record.aggregate_hash:
                raise PayloadRejected("The aggregate is not the recorded one.", reason="wrong_hash")
            return aggregate.read(data, self.layout)

        name = object_paths.aggregate(record.round, record.aggregate_hash)
        limit = aggregate.limit(self.layout)
        return self.publications.get(name, limit, read, followed.detours, followed.places)


def round_closed(
    replica: Replica, adopted: Adopted, heights: RoundHeights, corpus: Corpus, *, aggregate_s: float
) -> RoundClosed:
    """The event of the round that a replica has just adopted; loads its model and measures it."""
    record, model = adopted.record, replica.model
    model.load(replica.theta_P)
    return RoundClosed(
        round=heights.round,
        lead=adopted.lead,
        heights=[heights.open, heights.commit, heights.beacon, heights.close],
        accepted=[[entry.uid, entry.payload_hash] for entry in record.accepted],
        aggregate_hash=record.aggregate_hash,
        theta_hash=record.theta_after,
        val_loss=validation_loss(model, replica.manifest, corpus),
        metrics=validation_metrics(model, replica.manifest, corpus),
        aggregate_s=aggregate_s,
        checkpoint=record.checkpoint,
    )
