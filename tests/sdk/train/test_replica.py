"""Following records: a lead that is gone is replaced, one that cheats is not followed."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from subnetlab.errors import InvalidObjectName, ObjectExists, PayloadRejected, TrainError
from subnetlab.network.memory import MemoryNet
from subnetlab.store.objects import open_store
from subnetlab.train import aggregate, object_paths
from subnetlab.train.anchors import NOTHING, Anchor
from subnetlab.train.manifest import Manifest
from subnetlab.train.payload.update import Update
from subnetlab.train.replica import Replica
from subnetlab.train.roster import FixedRoster
from subnetlab.train.round_record import Accepted, RoundRecord, aggregate_hash

from .conftest import seats_for

SEATS = seats_for("miner", "validator", "validator")
ENTRY = Accepted(0, SEATS[0].hotkey, "0" * 64, "1" * 64, 4)
LEAD, SECOND = SEATS[1], SEATS[2]


class World:
    """A chain and a store into which a test publishes rounds as a validator would."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest, self.net, self.store = manifest, MemoryNet(), open_store("memory")
        self.author = self.replica()
        self.net.seal(manifest.heights(0).open)

    def replica(self) -> Replica:
        return Replica(self.manifest, FixedRoster(tuple(SEATS)), self.net.chain("reader"), self.store)

    def record(self, round_: int, seed: int = 0, **changes: object) -> RoundRecord:
        author = self.author
        values = torch.randn(5, generator=torch.Generator().manual_seed(seed)) * 1e-3
        update = Update(torch.arange(5) * 7, values)
        data = aggregate.write(update, author.layout)
        record = RoundRecord(
            run=author.run, round=round_, previous=author.previous, accepted=(ENTRY,),
            aggregate_hash=aggregate_hash(data), theta_before=author.hash,
            theta_after=author.preview(update, round_)[2],
        )  # fmt: skip
        record = replace(record, **changes)
        self.put(f"rounds/{round_:06}/aggregate/{record.aggregate_hash}", data)
        self.put(object_paths.record(record.hash), record.to_bytes())
        return record

    def put(self, name: str, data: bytes) -> None:
        with suppress(ObjectExists, InvalidObjectName):
            self.store.put(name, data)

    def publish(self, seat, record: RoundRecord, *, at: str = "close") -> None:
        """Anchor a record so that it stands in the named block of its round."""
        wanted = getattr(self.manifest.heights(record.round), at)
        self.net.seal(wanted - 1 - self.net.wait_for(0, 1).number) if wanted > self.head + 1 else None
        anchor = Anchor("validator", record.round, bytes.fromhex(record.hash))
        self.net.chain(seat.hotkey).commit(anchor.to_bytes())

    @property
    def head(self) -> int:
        return self.net.wait_for(0, 1).number

    def close(self, round_: int) -> None:
        self.net.seal(self.manifest.heights(round_).close - self.head)


@pytest.fixture
def world(make_manifest: Callable[..., Manifest]) -> World:
    return World(make_manifest(rounds=9))


def test_a_published_round_is_applied(world: World) -> None:
    record = world.record(0)
    world.publish(LEAD, record)
    world.close(0)
    replica = world.replica()
    adopted = replica.adopt(0)
    assert adopted is not None
    assert adopted.lead == LEAD.uid
    assert replica.hash == record.theta_after != record.theta_before


def test_what_was_foreseen_is_adopted_as_it_was_worked_out(world: World) -> None:
    record, plain, foreseeing = world.record(0), world.replica(), world.replica()
    data = world.store.get(object_paths.aggregate(0, record.aggregate_hash), 1 << 20)
    update = aggregate.read(data, plain.layout)
    assert foreseeing.foresee(update, 0, record.aggregate_hash) == record.theta_after
    assert foreseeing._foreseen is not None
    reached = foreseeing._foreseen.reached[0]
    world.publish(LEAD, record)
    world.close(0)
    plain.adopt(0)
    foreseeing.adopt(0)
    assert foreseeing.theta_P is reached
    assert torch.equal(foreseeing.theta_P, plain.theta_P)
    assert foreseeing.hash == plain.hash == record.theta_after


def test_what_was_foreseen_of_another_aggregate_is_not_adopted(world: World) -> None:
    record, replica = world.record(0), world.replica()
    replica.foresee(Update(torch.arange(3), torch.ones(3)), 0, "ab" * 32)
    world.publish(LEAD, record)
    world.close(0)
    replica.adopt(0)
    assert replica.hash == record.theta_after


def test_the_second_stands_in_for_a_lead_that_is_gone(world: World) -> None:
    for round_ in (0, 1):
        record = world.record(round_, seed=round_)
        world.publish(SECOND if round_ else LEAD, record)
        world.close(round_)
        adopted = world.author.adopt(round_)
        assert adopted is not None
        assert adopted.lead == (SECOND if round_ else LEAD).uid
    late = world.replica()
    late.adopt(1)
    assert late.hash == world.author.hash


def test_what_a_lead_that_is_gone_left_behind_is_not_read_again(world: World) -> None:
    """Its last anchor stays on chain: it leads no further, and its place may not answer any more."""
    for round_, seat in enumerate((LEAD, SECOND)):
        record = world.record(round_, seed=round_)
        world.publish(seat, record)
        world.close(round_)
        world.author.adopt(round_)
    asked: list[str] = []
    reading = world.author.publications.store.get

    def get(name: str, limit: int) -> bytes:
        asked.append(name)
        return reading(name, limit)

    world.author.publications.store = SimpleNamespace(get=get)
    world.close(2)
    assert world.author.adopt(2) is None, "a round that is lost, and none that cannot be followed"
    assert (asked, world.author.hash) == ([], record.theta_after)


