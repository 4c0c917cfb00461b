"""Each payload against its commitment: in time, signed, opened by its reveal, and of the recorded hash."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from subnetlab.errors import ObjectMissing, ObjectTooLarge, PayloadRejected, PlaceAway
from subnetlab.store.base import Reader
from subnetlab.store.places import Places, place_of
from subnetlab.train import object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.intake import Intake, Received
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.payload import seal
from subnetlab.train.round_record import Accepted
from subnetlab.train.strategies.base import Codec
from subnetlab.train.verify.findings import Report, What
from subnetlab.train.verify.sources import Sources, window_text

_MOST_REVEALS: Final = 64
"""Names below a miner's reveals that are looked at to tell which object was altered."""
_OF_COMMITMENT: Final = frozenset({"missing", "late"})


@dataclass(slots=True)
class Opened:
    """The payloads of a round as anyone can open them now."""

    received: dict[int, Received] = field(default_factory=dict[int, Received])
    rejected: dict[int, PayloadRejected] = field(default_factory=dict[int, PayloadRejected])


def open_round(sources: Sources, codec: Codec, heights: RoundHeights) -> Opened:
    """Open every miner's payload of a round, as a validator does after the beacon.

    Raises:
        StoreUnreachable: the store did not answer.
    """
    assert sources.store is not None
    assert sources.history is not None
    opened = Opened()
    intake = Intake(sources.manifest_hash, sources.store, codec, sources.history.hashes[heights.commit])
    commitments = sources.history.commitments_at(heights.beacon)
    for seat in sources.miners(heights.round):
        try:
            opened.received[seat.uid] = intake.receive(seat, heights, commitments)
        except PayloadRejected as error:
            opened.rejected[seat.uid] = error
    return opened


def check_accepted(
    sources: Sources, heights: RoundHeights, accepted: Iterable[Accepted], opened: Opened, report: Report
) -> bool:
    """Compare what a round record took with what lies on chain and in the store; whether all of it holds."""
    seats = {seat.uid: seat for seat in sources.seats(heights.round)}
    before = len(report.findings)
    for entry in accepted:
        report.count("payloads")
        seat = seats.get(entry.uid)
        if seat is None or seat.hotkey != entry.hotkey:
            report.tampered(
                "payloads", "seat", f"The round record names {entry.hotkey}, which does not hold this seat.",
                round_=heights.round, uid=entry.uid,
            )  # fmt: skip
            continue
        committed = sources.commitment_of(heights.round, seat)
        found = opened.received.get(entry.uid)
        if committed is None or committed.block != entry.block:
            report.tampered(
                "payloads", "commitment",
                f"The round record names a commitment in block {entry.block}; the chain holds "
                + (f"one in block {committed.block}." if committed else f"none in {window_text(heights)}."),
                round_=heights.round, uid=entry.uid,
            )  # fmt: skip
        elif (
            anchor := Anchor.from_bytes(committed.data)
        ) is None or anchor.current.hex() != entry.commitment:
            said = "The round record names another commitment than this miner has on chain."
            report.tampered("payloads", "commitment", said, round_=heights.round, uid=entry.uid)
        elif found is None:
            _refused(sources, heights, (entry, anchor), opened.rejected[entry.uid], report)
        elif found.entry != entry:
            said = "The payload that was committed and revealed is not the one that the round record names."
            report.tampered("payloads", "payload", said, round_=heights.round, uid=entry.uid)
    return len(report.findings) == before


def _refused(
    sources: Sources, heights: RoundHeights, accepted: tuple[Accepted, Anchor], error: PayloadRejected,
    report: Report,
) -> None:  # fmt: skip
    """Name what was altered so that an accepted payload does not open any more."""
    entry, anchor = accepted
    reveals = _reveals(sources, heights, entry.uid, anchor)
    binding = seal.Binding(run=sources.manifest_hash, round=heights.round, hotkey=entry.hotkey)
    commitment, payload_hash = bytes.fromhex(entry.commitment), bytes.fromhex(entry.payload_hash)
    salted = any(
        seal.commitment_of(binding, r.salt, payload_hash) == commitment for r in reveals.values() if r
    )
    missing: What | None = None
    what: What = "payload"
    if error.reason in _OF_COMMITMENT:
        what = "commitment"
    elif error.reason == "no_payload":
        missing = "payload"
    elif error.reason == "no_reveal" and not reveals:
        missing = "reveal"
    elif error.reason == "bad_signature" or not salted:
        what = "reveal"
    said = f"The round record took this payload, and now: {error.args[0]}"
    if missing is not None:
        report.unchecked("payloads", missing, said, round_=heights.round, uid=entry.uid)
    else:
        report.tampered("payloads", what, said, round_=heights.round, uid=entry.uid)


def _reveals(
    sources: Sources, heights: RoundHeights, uid: int, anchor: Anchor
) -> dict[str, seal.Reveal | None]:  # fmt: skip
    """What lies where a miner reveals; None for what is no reveal.

    In a place of its own a reveal lies under its commitment; such a place need not keep a list.
    """
    store, history = sources.store, sources.history
    assert store is not None
    assert history is not None
    where = (heights.round, uid, history.hashes[heights.commit])
    place = place_of(store, uid, anchor.locator)
    names = {object_paths.reveal(*where, anchor.current.hex())} if isinstance(store, Places) else set[str]()
    with suppress(PlaceAway):
        names |= {*place.names(object_paths.reveals(*where), _MOST_REVEALS)}
    found: dict[str, seal.Reveal | None] = {}
    for name in sorted(names):
        with suppress(ObjectMissing):
            found[name] = _reveal(place, name)
    return found


def _reveal(store: Reader, name: str) -> seal.Reveal | None:
    try:
        return seal.Reveal.from_bytes(store.get(name, seal.REVEAL_BYTES))
    except (PayloadRejected, ObjectTooLarge):
        return None
