"""A peer among strangers: what it puts is its own, what others do with theirs costs them alone."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from subnetlab.errors import ObjectExists, StoreUnreachable
from subnetlab.network.memory import MemoryNet
from subnetlab.record.events import RoundClosed, Scored
from subnetlab.record.reasons import MEASURED
from subnetlab.store.base import Reader, Store
from subnetlab.store.folder import FolderStore
from subnetlab.store.objects import open_store
from subnetlab.store.places import OwnPlace, Strangers, fleet_places, open_places, read_place
from subnetlab.train.anchors import Anchor
from subnetlab.train.attackers import ATTACKERS
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.peer import Peer
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.replica import Replica
from subnetlab.train.roster import FixedRoster, Seat
from subnetlab.train.strategies import StreamingDiLoCo

MakeRehearsal = Callable[..., Rehearsal]
FAST = AdamWConfig(lr=5e-3)


@dataclass(slots=True)
class Placed(Rehearsal):
    """A rehearsal in which every peer sees the store through a place of its own."""

    places: Callable[[int], Store] = field(default=lambda uid: open_store("memory"))

    def peer(self, seat: Seat) -> Peer:
        self.store = self.places(seat.uid)
        return Rehearsal.peer(self, seat)


@pytest.fixture
def placed(rehearse: MakeRehearsal) -> Callable[..., Placed]:
    def make(*roles: str, places: Callable[[int], Store], **options: object) -> Placed:
        plain = rehearse(*roles, optimizer=FAST, **options)
        return Placed(plain.manifest, plain.seats, plain.corpus, plain.sign, roles=plain.roles, places=places)

    return make


def in_fleet(root: Store) -> Callable[[int], Store]:
    return lambda uid: fleet_places(root, uid)


def in_homes(home: Path) -> Callable[[int], Store]:
    return lambda uid: open_places(home / f"home-{uid}" / "store", allow_local=True)


def closed(run: Rehearsal) -> list[RoundClosed]:
    return sorted(cast("list[RoundClosed]", run.of(RoundClosed)), key=lambda event: event.round)


def verdicts(run: Rehearsal, uid: int) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for event in cast("list[Scored]", run.of(Scored)):
        if event.uid == uid:
            found.setdefault(event.round, set()).add(event.verdict)
    return found


ROLES = ("miner", "miner", "miner", "validator", "validator")


def test_places_change_no_bit_of_a_run(
    rehearse: MakeRehearsal, placed: Callable[..., Placed], tmp_path: Path
) -> None:
    shared = rehearse(*ROLES, optimizer=FAST, rounds=3)
    shared.run()
    folder, homes = (
        placed(*ROLES, places=in_fleet(open_store(tmp_path / "f")), rounds=3),
        placed(*ROLES, places=in_homes(tmp_path), rounds=3),
    )
    for run in (folder, homes):
        run.run()
        assert [e.theta_hash for e in closed(run)] == [e.theta_hash for e in closed(shared)]
        assert {uid: verdicts(run, uid) for uid in range(3)} == {
            uid: {0: {"accepted"}, 1: {"accepted"}, 2: {"accepted"}} for uid in range(3)
        }
    assert sorted(path.name for path in (tmp_path / "f").iterdir()) == ["0", "1", "2", "3", "4"]
    for uid in range(5):  # nothing lies in another's place
        below = [path for path in (tmp_path / f"home-{uid}").rglob("*") if path.is_file()]
        kinds = {path.relative_to(tmp_path / f"home-{uid}" / "store").parts[0] for path in below}
        assert kinds == ({"rounds"} if uid < 3 else {"rounds", "records"})
        assert len(below) == 6, "three rounds: payload and reveal, or aggregate and record"


def test_one_who_joins_late_finds_records_in_every_validators_place(
    placed: Callable[..., Placed], tmp_path: Path
) -> None:
    """The first validator's place lost its first rounds; the second one's has them."""
    run = placed(*ROLES, places=in_homes(tmp_path), rounds=3)
    run.run()
    lost = tmp_path / "home-3" / "store"
    records = sorted((lost / "records").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    records[0].unlink()
    for path in (lost / "rounds" / "000001").rglob("*"):
        if path.is_file():
            path.unlink()
    late = Replica(run.manifest, FixedRoster(tuple(run.seats)), run.net.chain("late"), in_homes(tmp_path)(9))
    adopted = late.adopt(2)
    assert adopted is not None
    assert (late.hash, adopted.lead) == (closed(run)[-1].theta_hash, 3)


@pytest.mark.parametrize("attack", ["squat", "copy"])
def test_an_attack_on_names_of_others_stays_in_its_own_place(
    placed: Callable[..., Placed], tmp_path: Path, attack: str
) -> None:
    root = open_store(tmp_path)
    run = placed(
        "miner", "miner", "miner", "validator",
        roles={2: ATTACKERS[attack].load()}, places=in_fleet(root), rounds=2,
    )  # fmt: skip
    run.run()
    assert verdicts(run, 0) == verdicts(run, 1) == {0: {"accepted"}, 1: {"accepted"}}
    assert all(name.startswith(("0/rounds/", "1/rounds/", "2/rounds/", "3/")) for name in root.names(""))
    assert len(root.names("0")) == len(root.names("1")) == 4


class Squatted(FolderStore):
    """A folder or bucket where a hostile peer can write everywhere, and puts junk before the owners do."""

    def put(self, name: str, data: bytes) -> None:
        if {"records", "aggregate", "checkpoints", "reveal"} & {*name.split("/")} and not self.is_token(name):
            with suppress(ObjectExists):
                super().put(name, b"junk")
        super().put(name, data)

    def is_token(self, name: str) -> bool:
        """Whether a name is that of a reveal that only its sealed object names, which no peer foresees."""
        folder, _, last = name.rpartition("/")
        round_, _, uid = folder.rpartition("/")[0].partition("/reveal/")
        return bool(uid) and not (self.root / round_ / "sealed" / uid / last).exists()


def squatted_fleet(home: Path) -> Callable[[int], Store]:
    """The places of a local fleet, in one folder."""
    return in_fleet(Squatted(home))


def squatted_bucket(home: Path) -> Callable[[int], Store]:
    """Prefixes of strangers in one bucket whose key all of them have."""

    def see(uid: int) -> Store:
        own = in_homes(home)(uid)
        assert isinstance(own, OwnPlace)
        mine = Squatted(home / f"home-{uid}" / "store")
        return OwnPlace(mine, own.find, locator=own.locator, own_backing=True)

    return see


@pytest.mark.parametrize("squatted", [squatted_fleet, squatted_bucket])
@pytest.mark.parametrize("overlap", [0, 2])
def test_squatted_names_in_the_places_of_others_cost_nobody_a_round(
    placed: Callable[..., Placed],
    tmp_path: Path,
    squatted: Callable[[Path], Callable[[int], Store]],
    overlap: int,
) -> None:
    """Records, aggregates, checkpoints and reveals: what lay there first stays, and is taken for nothing."""
    strategy = StreamingDiLoCo(inner_steps=4, overlap=overlap, fragments=2)
    see = squatted(tmp_path)
    run = placed(*ROLES, places=see, rounds=4, strategy=strategy, checkpoint_every=2)
    run.run()
    assert [event.round for event in closed(run)] == [0, 1, 2, 3]
    assert {uid: verdicts(run, uid) for uid in range(3)} == {
        uid: {round_: {"accepted"} for round_ in range(4)} for uid in range(3)
    }
    late = Replica(run.manifest, FixedRoster(tuple(run.seats)), run.net.chain("late"), see(9))
    late.adopt(3)
    assert late.hash == closed(run)[-1].theta_hash
    assert any(path.read_bytes() == b"junk" for path in tmp_path.rglob("aggregate/*"))


class Faulty:
    """A place whose reader fails in a way of its own."""

    def __init__(self, store: Reader, fails: Callable[[str], bool]) -> None:
        self.store, self.fails = store, fails

    def get(self, name: str, limit: int) -> bytes:
        if self.fails(name):
            raise StoreUnreachable("It drips.")
        return self.store.get(name, limit)

    def names(self, prefix: str, limit: int = 1) -> list[str]:
        raise StoreUnreachable("It keeps no list.")


def with_faults(home: Path, faulty: int, fails: Callable[[str], bool]) -> Callable[[int], Store]:
    """Homes of which one fails for all others."""
    bad = str(home / f"home-{faulty}")

    def see(uid: int) -> Store:
        own = in_homes(home)(uid)
        assert isinstance(own, OwnPlace)

        def find(other: int, locator: str) -> Reader:
            found = read_place(locator, allow_local=True)
            return Strangers(lambda: Faulty(found, fails)) if bad in locator else found

        return OwnPlace(own.mine, find, locator=own.locator, own_backing=True)

    return see


def test_a_miners_place_that_does_not_answer_costs_that_miner_its_round(
    placed: Callable[..., Placed], tmp_path: Path
) -> None:
    seen = with_faults(tmp_path, 1, lambda name: name.startswith("rounds/000001/sealed"))
    run = placed(*ROLES, places=seen, rounds=3)
    run.run()
    assert verdicts(run, 1) == {0: {"accepted"}, 1: {"unreachable"}, 2: {"accepted"}}
    assert verdicts(run, 0) == verdicts(run, 2) == {number: {"accepted"} for number in range(3)}
    assert len(closed(run)) == 3


def test_a_lead_whose_place_does_not_answer_is_passed_over(
    placed: Callable[..., Placed], tmp_path: Path
) -> None:
    run = placed(*ROLES, places=with_faults(tmp_path, 3, lambda name: True), rounds=3)
    run.run()
    assert {peer.replica.hash for peer in run.peers.values()} == {closed(run)[-1].theta_hash}
    assert {event.round for event in closed(run)} == {0, 1, 2}


class Full:
    """A store of one's own that takes nothing in one round."""

    def __init__(self, store: Store, part: str) -> None:
        self.store, self.part = store, part

    def put(self, name: str, data: bytes) -> None:
        if self.part in name:
            raise StoreUnreachable("No space left on device.")
        self.store.put(name, data)

    def get(self, name: str, limit: int) -> bytes:
        return self.store.get(name, limit)

    def names(self, prefix: str, limit: int = 1) -> list[str]:
        return self.store.names(prefix, limit)


