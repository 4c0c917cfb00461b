"""Everything a miner can send wrong, one row each: rejected with its reason, and never more than that."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch

from subnetlab.errors import PayloadRejected
from subnetlab.network.chain import Commitment
from subnetlab.record.reasons import IN_WORDS
from subnetlab.store.base import Store
from subnetlab.store.objects import open_store
from subnetlab.train import object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.intake import Intake, Received, drop_copies
from subnetlab.train.manifest import Manifest, RoundHeights
from subnetlab.train.payload import seal
from subnetlab.train.roster import Seat
from subnetlab.train.strategies import SparseLoCo
from subnetlab.train.theta import Layout

from .conftest import keypair, seats_for

ROUND = 2
DEADLINE = "0x0b"


@dataclass
class Sender:
    """An honest miner's round in pieces, each of which a test may change before it is sent."""

    manifest: Manifest
    seat: Seat
    layout: Layout
    store: Store

    def __post_init__(self) -> None:
        self.heights: RoundHeights = self.manifest.heights(ROUND)
        self.codec = SparseLoCo().codec(self.layout)
        delta = torch.randn(self.layout.size, generator=torch.Generator().manual_seed(self.seat.uid))
        self.payload = self.codec.encode(delta * 1e-2, {})
        self.binding = seal.Binding(run=self.manifest.hash, round=ROUND, hotkey=self.seat.hotkey)
        self.sealed = seal.seal(self.payload, self.binding)
        self.block = self.heights.commit
        self.reseal()

    def reseal(self) -> None:
        self.data = self.sealed.data
        self.anchor = Anchor("miner", ROUND, self.sealed.commitment).to_bytes()
        signature = keypair(self.seat.uid).sign(seal.signed_text(self.sealed.commitment, self.binding))
        self.reveal = seal.Reveal(self.sealed.salt, self.sealed.key, bytes(signature)).to_bytes()

    def send(self) -> dict[str, Commitment]:
        commitment = self.sealed.commitment
        if self.data is not None:
            self.store.put(object_paths.sealed(ROUND, self.seat.uid, commitment), self.data)
        if self.reveal is not None:
            self.store.put(
                object_paths.reveal(ROUND, self.seat.uid, DEADLINE, self.sealed.token), self.reveal
            )
        return {self.seat.hotkey: Commitment(self.seat.hotkey, self.anchor, self.block)}

    def judged(self) -> Received:
        intake = Intake(self.manifest.hash, self.store, self.codec, DEADLINE)
        return intake.receive(self.seat, self.heights, self.send())


@pytest.fixture
def sender(make_manifest: Callable[..., Manifest], layout: Layout) -> Sender:
    return Sender(make_manifest(strategy=SparseLoCo()), seats_for("miner")[0], layout, open_store("memory"))


def test_an_honest_payload_arrives(sender: Sender) -> None:
    received = sender.judged()
    assert received.entry.block == sender.heights.commit
    assert received.entry.payload_hash == seal.hash_of(sender.payload).hex()
    expected = sender.codec.decode(sender.payload)
    assert torch.equal(received.update.values_N, expected.values_N)


def resealed(**binding: object) -> Callable[[Sender], None]:
    def act(s: Sender) -> None:
        s.sealed = seal.seal(s.payload, replace(s.binding, **binding))
        s.reseal()

    return act


def with_payload(change: Callable[[bytes], bytes]) -> Callable[[Sender], None]:
    def act(s: Sender) -> None:
        s.sealed = seal.seal(change(s.payload), s.binding)
        s.reseal()

    return act


def anchored(who: str = "miner", round_: int = ROUND) -> Callable[[Sender], None]:
    return lambda s: setattr(s, "anchor", Anchor(who, round_, s.sealed.commitment).to_bytes())


def assign(name: str, value: Callable[[Sender], object]) -> Callable[[Sender], None]:
    return lambda s: setattr(s, name, value(s))


