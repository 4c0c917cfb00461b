"""Hostile payloads by the thousand, properly sealed: each is refused by a reason or is a sound update.

The objects around them are the matter of `test_hostile_objects`. Every strategy's payload is bent in every
way below; ten bent ones go beside an honest one, which arrives.
"""

import json
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from subnetlab.errors import PayloadRejected
from subnetlab.network.chain import Commitment
from subnetlab.record.reasons import IN_WORDS
from subnetlab.store.objects import open_store
from subnetlab.train import object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.intake import Intake, Received
from subnetlab.train.manifest import Manifest
from subnetlab.train.payload import seal
from subnetlab.train.strategies import DeMo, DiLoCo, MuLoCo, SparseLoCo, StreamingDiLoCo
from subnetlab.train.strategies.base import Codec, Strategy
from subnetlab.train.theta import Layout

from .conftest import MakeManifest, keypair, seats_for

ROUND, DEADLINE, MINERS = 2, "0x0b", 11
STRATEGIES: tuple[Strategy, ...] = (SparseLoCo(), MuLoCo(), StreamingDiLoCo(), DeMo(), DiLoCo())
ODD_NUMBERS = (0, -1, 1, 2**31, 2**63, 2**64, 1e308, float("inf"), float("nan"), "8", None, True, [], {})
ODD_FLOATS = (float("nan"), float("inf"), float("-inf"), 3e38, -3e38, 1e-45, 0.0)


def parts(payload: bytes) -> tuple[dict[str, object], bytes]:
    """A payload's header and what follows it."""
    end = 8 + int.from_bytes(payload[:8], "little")
    return json.loads(payload[8:end]), payload[end:]


