"""The table of planted tamperings with objects, data, manifest and seats, and how `verify` must name each."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from subnetlab.store.objects import open_store
from subnetlab.train.data.corpus import Corpus, in_memory, write
from subnetlab.train.data.shards import publish_shard_hashes
from subnetlab.train.verify.findings import What
from subnetlab.train.verify.identity import canonical_hash

from .tampering import World, flip, of, swap


@dataclass(frozen=True)
class Planted:
    """One tampering; rounds count from 1, uids are places in the fleet: m0 the first miner, v0 the lead."""

    name: str
    spoil: Callable[[World], World | None]
    what: What
    round: int | None = None
    uid: str = ""
    replay: float = 0.0


Spoil = Callable[[World], None]


def _written(path: Callable[[World], Path], data: Callable[[bytes], bytes]) -> Spoil:
    """Replace an object's bytes."""

    def spoil(world: World) -> None:
        target = path(world)
        target.write_bytes(data(target.read_bytes()))

    return spoil


def _sealed(round_: int, place: str) -> Callable[[World], Path]:
    return lambda world: world.sealed(round_, world.uid(place))


def _reveal(round_: int, place: str) -> Callable[[World], Path]:
    return lambda world: world.reveal(round_, world.uid(place))


def _bit(path: Callable[[World], Path], place: int = -1) -> Spoil:
    return lambda world: flip(path(world), place)


def _swapped(one: Callable[[World], Path], other: Callable[[World], Path]) -> Spoil:
    return lambda world: swap(one(world), other(world))


def _renamed_reveal(world: World) -> None:
    path = world.reveal(2, world.uid("m1"))
    path.rename(path.with_name("00" * 32))


def _other_entry(data: bytes) -> bytes:
    record = json.loads(data)
    record["accepted"][1]["payload_hash"] = "ab" * 32
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()


STORE = [
    Planted("a bit of a sealed payload", _bit(_sealed(1, "m0")), "payload", 1, "m0"),
    Planted("a bit in the middle of one", _bit(_sealed(3, "m2"), 400), "payload", 3, "m2"),
    Planted("the reveal's name in a payload", _bit(_sealed(2, "m1"), 3), "payload", 2, "m1"),
    Planted("a payload cut short", _written(_sealed(2, "m1"), lambda data: data[:100]), "payload", 2, "m1"),
    Planted("an empty payload", _written(_sealed(2, "m1"), lambda _: b""), "payload", 2, "m1"),
    Planted("a payload that grew", _written(_sealed(4, "m0"), lambda _: bytes(1 << 20)), "payload", 4, "m0"),
    Planted("two miners' payloads", _swapped(_sealed(2, "m0"), _sealed(2, "m2")), "payload", 2, "m2"),
    Planted("two rounds' payloads", _swapped(_sealed(2, "m0"), _sealed(3, "m0")), "payload", 3, "m0"),
    Planted("the salt of a reveal", _bit(_reveal(2, "m1"), 5), "reveal", 2, "m1"),
    Planted("the key of a reveal", _bit(_reveal(2, "m1"), 40), "payload", 2, "m1"),
    Planted("the signature of a reveal", _bit(_reveal(1, "m2")), "reveal", 1, "m2"),
    Planted("a reveal cut short", _written(_reveal(1, "m2"), lambda data: data[:-1]), "reveal", 1, "m2"),
    Planted("two miners' reveals", _swapped(_reveal(3, "m0"), _reveal(3, "m1")), "reveal", 3, "m1"),
    Planted("a reveal under another name", _renamed_reveal, "payload", 2, "m1"),
    Planted("a bit of an aggregate", _bit(lambda world: world.aggregate(2)), "aggregate", 2, "v0"),
    Planted(
        "another round's aggregate",
        lambda world: world.aggregate(2).write_bytes(world.aggregate(3).read_bytes()) and None,
        "aggregate",
        2,
        "v0",
    ),
    Planted(
        "an empty aggregate", _written(lambda world: world.aggregate(4), lambda _: b""), "aggregate", 4, "v0"
    ),
    Planted("a bit of a round record", _bit(lambda world: world.record(2), 30), "round record", 2, "v0"),
    Planted(
        "no round record", _written(lambda world: world.record(2), lambda _: b"{}"), "round record", 2, "v0"
    ),
    Planted(
        "a miner's entry in one",
        _written(lambda world: world.record(3), _other_entry),
        "round record",
        3,
        "m1",
    ),
    Planted(
        "two rounds' records",
        _swapped(lambda world: world.record(1), lambda world: world.record(2)),
        "round record",
        1,
        "v0",
    ),
]


def _shard_and_hashes(world: World) -> None:
    """A shard, the description beside it, and the published hashes, all fitting together."""
    known = Corpus.open(world.folder / "data")
    train = np.array(known.train)
    train[5] ^= 1
    other = in_memory("words", train, np.array(known.validation))
    write(other, world.folder / "data")
    publish_shard_hashes(open_store(world.folder / "store"), other)


def _option(name: str, value: Any) -> Spoil:
    return lambda world: world.change_manifest(lambda manifest: manifest.update({name: value}))


def _everywhere(world: World) -> None:
    """Manifest and record agree on another learning rate, with hashes that follow."""
    world.change_manifest(lambda manifest: manifest["optimizer"].update(lr=0.5))
    manifest = json.loads((world.folder / "manifest.json").read_text())
    world.change(of("run_started"), manifest=manifest, manifest_hash=canonical_hash(manifest))


def _exchanged(seats: list[dict[str, Any]], world: World) -> list[dict[str, Any]]:
    keys = {seat["uid"]: seat["hotkey"] for seat in seats}
    one, other = world.miners[:2]
    keys[one], keys[other] = keys[other], keys[one]
    return [{**seat, "hotkey": keys[seat["uid"]]} for seat in seats]


def _seats(world: World) -> None:
    path = world.folder / "fleet.json"
    spec = json.loads(path.read_text())
    path.write_text(json.dumps({**spec, "seats": _exchanged(spec["seats"], world)}))


def _seats_on_record(world: World) -> None:
    world.change(of("run_started"), seats=lambda told: _exchanged(told, world))


RUN = [
    Planted("a byte of a shard", _bit(lambda w: w.folder / "data" / "train.bin", 70_000), "shard"),
    Planted("a shard with all its hashes", _shard_and_hashes, "data"),
    Planted("the published hashes of shards", _bit(lambda w: w.objects("shards/*")[0], 40), "data"),
    Planted("another seed, and so another start", _option("seed", 8), "manifest"),
    Planted("more rounds", _option("rounds", 5), "manifest"),
    Planted("the rule of the judges", _option("scoring", {}), "manifest"),
    Planted(
        "a manifest that is none", _written(lambda w: w.folder / "manifest.json", lambda _: b"[]"), "manifest"
    ),
    Planted("another rate wherever it is told", _everywhere, "manifest"),
    Planted("two hotkeys in the fleet's file", _seats, "seat", None, "m1"),
    Planted("two hotkeys on record", _seats_on_record, "seat", None, "m0"),
    Planted("the model that is left", _bit(lambda w: w.folder / "result" / "model.safetensors"), "model", 4),
]
