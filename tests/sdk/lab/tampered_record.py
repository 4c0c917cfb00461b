"""The table of planted tamperings with lines of the record and with what is on chain."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from subnetlab.network.commit_history import Committed
from subnetlab.train import aggregate
from subnetlab.train.anchors import Anchor
from subnetlab.train.manifest import Manifest
from subnetlab.train.models import build
from subnetlab.train.round_record import RoundRecord, aggregate_hash
from subnetlab.train.theta import Layout

from .tampered import Planted
from .tampering import World, of

STRANGER = "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM"
OTHER = "ef" * 32

Line = tuple[str, int | None, Mapping[str, str]]
"""Kind and round of a line, and the peers that it is of, by their places in the fleet."""
SCORED: Line = ("scored", 2, {"validator": "v1", "uid": "m0"})
LEADS: Line = ("scored", 2, {"validator": "v0", "uid": "m0"})
VOTED: Line = ("weights_set", 3, {"validator": "v1"})
MINED: Line = ("mined", 2, {"uid": "m0"})
CLOSED: Line = ("round_closed", 2, {})
PAID: Line = ("epoch_paid", None, {})


def _match(world: World, line: Line) -> Callable[[dict[str, Any]], bool]:
    kind, round_, peers = line
    return of(kind, round_, **{name: world.uid(place) for name, place in peers.items()})


def _changed(line: Line, **fields: Any) -> Callable[[World], None]:
    return lambda world: world.change(_match(world, line), **fields)


def _dropped(line: Line) -> Callable[[World], None]:
    return lambda world: world.drop(_match(world, line))


def _repeated(line: Line) -> Callable[[World], None]:
    return lambda world: world.repeat(_match(world, line))


def _first_more(told: list[int]) -> list[int]:
    return [told[0], told[1] + 1_000_000, *told[2:]]


def _other_second(told: list[list[Any]]) -> list[list[Any]]:
    return [told[0], [told[1][0], OTHER], *told[2:]]


def _lie(world: World) -> None:
    """Both validators tell the same lie, so that they do not differ."""
    for place in ("v0", "v1"):
        match = _match(world, ("scored", 3, {"validator": place, "uid": "m0"}))
        world.change(match, loss_removed_assigned=lambda told: told + 0.01)


def _unhashed(world: World) -> None:
    lines, place = world.lines(), world.line_of(_match(world, LEADS))
    lines[place] = lines[place].replace(b'"verdict":"accepted"', b'"verdict":"gated"')
    (world.folder / "record.jsonl").write_bytes(b"".join(lines))


def _cut_out(world: World) -> None:
    lines = world.lines()
    del lines[world.line_of(of("mined", 3, uid=world.uid("m1"))) - 1]
    (world.folder / "record.jsonl").write_bytes(b"".join(lines))


def _cut_short(world: World) -> None:
    world.rewrite(world.events()[: world.line_of(of("round_closed", 2))])


RECORD = [
    Planted("a score", _changed(SCORED, score=lambda told: told * 1.5), "score", 2, "m0"),
    Planted("one lie of all validators", _lie, "score", 3, "m0", replay=1.0),
    Planted("a rating", _changed(LEADS, rating=1.9), "score", 2, "m0"),
    Planted("a weight in a verdict", _changed(LEADS, weight=0.9), "weights", 2, "v0"),
    Planted("a verdict", _changed(SCORED, verdict="gated"), "score", 2, "m0"),
    Planted("a norm", _changed(SCORED, norm=9.0), "score", 2, "m0"),
    Planted("no verdict on a miner", _dropped(SCORED), "score", 2, "m0"),
    Planted("two verdicts on a miner", _repeated(SCORED), "record line", 2, "m0", replay=1.0),
    Planted("a vote", _changed(VOTED, weights=lambda told: {**told, "1": 1}), "weights", 3, "v1"),
    Planted("no vote", _dropped(VOTED), "record line", 3, "v1"),
    Planted("a vote told twice", _repeated(VOTED), "record line", 3, "v1"),
    Planted("pay", _changed(PAID, emission_alpha_rao=_first_more), "pay", None, "m0"),
    Planted("incentive", _changed(PAID, incentive=_first_more), "pay", None, "m0"),
    Planted("stake", _changed(PAID, stake_alpha_rao=_first_more), "pay", None, "m0"),
    Planted("a row of an epoch's weights", _changed(PAID, weights={"4": {"1": 7}}), "weights", None, "v0"),
    Planted("no epoch", _dropped(PAID), "record line"),
    Planted("an epoch told twice", _repeated(PAID), "record line"),
    Planted("a commitment on record", _changed(MINED, commitment=OTHER), "record line", 2, "m0"),
    Planted("bytes that were sent", _changed(MINED, wire_bytes=7), "record line", 2, "m0"),
    Planted("a training loss", _changed(MINED, loss=1.0), "record line", 2, "m0", replay=1.0),
    Planted(
        "a step's loss",
        _changed(("stepped", 3, {"uid": "m1"}), losses=lambda told: [1.0, *told[1:]]),
        "record line",
        3,
        "m1",
        replay=1.0,
    ),
    Planted("no work of a miner", _dropped(MINED), "record line", 2, "m0"),
    Planted("a miner's work told twice", _repeated(MINED), "record line", 2, "m0"),
    Planted("no end of a round", _dropped(CLOSED), "record line", 2, "v0"),
    Planted("a round that ends twice", _repeated(CLOSED), "record line", 2),
    Planted("another model of a round", _changed(CLOSED, theta_hash=OTHER), "record line", 2, "v0"),
    Planted("another aggregate of a round", _changed(CLOSED, aggregate_hash=OTHER), "record line", 2, "v0"),
    Planted("another payload of a round", _changed(CLOSED, accepted=_other_second), "record line", 2, "m1"),
    Planted("a miner left out", _changed(CLOSED, accepted=lambda told: told[1:]), "record line", 2, "m0"),
    Planted("another lead", _changed(CLOSED, lead=0), "record line", 2, "v0"),
    Planted(
        "a held-out loss",
        _changed(("round_closed", 4, {}), val_loss=2.0),
        "record line",
        4,
        "v0",
        replay=1.0,
    ),
    Planted("other heights", _changed(CLOSED, heights=[1, 2, 3, 4]), "record line", 2),
    Planted("a block's hash", _changed(("block_sealed", 3, {}), hash=f"0x{OTHER}"), "record line", 3),
    Planted("a line changed without its hash", _unhashed, "record line", 2, "v0"),
    Planted("a line cut out without a trace", _cut_out, "record line", 3, "m1"),
    Planted("a record cut short", _cut_short, "record line", 3, "v0"),
    Planted("finished too soon", _dropped(("round_closed", 4, {})), "record line", 4),
]


def _committed(change: Callable[[Committed], Committed]) -> Callable[[World], World]:
    """The first miner's commitment of round 2 is another one."""
    return lambda world: world.on_chain(2, world.uid("m0"), change)


