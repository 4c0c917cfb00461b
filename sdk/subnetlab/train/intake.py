"""From a name on chain to a checked update: every check on what a miner sent, in order, cheapest first.

Commitment of this round, in time; object there and no larger than allowed; reveal there and signed; it
decrypts and is what was committed; it is written as the strategy writes it. Nothing is allocated beyond the
codec's limit, and whatever fails becomes one `PayloadRejected` with a reason. Places of strangers are
read side by side, and who drips is not waited for, so that this costs its own round alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from subnetlab.errors import ObjectMissing, ObjectTooLarge, PayloadRejected, PlaceAway
from subnetlab.network.chain import Commitment
from subnetlab.store.base import Reader, Store
from subnetlab.store.places import Places, place_of
from subnetlab.train import object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.audit.report import WorkReport, report_of
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.payload import seal
from subnetlab.train.payload.update import Update
from subnetlab.train.roster import Seat
from subnetlab.train.round_record import Accepted
from subnetlab.train.stragglers import Until, read_all
from subnetlab.train.strategies.base import Codec

S = TypeVar("S")
T = TypeVar("T")
MOST_REVEALS: Final = 100_000
"""Names below one miner's reveals that are looked at; a validator reads as many in less than a second."""


@dataclass(frozen=True, slots=True)
class Received:
    """A payload that passed every check short of judging its content."""

    update: Update
    entry: Accepted
    report: WorkReport | None = None
    """What the miner states of its work, where the run asks for that."""
    locator: str = ""
    """Where the miner's objects are read, by its own anchor."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one miner put on chain and into its place for a round, not checked yet."""

    anchor: Anchor
    block: int
    data: bytes
    reveal: seal.Reveal


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
            StoreUnreachable: the store that all peers share did not answer; no miner is judged on that.
        """
        return self.check(seat, heights, self.fetch(seat, heights, commitments))

    def fetch_all(
        self, seats: Iterable[Seat], heights: RoundHeights, commitments: Mapping[str, Commitment],
        until: Until | None = None,
    ) -> dict[int, Fetched | PayloadRejected]:  # fmt: skip
        """What every miner sent, or why it could not be had, by uid.

        Args:
            seats: of the miners.
            heights: of the round.
            commitments: on chain.
            until: when stragglers are waited for no longer; None: as long as each place is read.

        Raises:
            StoreUnreachable: the store that all peers share did not answer.
        """

        def fetched(seat: Seat) -> Fetched | PayloadRejected:
            try:
                return self.fetch(seat, heights, commitments)
            except PayloadRejected as error:
                return error

        def arrived(found: Fetched | PayloadRejected) -> bool:
            return isinstance(found, Fetched)

        seated = list(seats)
        found = self._of_all(fetched, seated, until, arrived)
        return {seat.uid: one or _straggler(seat.uid) for seat, one in zip(seated, found, strict=True)}

    def again_all(
        self, entries: Sequence[Accepted], heights: RoundHeights, locators: Mapping[str, str],
        until: Until | None = None,
    ) -> dict[int, Update]:  # fmt: skip
        """The updates of all payloads that a round's record names, by uid; errors as `again`.

        Args:
            entries: of the record.
            heights: of its round.
            locators: where the objects of each hotkey are read by now, unless its seat says it.
            until: when stragglers are waited for no longer; None: as long as each place is read.
        """

        def update(entry: Accepted) -> Update:
            return self.again(entry, heights, locators.get(entry.hotkey, "")).update

        updates: dict[int, Update] = {}
        for entry, found in zip(entries, self._of_all(update, entries, until, lambda _: True), strict=True):
            if found is None:
                raise _straggler(entry.uid)
            updates[entry.uid] = found
        return updates

    def _of_all(
        self, read: Callable[[S], T], those: Sequence[S], until: Until | None, arrived: Callable[[T], bool]
    ) -> Sequence[T | None]:
        """What is read of several miners, side by side where their places are those of strangers."""
        if not isinstance(self.store, Places) or not self.store.own_backing:
            return [read(one) for one in those]
        return read_all(read, those, until, arrived=arrived)

    def fetch(self, seat: Seat, heights: RoundHeights, commitments: Mapping[str, Commitment]) -> Fetched:
        """Read one miner's commitment, object and reveal.

        Raises:
            PayloadRejected: one of them is not there, not in time, or too large.
            StoreUnreachable: the store that all peers share did not answer.
        """
        commitment = commitments.get(seat.hotkey)
        anchor = self._anchor(commitment, heights)
        assert commitment is not None
        place = place_of(self.store, seat.uid, anchor.locator)
        data = self._object(place, object_paths.sealed(heights.round, seat.uid, anchor.current))
        return Fetched(anchor, commitment.block, data, self._reveal(place, seat, heights.round, anchor, data))

    def again(self, entry: Accepted, heights: RoundHeights, locator: str = "") -> Received:
        """Fetch and check a payload that a round's record names, whatever lies on chain by now.

        Raises:
            PayloadRejected: it is not there any more, or not what the record names.
            StoreUnreachable: the store that all peers share did not answer.
        """
        seat = Seat.of(entry.uid, entry.hotkey, "miner")
        anchor = Anchor("miner", heights.round, bytes.fromhex(entry.commitment), locator=locator)
        place = place_of(self.store, entry.uid, locator)
        data = self._object(place, object_paths.sealed(heights.round, entry.uid, anchor.current))
        reveal = self._reveal(place, seat, heights.round, anchor, data)
        received = self.check(seat, heights, Fetched(anchor, entry.block, data, reveal))
        if received.entry != entry:
            raise PayloadRejected("The payload is not the one that was accepted.", reason="wrong_hash")
        return received

    def check(self, seat: Seat, heights: RoundHeights, fetched: Fetched) -> Received:
        """Open and decode what a miner sent.

        Raises:
            PayloadRejected: with the reason of the first check that failed.
        """
        binding = seal.Binding(run=self.run, round=heights.round, hotkey=seat.hotkey)
        anchor, data, reveal = fetched.anchor, fetched.data, fetched.reveal
        if not seal.verify(seat.hotkey, seal.signed_text(anchor.current, binding), reveal.signature):
            raise PayloadRejected("The reveal is not signed by its hotkey.", reason="bad_signature")
        payload = seal.unseal(data, reveal, anchor.current, binding)
        if not seal.names_reveal(data, seal.token_of(reveal.salt)):
            raise PayloadRejected("The sealed object names another reveal.", reason="no_reveal")
        update = self.codec.decode(payload)
        entry = Accepted(
            uid=seat.uid,
            hotkey=seat.hotkey,
            payload_hash=seal.hash_of(payload).hex(),
            commitment=anchor.current.hex(),
            block=fetched.block,
        )
        return Received(update, entry, report_of(self.codec, payload), anchor.locator)

    def _anchor(self, commitment: Commitment | None, heights: RoundHeights) -> Anchor:
        anchor = Anchor.from_bytes(commitment.data) if commitment else None
        if commitment is None or anchor is None or anchor.who != "miner" or anchor.round != heights.round:
            raise PayloadRejected("No commitment of this round.", reason="missing")
        if not heights.open < commitment.block <= heights.commit:
            raise PayloadRejected(
                f"Committed in block {commitment.block}, the deadline was {heights.commit}.", reason="late"
            )
        return anchor

    def _object(self, place: Reader, name: str) -> bytes:
        try:
            return place.get(name, self.codec.limit + seal.OVERHEAD)
        except PlaceAway as error:
            raise _away(error) from None
        except ObjectMissing:
            raise PayloadRejected("The committed payload is not in the store.", reason="no_payload") from None
        except ObjectTooLarge as error:
            raise PayloadRejected(str(error), reason="too_large") from None

    def _reveal(self, place: Reader, seat: Seat, round_: int, anchor: Anchor, data: bytes) -> seal.Reveal:
        """The reveal of a sealed object.

        In a place of the miner's own it lies under the commitment, and nothing is listed. In a store that
        all peers share another peer can take that name; there the name is a token that only the sealed
        object names, unknown until the reveal is there, hence a listing. Its prefix is unknown until the
        deadline, so that no peer can fill it before, and it is cut off only where more names lie than a peer
        writes between deadline and beacon.
        """
        prefix = object_paths.reveals(round_, seat.uid, self.deadline_hash)
        named = self._revealed(place, f"{prefix}/{anchor.current.hex()}")
        if isinstance(named, seal.Reveal):
            binding = seal.Binding(run=self.run, round=round_, hotkey=seat.hotkey)
            if seal.verify(seat.hotkey, seal.signed_text(anchor.current, binding), named.signature):
                return named
        token = self._token(place, prefix, data)
        found = named if token is None else self._revealed(place, f"{prefix}/{token}")
        if found is None and token is None:
            raise PayloadRejected("Committed but not revealed.", reason="no_reveal")
        if found is None:
            raise PayloadRejected("The reveal cannot be read.", reason="malformed")
        if isinstance(found, PayloadRejected):
            raise found
        return found

    def _revealed(self, place: Reader, name: str) -> seal.Reveal | PayloadRejected | None:
        """What lies under the name of a reveal; None where nothing does."""
        try:
            return seal.Reveal.from_bytes(place.get(name, seal.REVEAL_BYTES))
        except PlaceAway as error:
            raise _away(error) from None
        except ObjectMissing:
            return None
        except ObjectTooLarge:
            return PayloadRejected("The reveal cannot be read.", reason="malformed")
        except PayloadRejected as error:
            return error

    def _token(self, place: Reader, prefix: str, data: bytes) -> str | None:
        """The name of a reveal that a sealed object names; None where it is not listed."""
        try:
            listed = place.names(prefix, MOST_REVEALS)
        except PlaceAway:  # a mirror keeps no list, and has answered for the commitment already
            return None
        tokens = (name.rpartition("/")[2] for name in listed)
        return next((token for token in tokens if seal.names_reveal(data, token)), None)


def _away(error: PlaceAway) -> PayloadRejected:
    return PayloadRejected(f"The miner's place cannot be read. {error}", reason="unreachable")


def _straggler(uid: int) -> PayloadRejected:
    said = f"The place of uid {uid} had not answered whole when the others had long been read."
    return PayloadRejected(said, reason="unreachable")


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
