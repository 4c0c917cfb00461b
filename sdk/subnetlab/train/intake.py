"""From a name on chain to a checked update: every check on what a miner sent, in order, cheapest first.

Commitment of this round, in time; object there and no larger than allowed; reveal there and signed; it
decrypts and is what was committed; it is written as the strategy writes it. Nothing is allocated beyond the
codec's limit, and whatever fails becomes one `PayloadRejected` with a reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from subnetlab.errors import ObjectMissing, ObjectTooLarge, PayloadRejected
from subnetlab.network.chain import Commitment
from subnetlab.store.base import Store
from subnetlab.train import object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.payload import seal
from subnetlab.train.payload.update import Update
from subnetlab.train.roster import Seat
from subnetlab.train.round_record import Accepted
from subnetlab.train.strategies.base import Codec

MOST_REVEALS: Final = 100_000
"""Names below one miner's reveals that are looked at; a validator reads as many in less than a second."""


@dataclass(frozen=True, slots=True)
class Received:
    """A payload that passed every check short of judging its content."""

    update: Update
    entry: Accepted


@dataclass(frozen=True, slots=True)
class Intake:
    """The checks of one round of a run."""

    run: str
    store: Store
    codec: Codec
    deadline_hash: str
    """Of the last block in which a commitment counts."""

    def receive(self, seat: Seat, heights: RoundHeights, commitments: Mapping[str, Commitment]) -> Received:
        """Fetch and check one miner's payload.

        Raises:
            PayloadRejected: with the reason of the first check that failed.
            StoreUnreachable: the store did not answer; the miner is not judged on that.
        """
        commitment = commitments.get(seat.hotkey)
        anchor = self._anchor(commitment, heights)
        assert commitment is not None
        binding = seal.Binding(run=self.run, round=heights.round, hotkey=seat.hotkey)
        data = self._object(object_paths.sealed(heights.round, seat.uid, anchor.current))
        reveal = self._reveal(seat, heights.round, data)
        if not seal.verify(seat.hotkey, seal.signed_text(anchor.current, binding), reveal.signature):
            raise PayloadRejected("The reveal is not signed by its hotkey.", reason="bad_signature")
        payload = seal.unseal(data, reveal, anchor.current, binding)
        update = self.codec.decode(payload)
        entry = Accepted(
            uid=seat.uid,
            hotkey=seat.hotkey,
            payload_hash=seal.hash_of(payload).hex(),
            commitment=anchor.current.hex(),
            block=commitment.block,
        )
        return Received(update, entry)

    def _anchor(self, commitment: Commitment | None, heights: RoundHeights) -> Anchor:
        anchor = Anchor.from_bytes(commitment.data) if commitment else None
        if commitment is None or anchor is None or anchor.who != "miner" or anchor.round != heights.round:
            raise PayloadRejected("No commitment of this round.", reason="missing")
        if not heights.open < commitment.block <= heights.commit:
            raise PayloadRejected(
                f"Committed in block {commitment.block}, the deadline was {heights.commit}.", reason="late"
            )
        return anchor

    def _object(self, name: str) -> bytes:
        try:
            return self.store.get(name, self.codec.limit + seal.OVERHEAD)
        except ObjectMissing:
            raise PayloadRejected("The committed payload is not in the store.", reason="no_payload") from None
        except ObjectTooLarge as error:
            raise PayloadRejected(str(error), reason="too_large") from None

    def _reveal(self, seat: Seat, round_: int, data: bytes) -> seal.Reveal:
        """The reveal whose token the sealed object names; others under the prefix are not even read.

        The token is unknown until the reveal is there, so that no other peer can take its name; hence a
        listing. Its prefix is unknown until the deadline, so that no peer can fill it before, and it is cut
        off only where more names lie than a peer writes between deadline and beacon.
        """
        prefix = object_paths.reveals(round_, seat.uid, self.deadline_hash)
        tokens = (name.rpartition("/")[2] for name in self.store.names(prefix, MOST_REVEALS))
        token = next((token for token in tokens if seal.names_reveal(data, token)), None)
        if token is None:
            raise PayloadRejected("Committed but not revealed.", reason="no_reveal")
        try:
            found = self.store.get(f"{prefix}/{token}", seal.REVEAL_BYTES)
        except (ObjectMissing, ObjectTooLarge):
            raise PayloadRejected("The reveal cannot be read.", reason="malformed") from None
        return seal.Reveal.from_bytes(found)


def drop_copies(received: dict[int, Received]) -> dict[int, PayloadRejected]:
    """Take out payloads that equal one committed no later; only collusion can make such a pair."""
    firsts: dict[str, int] = {}
    copies: dict[int, PayloadRejected] = {}
    for uid in sorted(received, key=lambda uid: (received[uid].entry.block, uid)):
        first = firsts.setdefault(received[uid].entry.payload_hash, uid)
        if first != uid:
            copies[uid] = PayloadRejected(f"The payload equals that of uid {first}.", reason="copied")
    for uid in copies:
        del received[uid]
    return copies
