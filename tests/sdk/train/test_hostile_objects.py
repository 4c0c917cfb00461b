"""Hostile objects by the thousand: each named by its reason, in bounded memory, and none costs another."""

import os
import random
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from subnetlab.errors import PayloadRejected
from subnetlab.network.chain import Commitment
from subnetlab.record.reasons import IN_WORDS
from subnetlab.store.base import Store
from subnetlab.store.objects import open_store
from subnetlab.store.places import fleet_places
from subnetlab.train import object_paths
from subnetlab.train.intake import MOST_REVEALS, Intake, Received
from subnetlab.train.manifest import Manifest
from subnetlab.train.strategies import SparseLoCo
from subnetlab.train.theta import Layout

from .conftest import seats_for
from .test_intake import DEADLINE, ROUND, WRONG, Sender

FLOOD = 3_000
_STRANGE = ("..", ".hidden", "a b", "line\nfeed", "é" * 40, "-x", "x" * 250, "\u202e", "draft.", "a..b", "~")


def _reveals(sender: Sender, root: Path) -> Path:
    folder = root / object_paths.reveals(ROUND, sender.seat.uid, DEADLINE)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _object(sender: Sender, root: Path) -> Path:
    path = root / object_paths.sealed(ROUND, sender.seat.uid, sender.sealed.commitment)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def strange_names(sender: Sender, root: Path, drawn: random.Random) -> str:
    """Names that no object has beside a reveal that is not there."""
    sender.reveal = None
    for name in drawn.sample(_STRANGE[1:], 5):
        (_reveals(sender, root) / name).write_bytes(drawn.randbytes(9))
    return "no_reveal"


def a_flood(sender: Sender, root: Path, drawn: random.Random) -> str:
    """Thousands of reveals of one miner, none of which its object names."""
    sender.reveal = None
    folder, start = _reveals(sender, root), drawn.randrange(1 << 40)
    for number in range(FLOOD):
        os.mknod(folder / f"{start + number:064x}")
    return "no_reveal"


def a_giant(sender: Sender, root: Path, drawn: random.Random) -> str:
    """An object of terabytes that costs its owner nothing."""
    path = _object(sender, root)
    path.touch()
    os.truncate(path, drawn.randrange(1 << 30, 1 << 42))
    sender.data = None
    return "too_large"


def a_pipe(sender: Sender, root: Path, drawn: random.Random) -> str:
    """What a reader would wait at for ever."""
    del drawn
    os.mkfifo(_object(sender, root))
    sender.data = None
    return "no_payload"


def a_link(sender: Sender, root: Path, drawn: random.Random) -> str:
    _object(sender, root).symlink_to(drawn.choice(["/dev/zero", "/etc/passwd", "..", "/proc/self/environ"]))
    sender.data = None
    return "no_payload"


def a_deep_folder(sender: Sender, root: Path, drawn: random.Random) -> str:
    """Folders in folders where a reveal would be."""
    del drawn
    sender.reveal = None
    (_reveals(sender, root) / "/".join(["d"] * 120)).mkdir(parents=True)
    return "no_reveal"


def noise(sender: Sender, root: Path, drawn: random.Random) -> str:
    """Bytes of any length under the committed name."""
    del root
    sender.data = drawn.randbytes(drawn.choice([0, 1, 31, 32, 47, 48, 49, 500, 5000]))
    return "no_reveal|wrong_key|too_large"


def a_noisy_reveal(sender: Sender, root: Path, drawn: random.Random) -> str:
    del root
    sender.reveal = drawn.randbytes(drawn.choice([0, 1, 63, 127, 129, 500]))
    return "malformed"


Kind = Callable[[Sender, Path, random.Random], str]
OF_THE_STORE: tuple[Kind, ...] = (
    strange_names, a_giant, a_pipe, a_link, a_deep_folder, noise, a_noisy_reveal,
)  # fmt: skip


