"""Gathering a round's payloads: bounded in number and in time, whoever wrote the record."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from subnetlab.errors import ObjectMissing, PayloadRejected, RunError
from subnetlab.fleet.worker import result
from subnetlab.lab import result as read_result
from subnetlab.network.memory import MemoryNet
from subnetlab.record.events import RoundClosed
from subnetlab.store.base import MOST_NAMES, Reader, Store
from subnetlab.store.objects import open_store
from subnetlab.train import object_paths, replica
from subnetlab.train.anchors import Anchor, is_outnumbered
from subnetlab.train.gathering import Gathering
from subnetlab.train.manifest import Manifest
from subnetlab.train.replica import Replica
from subnetlab.train.roster import FixedRoster
from subnetlab.train.round_record import Accepted, RoundRecord
from subnetlab.train.strategies import StreamingDiLoCo
from subnetlab.train.theta import Layout

from .conftest import seats_for
from .test_replica import SEATS as SEATS_OF_WORLD
from .test_replica import World

SEATS = seats_for("miner", "miner", "validator", "validator", "validator")


@pytest.fixture
def manifest(make_manifest: Callable[..., Manifest]) -> Manifest:
    return make_manifest(strategy=StreamingDiLoCo(inner_steps=4, overlap=2, fragments=2), rounds=9)


def record_of(manifest: Manifest, *uids: int) -> RoundRecord:
    """A record that names a payload of each uid."""
    accepted = tuple(
        Accepted(uid, SEATS[uid % len(SEATS)].hotkey, "0" * 64, f"{uid:064x}", 4) for uid in uids
    )
    return RoundRecord(
        run=manifest.hash, round=0, previous="0" * 64, accepted=accepted, aggregate_hash="a" * 64,
        theta_before="b" * 64, theta_after="c" * 64,
    )  # fmt: skip


@dataclass
class Meeting:
    """Places of strangers, each of which answers once all others are asked as well."""

    together: threading.Barrier
    asked: list[str] = field(default_factory=list[str])
    locator: str = ""
    own_backing: bool = True
    own: Store = field(default_factory=lambda: open_store("memory"))

    def of(self, uid: int, locator: str) -> Reader:
        del uid, locator
        return self

    def put(self, name: str, data: bytes) -> None:
        self.own.put(name, data)

    def get(self, name: str, limit: int) -> bytes:
        del limit
        self.asked.append(name)
        self.together.wait(20.0)
        raise ObjectMissing(f"There is no {name}.")

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        return self.own.names(prefix, limit)


def gathering(manifest: Manifest, store: Store) -> Gathering:
    net = MemoryNet()
    for seat in SEATS[:2]:
        net.chain(seat.hotkey).commit(Anchor("miner", 0, bytes(32)).to_bytes())
    net.seal(manifest.heights(0).close)
    return Gathering(manifest, FixedRoster(tuple(SEATS)), net.chain("reader"), store)


def test_places_that_drip_are_read_side_by_side(manifest: Manifest) -> None:
    """One after the other, each miner that lets its readers wait would cost every peer its whole patience."""
    store = Meeting(threading.Barrier(2))
    with pytest.raises(PayloadRejected, match="not in the store"):
        gathering(manifest, store).update(record_of(manifest, 0, 1), Layout((("weight", (4,)),)))
    assert len(store.asked) == 2


def test_of_more_payloads_than_there_are_hotkeys_none_is_looked_for(manifest: Manifest) -> None:
    store = Meeting(threading.Barrier(1))
    with pytest.raises(PayloadRejected, match="more payloads"):
        gathering(manifest, store).update(record_of(manifest, *range(900)), Layout((("weight", (4,)),)))
    assert not store.asked


@dataclass
class Spied:
    """A store that knows in which rounds payloads were looked for."""

    store: Store
    rounds: set[str] = field(default_factory=set[str])

    def put(self, name: str, data: bytes) -> None:
        self.store.put(name, data)

    def get(self, name: str, limit: int) -> bytes:
        if "/sealed/" in name:
            self.rounds.add(name.split("/")[1])
        return self.store.get(name, limit)

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        return self.store.names(prefix, limit)


def test_who_catches_up_reads_the_aggregates_of_old_rounds(manifest: Manifest) -> None:
    """Somebody who sent a payload then may be gone, and would be waited for in each of them."""
    world = World(manifest)
    for round_ in (0, 1, 2):
        record = world.record(round_)
        world.publish(SEATS_OF_WORLD[1], record)
        world.close(round_)
        world.author.adopt(round_)
    spied = world.store = Spied(world.store)
    reader = world.replica()
    assert reader.adopt(2) is not None
    assert reader.hash == world.author.hash
    assert spied.rounds == {"000002"}


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits for an aggregate, which take no time here."""
    found: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(found), sleep=found.append)
    monkeypatch.setattr(replica, "time", clock)
    return found


