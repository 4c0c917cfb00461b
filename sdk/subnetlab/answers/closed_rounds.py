"""A round of the past, found from chain and store as any stranger could: whose scores closed it.

The chain keeps the last commitment of a hotkey alone; earlier records are found backwards, from hash to hash.
"""

from collections.abc import Iterator

from subnetlab.answers.manifest import AnswersManifest
from subnetlab.answers.score_record import LIMIT, ScoreRecord
from subnetlab.errors import ObjectMissing, ObjectTooLarge, PayloadRejected
from subnetlab.network.chain import Chain, Commitment
from subnetlab.store.base import Reader, Store
from subnetlab.store.places import place_of
from subnetlab.train import object_paths
from subnetlab.train.anchors import NOTHING, Anchor
from subnetlab.train.roster import Roster, validators


def record_of(
    manifest: AnswersManifest, round_: int, roster: Roster, chain: Chain, store: Store
) -> tuple[ScoreRecord, int] | None:
    """The record that closed a round, and its lead's uid; None where none was on chain in time.

    Raises:
        NodeUnreachable: the chain does not answer.
    """
    commitments = chain.commitments()
    for seat in validators(roster.at(manifest.heights(round_).open)):
        anchor = anchored(manifest, commitments.get(seat.hotkey))
        if anchor is None or anchor.round < round_:
            continue
        for record in records(manifest, anchor, place_of(store, seat.uid, anchor.locator)):
            if record.round == round_:
                return record, seat.uid
    return None


def anchored(manifest: AnswersManifest, commitment: Commitment | None) -> Anchor | None:
    """A validator's anchor of this run that was in time."""
    anchor = Anchor.from_bytes(commitment.data) if commitment else None
    if commitment is None or anchor is None or anchor.who != "validator":
        return None
    heights = manifest.heights(anchor.round)
    return anchor if heights.open < commitment.block <= heights.close else None


def record_at(hash_: str, place: Reader) -> ScoreRecord | None:
    """The record of a hash in a validator's place; None where it is not there."""
    try:
        return ScoreRecord.of_hash(hash_, place.get(object_paths.record(hash_), LIMIT))
    except (ObjectMissing, ObjectTooLarge, PayloadRejected):
        return None


def records(manifest: AnswersManifest, anchor: Anchor, place: Reader) -> Iterator[ScoreRecord]:
    """A validator's records, newest first, as far as they hold."""
    current, before = anchor.current.hex(), manifest.rounds
    while current != NOTHING.hex():
        record = record_at(current, place)
        if record is None or record.run != manifest.hash or record.round >= before:
            return
        yield record
        current, before = record.previous, record.round