def _anchored(round_: int, **fields: Any) -> Callable[[World], World]:
    """The lead's anchor of a round says something else."""

    def change(each: Committed) -> Committed:
        anchor = Anchor.from_bytes(each.data)
        assert anchor is not None
        return replace(each, data=replace(anchor, **fields).to_bytes())

    return lambda world: world.on_chain(round_, world.uid("v0"), change)


def _forged(forge: Callable[[World, RoundRecord], RoundRecord]) -> Callable[[World], World]:
    """All validators anchor another record of round 4, made as a whole and with a hash of its own."""

    def spoil(world: World) -> World:
        record = forge(world, RoundRecord.from_bytes(world.record(4).read_bytes()))
        for folder in {path.parent for path in world.objects("records/*")}:
            (folder / record.hash).write_bytes(record.to_bytes())

        def point(each: Committed) -> Committed:
            anchor = Anchor.from_bytes(each.data)
            assert anchor is not None
            return replace(each, data=replace(anchor, current=bytes.fromhex(record.hash)).to_bytes())

        for uid in world.validators:
            world = world.on_chain(4, uid, point)
        return world

    return spoil


def _twice_the_average(world: World, record: RoundRecord) -> RoundRecord:
    manifest = Manifest.from_json(json.loads((world.folder / "manifest.json").read_text()))
    layout = Layout.of(build(manifest.model, manifest.seed))
    update = aggregate.read(world.aggregate(4).read_bytes(), layout)
    data = aggregate.write(update.scaled(update.values_N.new_full((), 2.0)), layout)
    (world.aggregate(4).parent / aggregate_hash(data)).write_bytes(data)
    return replace(record, aggregate_hash=aggregate_hash(data))


def _of_no_one(world: World, record: RoundRecord) -> RoundRecord:
    *others, last = record.accepted
    return replace(record, accepted=(*others, replace(last, payload_hash=OTHER)))


CHAIN = [
    Planted(
        "a commitment in another block",
        _committed(lambda each: replace(each, block=each.block + 1)),
        "commitment",
        2,
        "m0",
    ),
    Planted(
        "a commitment to something else",
        _committed(lambda each: replace(each, data=each.data[:8] + bytes(32) + each.data[40:])),
        "commitment",
        2,
        "m0",
    ),
    Planted(
        "a commitment of another key",
        _committed(lambda each: replace(each, hotkey=STRANGER)),
        "commitment",
        2,
        "m0",
    ),
    Planted(
        "an anchor before the beacon",
        lambda world: world.on_chain(2, world.uid("v0"), lambda each: replace(each, block=each.block - 2)),
        "anchor",
        2,
        "v0",
    ),
    Planted("an anchor of no chain", _anchored(3, previous=bytes(32)), "anchor", 3, "v0"),
    Planted("another average", _forged(_twice_the_average), "aggregate", 4, "v0"),
    Planted("another model", _forged(lambda _, record: replace(record, theta_after=OTHER)), "model", 4, "v0"),
    Planted(
        "another start", _forged(lambda _, record: replace(record, theta_before=OTHER)), "model", 4, "v0"
    ),
    Planted("another round", _forged(lambda _, record: replace(record, round=2)), "anchor", 4, "v0"),
    Planted("another run", _forged(lambda _, record: replace(record, run=OTHER)), "anchor", 4, "v0"),
    Planted("a payload of no one", _forged(_of_no_one), "payload", 4, "m2"),
]