@pytest.mark.parametrize(
    ("uid", "part"),
    [(0, "rounds/000001/sealed"), (0, "rounds/000001/reveal"), (3, "rounds/000001/aggregate")],
)
def test_a_full_disk_costs_its_owner_the_round_and_no_other(
    placed: Callable[..., Placed], tmp_path: Path, uid: int, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    def see(other: int) -> Store:
        own = open_places(tmp_path / f"home-{other}" / "store", allow_local=True)
        mine = Full(own.mine, part) if other == uid else own.mine
        return OwnPlace(mine, own.find, locator=own.locator, own_backing=True)

    run = placed(*ROLES, places=see, rounds=3)
    with caplog.at_level(logging.WARNING):
        run.run()
    assert [event.round for event in closed(run)] == [0, 1, 2]
    assert "Round 2 is sat out. No space left on device." in caplog.text
    for other in {0, 1, 2} - {uid}:
        assert set(verdicts(run, other)) == {0, 1, 2}
        assert verdicts(run, other)[1] == {"accepted"}
    if uid == 0:
        assert verdicts(run, 0)[1] <= {"missing", "no_reveal"}
        assert verdicts(run, 0)[2] == {"accepted"}
    assert {peer.replica.hash for peer in run.peers.values()} == {closed(run)[-1].theta_hash}


def test_a_peer_that_cannot_follow_a_round_follows_it_with_the_next(
    placed: Callable[..., Placed], tmp_path: Path
) -> None:
    """Every validator's place is away for one miner in round two; it comes back to the same θ."""
    refused: list[str] = []

    def fails(name: str) -> bool:
        """Both validators' places, asked for each of the two that may lead."""
        hit = name.startswith("rounds/000001/aggregate") and len(refused) < 4
        refused.extend([name] * hit)
        return hit

    def see(uid: int) -> Store:
        own = open_places(tmp_path / f"home-{uid}" / "store", allow_local=True)

        def find(other: int, locator: str) -> Reader:
            found = read_place(locator, allow_local=True)
            return Strangers(lambda: Faulty(found, fails)) if uid == 0 else found

        return OwnPlace(own.mine, find, locator=own.locator, own_backing=True)

    run = placed(*ROLES, places=see, rounds=4)
    run.run()
    assert len(refused) == 4
    assert verdicts(run, 0) == {0: {"accepted"}, 1: {"accepted"}, 2: {"missing"}, 3: {"accepted"}}
    assert {peer.replica.hash for peer in run.peers.values()} == {closed(run)[-1].theta_hash}


def test_a_locator_that_is_refused_costs_the_hotkey_that_wrote_it(
    placed: Callable[..., Placed], tmp_path: Path
) -> None:
    def see(uid: int) -> Store:
        own = open_places(tmp_path / f"home-{uid}" / "store", allow_local=True)
        locator = "https://169.254.169.254/latest" if uid == 1 else own.locator

        def find(other: int, locator: str) -> Reader:
            return read_place(locator, allow_local=not locator.startswith("https"))

        return OwnPlace(own.mine, find, locator=locator, own_backing=True)

    run = placed(*ROLES, places=see, rounds=1)
    run.run()
    assert verdicts(run, 1) == {0: {"unreachable"}}
    assert verdicts(run, 0)[0] | verdicts(run, 2)[0] <= MEASURED


def test_anchors_with_and_without_a_locator_are_read_back() -> None:
    token = bytes(range(32))
    for locator in ("", "https://e.example/b/7", "https://e.example/" + "x" * 182):
        for detours in (bytes(32), token):
            anchor = Anchor("miner", 7, token, token[::-1], detours, locator)
            data = anchor.to_bytes()
            assert len(data) <= 384
            assert Anchor.from_bytes(data) == anchor
            assert Anchor.from_bytes(data + b"x") is None
            if locator or detours == token:
                assert Anchor.from_bytes(data[:-1]) is None
    assert len(Anchor("miner", 7, token).to_bytes()) == 72
    assert Anchor.from_bytes(b"SL2m" + bytes(68)) is None
    assert Anchor.from_bytes(b"SL2m" + bytes(68) + b"\xff" + b"a" * 255) is None
    assert Anchor.from_bytes(b"SL2m" + bytes(68) + b"\x02\xc3\xa9") is None


def test_a_net_in_memory_takes_a_whole_anchor() -> None:
    net = MemoryNet()
    anchor = Anchor("validator", 1, bytes(32), locator="https://e.example/b")
    net.chain("a").commit(anchor.to_bytes())
    net.seal()
    assert Anchor.from_bytes(net.commitments()["a"].data) == anchor