def headed(header: object, body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def some_bits(payload: bytes, others: list[bytes], drawn: random.Random) -> bytes:
    bent = bytearray(payload)
    for _ in range(drawn.choice((1, 2, 8, 100))):
        bent[drawn.randrange(len(bent))] ^= 1 << drawn.randrange(8)
    return bytes(bent)


def a_cut(payload: bytes, others: list[bytes], drawn: random.Random) -> bytes:
    return payload[: drawn.randrange(len(payload))]


def a_tail(payload: bytes, others: list[bytes], drawn: random.Random) -> bytes:
    return payload + drawn.randbytes(drawn.randrange(1, 200))


def noise(payload: bytes, others: list[bytes], drawn: random.Random) -> bytes:
    """A sound header over a body of noise."""
    header, body = parts(payload)
    return headed(header, drawn.randbytes(len(body)))


def nothing_but_noise(payload: bytes, others: list[bytes], drawn: random.Random) -> bytes:
    return drawn.randbytes(drawn.choice((0, 1, 7, 8, 9, 64, len(payload))))


def one_byte_repeated(payload: bytes, others: list[bytes], drawn: random.Random) -> bytes:
    """A body that says the same over and over: the longest runs and counts that a code can claim."""
    header, body = parts(payload)
    return headed(header, bytes([drawn.choice((0x00, 0xFF, 0x01, 0x80, 0x55))]) * len(body))


def a_wrong_number(payload: bytes, others: list[bytes], drawn: random.Random) -> bytes:
    """Another number in a tensor's shape or offsets, or in what the payload says about itself."""
    header, body = parts(payload)
    entry = header[drawn.choice(list(header))]
    assert isinstance(entry, dict)
    name = drawn.choice(list(entry))
    if isinstance(entry[name], list) and entry[name] and drawn.random() < 0.7:
        entry[name][drawn.randrange(len(entry[name]))] = drawn.choice(ODD_NUMBERS)
    else:
        entry[name] = drawn.choice(ODD_NUMBERS)
    return headed(header, body)


def another_list_of_tensors(payload: bytes, others: list[bytes], drawn: random.Random) -> bytes:
    header, body = parts(payload)
    names = [name for name in header if not name.startswith("__")]
    name = drawn.choice(names)
    match drawn.randrange(4 if len(names) > 1 else 3):
        case 0:
            del header[name]
        case 1:
            header[name + "x"] = header.pop(name)
        case 2:
            header["x" * drawn.randrange(1, 1200)] = header[name]
        case _:
            header = dict(reversed(header.items()))
    return headed(header, body)


def odd_values(payload: bytes, others: list[bytes], drawn: random.Random) -> bytes:
    """NaN, infinities and the largest numbers where a tensor of floats lies."""
    header, body = parts(payload)
    bent = bytearray(body)
    floats = {"F16": np.dtype("<f2"), "F32": np.dtype("<f4")}
    for entry in header.values():
        assert isinstance(entry, dict)
        if entry.get("dtype") not in floats:
            continue
        begin, end = entry["data_offsets"]
        with np.errstate(over="ignore"):
            values = np.frombuffer(bytes(bent[begin:end]), dtype=floats[entry["dtype"]]).copy()
            for _ in range(drawn.randrange(1, 4)) if len(values) else ():
                values[drawn.randrange(len(values))] = drawn.choice(ODD_FLOATS)
        bent[begin:end] = values.tobytes()
    return headed(header, bytes(bent))


def spliced(payload: bytes, others: list[bytes], drawn: random.Random) -> bytes:
    """The head of one strategy's payload on the body of another's."""
    return headed(parts(payload)[0], parts(drawn.choice(others))[1])


def anothers(payload: bytes, others: list[bytes], drawn: random.Random) -> bytes:
    return drawn.choice(others)


def a_program(payload: bytes, others: list[bytes], drawn: random.Random) -> bytes:
    """What runs code where a reader unpickles, or unpacks to far more than it is."""
    begins = drawn.choice((b"\x80\x04cos\nsystem\n(S'true'\ntR.", b"PK\x03\x04", b"\x1f\x8b\x08\0"))
    return begins + payload[:64]


Bend = Callable[[bytes, list[bytes], random.Random], bytes]
BENDS: tuple[Bend, ...] = (
    some_bits, a_cut, a_tail, noise, nothing_but_noise, one_byte_repeated, a_wrong_number,
    another_list_of_tensors, odd_values, spliced, anothers, a_program,
)  # fmt: skip
ALWAYS_REFUSED = {a_cut, a_tail, nothing_but_noise, another_list_of_tensors, anothers, a_program}


@dataclass
class Flood:
    """Rounds of one honest miner and ten hostile ones, whose payloads are bent one after the other."""

    manifest: Manifest
    layout: Layout
    drawn: random.Random = field(default_factory=lambda: random.Random(5))

    def __post_init__(self) -> None:
        self.heights, self.seats = self.manifest.heights(ROUND), seats_for(*["miner"] * MINERS)
        self.codecs = [strategy.codec(self.layout, ROUND) for strategy in STRATEGIES]
        generator = torch.Generator().manual_seed(3)
        delta_P = torch.randn(self.layout.size, generator=generator) * 1e-2
        self.sound = [codec.encode(delta_P.clone(), {}) for codec in self.codecs]

    def rounds(self, count: int) -> Iterator[tuple[Bend, Received | PayloadRejected]]:
        """What became of so many bent payloads."""
        for batch in range(0, count, MINERS - 1):
            which = batch // (MINERS - 1) % len(STRATEGIES)
            others = [payload for index, payload in enumerate(self.sound) if index != which]
            bends = [BENDS[(batch // len(STRATEGIES) + seat.uid) % len(BENDS)] for seat in self.seats[1:]]
            bent = [bend(self.sound[which], others, self.drawn) for bend in bends]
            honest, *hostile = self.judged(self.codecs[which], [self.sound[which], *bent])
            assert isinstance(honest, Received), honest
            yield from zip(bends, hostile, strict=True)

    def judged(self, codec: Codec, payloads: list[bytes]) -> list[Received | PayloadRejected]:
        store, commitments = open_store("memory"), dict[str, Commitment]()
        for seat, payload in zip(self.seats, payloads, strict=True):
            binding = seal.Binding(run=self.manifest.hash, round=ROUND, hotkey=seat.hotkey)
            sealed = seal.seal(payload, binding)
            signature = bytes(keypair(seat.uid).sign(seal.signed_text(sealed.commitment, binding)))
            store.put(object_paths.sealed(ROUND, seat.uid, sealed.commitment), sealed.data)
            reveal = seal.Reveal(sealed.salt, sealed.key, signature).to_bytes()
            store.put(object_paths.reveal(ROUND, seat.uid, DEADLINE, sealed.token), reveal)
            anchor = Anchor("miner", ROUND, sealed.commitment).to_bytes()
            commitments[seat.hotkey] = Commitment(seat.hotkey, anchor, self.heights.commit)
        intake, found = Intake(self.manifest.hash, store, codec, DEADLINE), list[Received | PayloadRejected]()
        for seat, sent in zip(
            self.seats, intake.fetch_all(self.seats, self.heights, commitments).values(), strict=True
        ):
            try:
                found.append(
                    sent if isinstance(sent, PayloadRejected) else intake.check(seat, self.heights, sent)
                )
            except PayloadRejected as error:
                found.append(error)
        return found


def is_sound(received: Received, layout: Layout) -> bool:
    """Whether an update can do no more than move parameters of the model by finite amounts."""
    values_N, positions_N = received.update.values_N, received.update.positions_N
    if not bool(values_N.isfinite().all()):
        return False
    if positions_N is None:
        return len(values_N) == layout.size
    places = positions_N.numpy()
    inside = not len(places) or (places.min() >= 0 and places.max() < layout.size)
    return inside and len(np.unique(places)) == len(places) == len(values_N)


def all_named(flood: Flood, count: int) -> None:
    seen: Counter[str] = Counter()
    for bend, found in flood.rounds(count):
        if isinstance(found, Received):
            assert bend not in ALWAYS_REFUSED, bend.__name__
            assert is_sound(found, flood.layout), bend.__name__
            seen["sound"] += 1
        else:
            assert found.reason in IN_WORDS, (bend.__name__, found.reason)
            seen[found.reason] += 1
    assert seen.total() == count
    assert {"malformed", "not_finite", "huge"} <= set(seen), seen


@pytest.fixture
def flood(make_manifest: MakeManifest, layout: Layout) -> Flood:
    return Flood(make_manifest(), layout)


def test_six_hundred_bent_payloads_are_each_named_or_sound(flood: Flood) -> None:
    tracemalloc.start()
    try:
        all_named(flood, 600)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20, "eleven payloads of forty kilobytes, decoded one after the other"


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_bent_payloads_are_each_named_or_sound(flood: Flood) -> None:
    all_named(flood, 100_000)