def promised(world: World, record: RoundRecord) -> RoundRecord:
    """A record whose aggregate nobody has; the record itself is there."""
    other = replace(record, aggregate_hash="ab" * 32)
    world.put(object_paths.record(other.hash), other.to_bytes())
    return other


def test_an_aggregate_that_never_comes_is_waited_for_once(manifest: Manifest, waited: list[float]) -> None:
    """A lead could hold up every round of every peer else, for ten minutes each."""
    world = World(manifest)
    reader, lead, second = world.replica(), SEATS_OF_WORLD[1], SEATS_OF_WORLD[2]
    for round_ in (0, 1):
        record = world.record(round_)
        world.publish(second, record)
        world.publish(lead, promised(world, record))
        world.close(round_)
        for peer in (reader, world.author):
            adopted = peer.adopt(round_)
            assert adopted is not None
            assert adopted.lead == second.uid
        if round_ == 0:
            assert waited
            waited.clear()
    assert waited == []


def test_an_aggregate_is_not_waited_for_where_more_validators_name_another(
    manifest: Manifest, waited: list[float]
) -> None:
    world = World(manifest)
    record = world.record(0)
    world.publish(SEATS[2], promised(world, record))
    for seat in SEATS[3:]:
        world.publish(seat, record)
    world.close(0)
    reader = Replica(manifest, FixedRoster(tuple(SEATS)), world.net.chain("reader"), world.store)
    adopted = reader.adopt(0)
    assert adopted is not None
    assert (adopted.lead, waited) == (SEATS[3].uid, [])


def test_only_records_of_the_same_round_outnumber_one() -> None:
    one, other, before = (Anchor("validator", number, bytes([number]) * 32) for number in (2, 2, 1))
    other = replace(other, current=b"\3" * 32)
    assert is_outnumbered(one, [one, other, other])
    assert not is_outnumbered(one, [one, other])
    assert not is_outnumbered(one, [one, before, before])


def giving(found: object) -> Callable[..., object]:
    def given(*_given: object, **_options: object) -> object:
        return found

    return given


def test_the_result_of_a_run_keeps_an_aggregate_that_nobody_stored(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`run.state_dict()` reads aggregates, and validators may be stopped before the last one is stored."""
    world, kept = World(manifest), open_store("memory")
    record = world.record(0)
    world.publish(SEATS_OF_WORLD[1], record)
    world.close(0)
    for name, found in {
        "load_manifest": manifest, "whole_store": kept, "read_spec": SimpleNamespace(network="memory"),
        "write_model": {},
    }.items():  # fmt: skip
        monkeypatch.setattr(result, name, giving(found))
    for _ in range(2):  # written again after a crash, too
        monkeypatch.setattr(result, "open_replica", giving(world.replica()))
        result.write_result("folder", 0, 1.0)
        name = object_paths.aggregate(0, record.aggregate_hash)
        assert kept.get(name, 1 << 20) == world.store.get(name, 1 << 20)


def test_the_newest_aggregate_may_be_on_its_way_while_the_run_goes_on(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is missing then, and nothing was changed."""
    monkeypatch.setattr(read_result, "load_manifest", giving(manifest))
    monkeypatch.setattr(read_result, "whole_store", giving(open_store("memory")))
    closed = {
        number: RoundClosed(
            round=number, lead=2, heights=[], accepted=[], aggregate_hash=digit * 64, theta_hash="",
            val_loss=0.0, metrics={}, aggregate_s=0.0, checkpoint="",
        )
        for number, digit in enumerate("ab")
    }  # fmt: skip
    with pytest.raises(RunError, match=r"round 1 .*not stored yet.*in a moment"):
        read_result.state_after(Path("run"), {0: closed[0]}, 0)
    with pytest.raises(RunError, match="missing or was changed"):
        read_result.state_after(Path("run"), closed, 0)
