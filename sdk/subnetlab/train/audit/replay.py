"""A drawn miner's round trained again, from the state it published, and compared with what it sent.

On one instruction set and version of torch the payload comes out the same to the bit, its report included.
Elsewhere update and memory must lie within the manifest's tolerance of the miner's. Where they do not, the
first inner step that differs is named, found in the hash chain by a binary search.
"""

from subnetlab.errors import ObjectMissing, ObjectTooLarge, PayloadRejected, PlaceAway
from subnetlab.record.events import Event
from subnetlab.store.base import Reader
from subnetlab.train import object_paths
from subnetlab.train.audit import state
from subnetlab.train.audit.exclusion import AWAY
from subnetlab.train.audit.report import WorkReport, report_of, where_different
from subnetlab.train.audit.state import MinerState
from subnetlab.train.intake import Received
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.miner import Miner
from subnetlab.train.payload import seal
from subnetlab.train.payload.update import Update
from subnetlab.train.peer import Peer
from subnetlab.train.replica import Replica
from subnetlab.train.roster import Seat

SAME, ALIKE = "same", "alike"
"""Outcomes of an audit that a payload passes: to the bit, or within the tolerance."""


class Auditor:
    """Trains rounds of miners again, with a model of its own beside the validator's."""

    def __init__(self, auditing: Peer) -> None:
        """Build the model once more; nothing is sent in the name of `auditing`."""
        events: list[Event] = []
        self.miner = Miner(
            auditing.manifest, auditing.roster, auditing.chain, auditing.store, events.append,
            lambda message: message, hotkey="", corpus=auditing.corpus, execution=auditing.execution,
        )  # fmt: skip
        self._events = events
        self.tolerance = auditing.manifest.scoring.tolerance

    def audit(
        self, seat: Seat, heights: RoundHeights, received: Received, place: Reader, replica: Replica
    ) -> str:
        """Compare a payload with its work; the outcome that it passes with, or `AWAY`.

        Args:
            seat: the miner's, in a round whose seats the auditor's miner has (`sit`).
            heights: of the round.
            received: its payload with its report.
            place: where it publishes.
            replica: with θ of the round.

        Raises:
            PayloadRejected: `not_its_work`, or `no_state` where nothing lies that could be trained from.
        """
        report = received.report
        assert report is not None
        try:
            begun = self._state(place, seat, heights, report.before)
        except PlaceAway:
            return AWAY
        payload = self._again(seat, heights, begun, replica)
        if seal.hash_of(payload).hex() == received.entry.payload_hash:
            return SAME
        apart = _apart(self.miner.codec.decode(payload), received.update, replica.layout.size)
        if apart > self.tolerance:
            raise self._not_its_work(payload, report, f"the update is {_far(apart)} away")
        again = state.snapshot(self.miner.replica.model, self.miner.memory)
        try:
            ended = self._state(place, seat, heights, report.after)
        except PlaceAway:
            return AWAY
        apart = state.distance(ended, again, self.miner.replica.model)
        if apart > self.tolerance:
            raise self._not_its_work(payload, report, f"what it then remembers is {_far(apart)} away")
        return ALIKE

    def _again(self, seat: Seat, heights: RoundHeights, begun: MinerState, replica: Replica) -> bytes:
        """The payload that the miner's items make of θ and its state."""
        miner, own = self.miner, self.miner.replica
        self._events.clear()
        miner.hotkey = seat.hotkey
        miner.codec = miner.codec_at(heights.round)
        own.theta_P, own.hash, own.last = replica.theta_P, replica.hash, replica.last
        try:
            state.restore(begun, own.model, miner.memory)
        except PayloadRejected as error:
            raise PayloadRejected(
                f"The state that it published is none. {error}", reason="no_state"
            ) from error
        return miner.work(heights).payload

    def _state(self, place: Reader, seat: Seat, heights: RoundHeights, hash_: bytes) -> MinerState:
        """A state that a miner stated the hash of.

        Raises:
            PlaceAway: its place does not answer.
            PayloadRejected: nothing of this hash lies there.
        """
        nothing = state.fresh(self.miner.replica.model)  # the model's moments are set before it trains
        if nothing.hash == hash_:
            return nothing
        name = object_paths.state(heights.round, seat.uid, hash_)
        try:
            found = MinerState(place.get(name, state.limit(self.miner.replica.model)))
        except PlaceAway:
            raise
        except (ObjectMissing, ObjectTooLarge) as error:
            said = "The round was drawn to be audited, and its miner's state is not in the store."
            raise PayloadRejected(said, reason="no_state") from error
        if found.hash != hash_:
            raise PayloadRejected("The state that it published is not the stated one.", reason="no_state")
        return found

    def _not_its_work(self, payload: bytes, report: WorkReport, how: str) -> PayloadRejected:
        again = report_of(self.miner.codec, payload)
        assert again is not None
        where = where_different(report, again)
        return PayloadRejected(
            f"Trained again from its own state on its assigned items, {how}: its work differs {where}.",
            reason="not_its_work",
        )


def _apart(one: Update, other: Update, size: int) -> float:
    """The distance of two updates in norms of the first; infinite where the first is nothing."""
    one_P, other_P = one.dense(size), other.dense(size)
    norm = float(one_P.norm())
    return float((one_P - other_P).norm()) / norm if norm > 0 else float("inf")


def _far(apart: float) -> str:
    return f"{apart:.2g} times its norm" if apart < float("inf") else "altogether another"