WRONG: dict[str, tuple[Callable[[Sender], None], str]] = {
    "commitment is garbage": (assign("anchor", lambda s: b"\xff" * 72), "missing"),
    "commitment is empty": (assign("anchor", lambda s: b""), "missing"),
    "commitment is a validator's": (anchored(who="validator"), "missing"),
    "commitment of another round": (anchored(round_=ROUND - 1), "missing"),
    "commitment after the deadline": (assign("block", lambda s: s.heights.beacon), "late"),
    "commitment before the round": (assign("block", lambda s: s.heights.open), "late"),
    "object missing": (assign("data", lambda s: None), "no_payload"),
    "object far too large": (assign("data", lambda s: s.data + bytes(s.codec.limit)), "too_large"),
    "object truncated": (assign("data", lambda s: s.data[:-1]), "wrong_key"),
    "object altered": (assign("data", lambda s: s.data[:-1] + bytes([s.data[-1] ^ 1])), "wrong_key"),
    "object empty": (assign("data", lambda s: b""), "no_reveal"),
    "never revealed": (assign("reveal", lambda s: None), "no_reveal"),
    "reveal too long": (assign("reveal", lambda s: s.reveal + b"\0"), "malformed"),
    "reveal too short": (assign("reveal", lambda s: s.reveal[:-1]), "malformed"),
    "reveal unsigned": (assign("reveal", lambda s: s.reveal[:-64] + bytes(64)), "bad_signature"),
    "reveal of another key": (
        assign("reveal", lambda s: s.reveal[:32] + bytes(32) + s.reveal[64:]),
        "wrong_key",
    ),
    "reveal of another salt": (assign("reveal", lambda s: bytes(32) + s.reveal[32:]), "wrong_hash"),
    "sealed for another round": (resealed(round=ROUND - 1), "wrong_key"),
    "sealed for another run": (resealed(run="f" * 64), "wrong_key"),
    "sealed by another hotkey": (resealed(hotkey=keypair(9).ss58_address), "wrong_key"),
    "payload is noise": (with_payload(lambda p: bytes(len(p))), "malformed"),
    "payload is empty": (with_payload(lambda p: b""), "malformed"),
    "payload is cut": (with_payload(lambda p: p[:-1]), "malformed"),
    "payload is a pickle": (with_payload(lambda p: b"\x80\x04]\x94."), "malformed"),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_payload_is_rejected_with_its_reason(sender: Sender, name: str) -> None:
    spoil, reason = WRONG[name]
    spoil(sender)
    with pytest.raises(PayloadRejected) as caught:
        sender.judged()
    assert caught.value.reason == reason
    assert reason in IN_WORDS


def test_without_a_commitment_nothing_is_fetched(sender: Sender) -> None:
    sender.send()
    with pytest.raises(PayloadRejected) as caught:
        Intake(sender.manifest.hash, sender.store, sender.codec, DEADLINE).receive(
            sender.seat, sender.heights, {}
        )
    assert caught.value.reason == "missing"


def test_a_thief_who_copies_object_and_commitment_gets_nothing(sender: Sender) -> None:
    stolen = sender.send()[sender.seat.hotkey]
    thief = seats_for("miner", "miner")[1]
    store, codec = sender.store, sender.codec
    store.put(object_paths.sealed(ROUND, thief.uid, sender.sealed.commitment), sender.data)
    signature = keypair(thief.uid).sign(seal.signed_text(sender.sealed.commitment, sender.binding))
    reveal = seal.Reveal(sender.sealed.salt, sender.sealed.key, bytes(signature)).to_bytes()
    store.put(object_paths.reveal(ROUND, thief.uid, DEADLINE, sender.sealed.token), reveal)
    with pytest.raises(PayloadRejected) as caught:
        Intake(sender.manifest.hash, store, codec, DEADLINE).receive(
            thief, sender.heights, {thief.hotkey: replace(stolen, hotkey=thief.hotkey)}
        )
    assert caught.value.reason == "bad_signature"


def test_junk_under_the_reveal_prefix_is_not_even_read(sender: Sender) -> None:
    for i in range(50):
        sender.store.put(object_paths.reveal(ROUND, sender.seat.uid, DEADLINE, f"{i:064x}"), bytes(500_000))
    assert sender.judged().entry.uid == sender.seat.uid


def test_of_two_equal_payloads_the_later_is_a_copy(sender: Sender) -> None:
    first = sender.judged()
    early = replace(first, entry=replace(first.entry, uid=8, block=first.entry.block - 1))
    same_block = replace(first, entry=replace(first.entry, uid=9))
    received = {0: first, 8: early, 9: same_block}
    copies = drop_copies(received)
    assert sorted(copies) == [0, 9]
    assert {error.reason for error in copies.values()} == {"copied"}
    assert list(received) == [8]