def test_a_round_nobody_published_leaves_theta_alone(world: World) -> None:
    world.close(0)
    replica = world.replica()
    before = replica.hash
    assert replica.adopt(0) is None
    assert replica.hash == before
    assert replica.round == 1


def test_a_round_that_accepted_nobody_is_recorded_and_changes_nothing(world: World) -> None:
    author = world.author
    world.publish(LEAD, world.record(0, accepted=(), aggregate_hash="", theta_after=author.hash))
    world.close(0)
    assert author.adopt(0) is not None
    assert author.hash == world.replica().hash


def test_an_anchor_after_close_does_not_count(world: World) -> None:
    world.close(0)
    world.publish(LEAD, world.record(0), at="next_open")
    world.net.seal()
    assert world.replica().adopt(0) is None


def test_who_joins_is_led_past_an_anchor_that_came_too_late_to_the_rounds_before(world: World) -> None:
    """The chain keeps one anchor a hotkey, so a late one hides those in time; who is there needs none."""
    first = world.record(0)
    world.publish(LEAD, first)
    world.close(0)
    world.author.adopt(0)
    late = world.record(1, seed=1)
    world.close(1)
    anchor = Anchor("validator", 1, bytes.fromhex(late.hash), bytes.fromhex(first.hash))
    world.net.chain(LEAD.hotkey).commit(anchor.to_bytes())
    world.net.seal()
    assert world.author.adopt(1) is None
    joining = world.replica()
    assert joining.adopt(1) is None
    assert joining.hash == world.author.hash == first.theta_after
    assert (joining.round, joining.previous) == (2, first.hash)


CHEATS = {
    "another model before": {"theta_before": "a" * 64},
    "another model after": {"theta_after": "b" * 64},
    "another run": {"run": "c" * 64},
    "another past": {"previous": "d" * 64},
    "another aggregate": {"aggregate_hash": "e" * 64},
    "a name that climbs": {"aggregate_hash": "../../../etc/passwd"},
    "a past that is no hash": {"previous": "x/" * 32},
    "twice the same uid": {"accepted": (ENTRY, ENTRY)},
}


@pytest.mark.parametrize("name", CHEATS)
def test_a_wrong_lead_is_named_and_the_next_followed(world: World, name: str) -> None:
    wrong, right = world.record(0, **CHEATS[name]), world.record(0)
    world.publish(LEAD, wrong)
    alone = world.replica()
    world.net.seal(world.manifest.heights(0).beacon - world.head)
    world.publish(LEAD, wrong)
    world.close(0)
    with pytest.raises(TrainError, match=f"uid {LEAD.uid}"):
        alone.adopt(0)
    assert alone.hash == right.theta_before
    second = World(world.manifest)
    second.store = world.store
    second.publish(LEAD, wrong)
    second.publish(SECOND, right)
    second.close(0)
    replica = second.replica()
    adopted = replica.adopt(0)
    assert adopted is not None
    assert adopted.lead == SECOND.uid
    assert replica.hash == right.theta_after


def test_a_fork_of_the_past_is_not_followed(world: World) -> None:
    first, other = world.record(0, seed=1), world.record(0, seed=2)
    world.publish(LEAD, first)
    world.close(0)
    follower = world.replica()
    follower.adopt(0)
    world.author.previous, world.author.hash = other.hash, other.theta_after
    world.publish(LEAD, world.record(1))
    world.close(1)
    with pytest.raises(TrainError, match="does not lead to this peer"):
        follower.adopt(1)
    assert follower.hash == first.theta_after


def test_a_commitment_of_something_else_is_ignored(world: World) -> None:
    for data in (b"", b"\xff" * 72, Anchor("miner", 0, bytes(32)).to_bytes()):
        world.net.chain(LEAD.hotkey).commit(data)
        world.net.seal()
        assert world.replica().adopt(0) is None


def test_an_anchor_of_nothing_is_named(world: World) -> None:
    world.net.chain(LEAD.hotkey).commit(Anchor("validator", 0, b"\1" * 32).to_bytes())
    world.net.seal()
    with pytest.raises(TrainError, match=f"uid {LEAD.uid}"):
        world.replica().adopt(0)
    world.net.chain(LEAD.hotkey).commit(Anchor("validator", 0, NOTHING).to_bytes())
    world.net.seal()
    assert world.replica().adopt(0) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d[:-1],
        lambda d: d + b" ",
        lambda d: b"[]",
        lambda d: b"\xff",
        lambda d: d.replace(b'"round":0', b'"round":true'),
        lambda d: d.replace(b'"uid":0', b'"uid":65536'),
        lambda d: d.replace(f'"{ENTRY.hotkey}"'.encode(), b"[]"),
        lambda d: d.replace(ENTRY.hotkey.encode(), b"\\ud800"),
    ],
)
def test_a_record_has_one_writing(world: World, change: Callable[[bytes], bytes]) -> None:
    data = world.record(0).to_bytes()
    assert RoundRecord.from_bytes(data).to_bytes() == data
    with pytest.raises(PayloadRejected):
        RoundRecord.from_bytes(change(data))


def test_anchors_have_one_layout() -> None:
    anchor = Anchor("validator", 7, b"\1" * 32, b"\2" * 32)
    assert len(anchor.to_bytes()) == 72
    assert Anchor.from_bytes(anchor.to_bytes()) == anchor
    assert Anchor.from_bytes(anchor.to_bytes()[:-1]) is None
    assert Anchor.from_bytes(b"XL1" + anchor.to_bytes()[3:]) is None
    assert Anchor.from_bytes(b"SL1?" + anchor.to_bytes()[4:]) is None