def _table(name: str) -> Kind:
    spoil, reason = WRONG[name]

    def kind(sender: Sender, root: Path, drawn: random.Random) -> str:
        del root, drawn
        spoil(sender)
        return reason

    return kind


KINDS = (*OF_THE_STORE, *(_table(name) for name in WRONG if not name.startswith("sealed")))


def played(manifest: Manifest, layout: Layout, tmp_path: Path, count: int) -> Iterator[tuple[str, str]]:
    """(expected, found) of so many hostile rounds, ten beside an honest miner's; half of them in places."""
    drawn = random.Random(11)
    seats = seats_for(*["miner"] * 11)
    for batch in range(0, count, 10):
        folder = tmp_path / f"{batch:06}"
        store = open_store(folder)
        placed = bool(batch // 10 % 2)
        commitments: dict[str, Commitment] = {}
        expected: dict[int, str] = {}
        for number, seat in enumerate(seats):
            sees: Store = fleet_places(store, seat.uid) if placed else store
            sender = Sender(manifest, seat, layout, sees)
            if number:
                kind = a_flood if (batch + number) % 250 == 1 else KINDS[(batch + number) % len(KINDS)]
                expected[seat.uid] = kind(sender, folder / str(seat.uid) if placed else folder, drawn)
            commitments |= sender.send()
        intake = Intake(manifest.hash, fleet_places(store, 99) if placed else store, sender.codec, DEADLINE)
        fetched = intake.fetch_all(seats, sender.heights, commitments)
        for seat in seats:
            found = _judged(intake, seat, sender, fetched[seat.uid])
            if seat.uid == seats[0].uid:
                assert isinstance(found, Received), found
            else:
                assert isinstance(found, PayloadRejected)
                yield expected[seat.uid], found.reason


def _judged(intake: Intake, seat: object, sender: Sender, sent: object) -> Received | PayloadRejected:
    if isinstance(sent, PayloadRejected):
        return sent
    try:
        return intake.check(seat, sender.heights, sent)
    except PayloadRejected as error:
        return error


def _all_named(manifest: Manifest, layout: Layout, tmp_path: Path, count: int) -> None:
    tracemalloc.start()
    try:
        seen = list(played(manifest, layout, tmp_path, count))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(seen) == count
    assert {found for _, found in seen} <= set(IN_WORDS)
    assert [(wanted, found) for wanted, found in seen if found not in wanted.split("|")] == []
    assert peak < 64 << 20, "a listing, ten payloads and no giant"


def test_two_hundred_and_fifty_hostile_objects_are_each_named(
    make_manifest: Callable[..., Manifest], layout: Layout, tmp_path: Path
) -> None:
    _all_named(make_manifest(strategy=SparseLoCo()), layout, tmp_path, 250)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_ten_thousand_hostile_objects_are_each_named(
    make_manifest: Callable[..., Manifest], layout: Layout, tmp_path: Path
) -> None:
    _all_named(make_manifest(strategy=SparseLoCo()), layout, tmp_path, 10_000)


def test_a_listing_of_reveals_ends(
    make_manifest: Callable[..., Manifest], layout: Layout, tmp_path: Path
) -> None:
    """However many names a flooder puts, so many are looked at and no more."""
    looked: list[int] = []

    class Counting:
        def __init__(self, store: Store) -> None:
            self.store = store

        def get(self, name: str, limit: int) -> bytes:
            return self.store.get(name, limit)

        def put(self, name: str, data: bytes) -> None:
            self.store.put(name, data)

        def names(self, prefix: str, limit: int) -> list[str]:
            looked.append(limit)
            return self.store.names(prefix, limit)

    sender = Sender(
        make_manifest(strategy=SparseLoCo()), seats_for("miner")[0], layout, Counting(open_store(tmp_path))
    )
    a_flood(sender, tmp_path, random.Random(1))
    with pytest.raises(PayloadRejected) as refused:
        sender.judged()
    assert refused.value.reason == "no_reveal"
    assert looked == [MOST_REVEALS]
