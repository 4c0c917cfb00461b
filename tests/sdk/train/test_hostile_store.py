"""One act of one peer in the folder that all share costs that peer alone: the round goes on for the rest."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest

from subnetlab.errors import ObjectExists, ObjectMissing
from subnetlab.record.events import RoundClosed, Scored
from subnetlab.store.base import MOST_NAMES
from subnetlab.store.folder import FolderStore
from subnetlab.store.objects import open_store
from subnetlab.train import object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.miner import Miner
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.payload.seal import Binding, Sealed
from subnetlab.train.publishing import Publications
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.replica import Replica
from subnetlab.train.roster import FixedRoster

MakeRehearsal = Callable[..., Rehearsal]
Act = Callable[["Vandal", RoundHeights, Sealed], None]
FAST = AdamWConfig(lr=5e-3)


class Vandal(Miner):
    """Works honestly, then does something to the files of its own."""

    act: Act

    @property
    def folder(self) -> Path:
        assert isinstance(self.store, FolderStore)
        return self.store.root

    def reveal(self, sealed: Sealed, binding: Binding, heights: RoundHeights) -> None:
        super().reveal(sealed, binding, heights)
        type(self).act(self, heights, sealed)

    def reveals(self, heights: RoundHeights) -> Path:
        return self.folder / object_paths.reveals(
            heights.round, self.seat.uid, self.chain.block_hash(heights.commit)
        )


def own_object(make: Callable[[Path], object]) -> Act:
    def act(vandal: Vandal, heights: RoundHeights, sealed: Sealed) -> None:
        path = vandal.folder / object_paths.sealed(heights.round, vandal.seat.uid, sealed.commitment)
        path.unlink()
        make(path)

    return act


def own_reveals(make: Callable[[Path], object]) -> Act:
    return lambda vandal, heights, _: make(vandal.reveals(heights)) and None


def alone(make: Callable[[Path], object]) -> Act:
    """The reveal is taken away too: only what the act leaves is there."""

    def act(vandal: Vandal, heights: RoundHeights, sealed: Sealed) -> None:
        folder = vandal.reveals(heights)
        (folder / sealed.token).unlink()
        make(folder)

    return act


def flood(folder: Path) -> None:
    for number in range(20_000):
        os.mknod(folder / f"{number:064x}")


def squat_aggregate(vandal: Vandal, heights: RoundHeights, sealed: Sealed) -> None:
    (vandal.folder / f"rounds/{heights.round:06}/aggregate").write_bytes(b"squat")


def link_out(vandal: Vandal, heights: RoundHeights, sealed: Sealed) -> None:
    outside = vandal.folder.parent / "outside"
    outside.mkdir(exist_ok=True)
    (vandal.folder / f"rounds/{heights.round:06}/aggregate").symlink_to(outside)


ACTS: dict[str, tuple[Act, set[str]]] = {
    "a pipe as object": (own_object(os.mkfifo), {"no_payload"}),
    "a link as object": (own_object(lambda path: path.symlink_to("/etc/passwd")), {"no_payload"}),
    "a loop as object": (own_object(lambda path: path.symlink_to(path.name)), {"no_payload"}),
    "a folder as object": (own_object(lambda path: path.mkdir()), {"no_payload"}),
    "a loop among reveals": (own_reveals(lambda folder: (folder / "loop").symlink_to("loop")), {"accepted"}),
    "a link upwards": (own_reveals(lambda folder: (folder / "up").symlink_to("..")), {"accepted"}),
    "a name that is no UTF-8": (
        own_reveals(lambda folder: Path(os.fsdecode(bytes(folder) + b"/\xff")).touch()),
        {"accepted"},
    ),
    "a line feed": (own_reveals(lambda folder: (folder / "a\nb").touch()), {"accepted"}),
    "a pipe for a reveal": (alone(lambda folder: os.mkfifo(folder / ("a" * 64))), {"no_reveal"}),
    "a file for the aggregates": (squat_aggregate, {"accepted"}),
    "a link for the aggregates": (link_out, {"accepted"}),
    "twenty thousand names": (alone(flood), {"no_reveal"}),
}


@pytest.mark.parametrize("name", ACTS)
def test_the_round_goes_on(rehearse: MakeRehearsal, tmp_path: Path, name: str) -> None:
    act, verdicts = ACTS[name]
    vandal = type("OneVandal", (Vandal,), {"act": act})
    run = rehearse(
        "miner", "miner", "miner", "validator", "validator",
        roles={2: vandal}, optimizer=FAST, rounds=1, store=open_store(tmp_path / "store"),
    )  # fmt: skip
    run.run()
    scored = cast("list[Scored]", run.of(Scored))
    assert {v.verdict for v in scored if v.uid == 2} == verdicts
    assert {v.verdict for v in scored if v.uid != 2} == {"accepted"}
    assert len(run.of(RoundClosed)) == 1
    assert not list((tmp_path / "outside").glob("*"))


def test_a_file_in_place_of_another_miners_reveals_takes_nothing_from_it(
    rehearse: MakeRehearsal, tmp_path: Path
) -> None:
    class Squatter(Miner):
        def work(self, heights: RoundHeights):
            self.store.put(f"rounds/{heights.round:06}/reveal/0", b"squat")
            self.store.put(f"rounds/{heights.round:06}/aggregate", b"squat")
            return super().work(heights)

    run = rehearse(
        "miner", "miner", "validator",
        roles={1: Squatter}, optimizer=FAST, rounds=1, store=open_store(tmp_path),
    )  # fmt: skip
    run.run()
    assert {v.verdict for v in cast("list[Scored]", run.of(Scored))} == {"accepted"}
    with pytest.raises(ObjectMissing):
        run.store.get("rounds/000000/sealed/0", limit=1)


def test_names_under_anothers_reveals_do_not_hide_it(rehearse: MakeRehearsal, tmp_path: Path) -> None:
    class Flooder(Miner):
        """Fills what it knows of another miner's place before the deadline, and its place afterwards."""

        def work(self, heights: RoundHeights):
            self.fill(f"rounds/{heights.round:06}/reveal/0")
            return super().work(heights)

        def reveal(self, sealed: Sealed, binding: Binding, heights: RoundHeights) -> None:
            self.fill(object_paths.reveals(heights.round, 0, self.chain.block_hash(heights.commit)))
            super().reveal(sealed, binding, heights)

        def fill(self, prefix: str) -> None:
            folder = cast("FolderStore", self.store).root / prefix
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(MOST_NAMES + 1):
                os.mknod(folder / f"{number:064x}")

    run = rehearse(
        "miner", "miner", "validator",
        roles={1: Flooder}, optimizer=FAST, rounds=2, store=open_store(tmp_path),
    )  # fmt: skip
    run.run()
    assert {v.verdict for v in cast("list[Scored]", run.of(Scored))} == {"accepted"}


class Foreseen(FolderStore):
    """A store in which somebody else has computed the validators' names first, and put junk there."""

    kinds = ("records", "aggregate")

    def put(self, name: str, data: bytes) -> None:
        if any(kind in name.split("/") for kind in self.kinds):
            with suppress(ObjectExists):
                super().put(name, b"junk")
        super().put(name, data)


@pytest.mark.parametrize("kinds", [("records",), ("aggregate",), ("records", "aggregate")])
def test_junk_under_a_name_that_can_be_computed_stops_no_round(
    rehearse: MakeRehearsal, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    store = Foreseen(tmp_path)
    store.kinds = kinds
    run = rehearse("miner", "miner", "validator", "validator", rounds=3, optimizer=FAST, store=store)
    run.run()
    closed = sorted(cast("list[RoundClosed]", run.of(RoundClosed)), key=lambda event: event.round)
    assert [event.round for event in closed] == [0, 1, 2]
    assert {v.verdict for v in cast("list[Scored]", run.of(Scored))} == {"accepted"}
    late = Replica(run.manifest, FixedRoster(tuple(run.seats)), run.net.chain("late"), run.store)
    late.adopt(run.manifest.rounds - 1)
    assert late.hash == closed[-1].theta_hash


def test_a_list_of_detours_that_lies_costs_the_one_who_wrote_it(
    rehearse: MakeRehearsal, tmp_path: Path
) -> None:
    store = open_store(tmp_path)
    publications = Publications(store)
    store.put("records/" + "0" * 64, b"right")
    for listed in (b"[", b"[1]", b'{"a": 1, "b": "/etc/passwd", "c": "../x"}', b"[" * 100_000):
        token = secrets.token_bytes(32)
        store.put(object_paths.detour(token), listed)
        anchor = Anchor("validator", 0, bytes(32), detours=token)
        assert Anchor.from_bytes(anchor.to_bytes()) == anchor
        assert publications.detours(anchor) == {}
    lost = Anchor("validator", 0, bytes(32), detours=secrets.token_bytes(32))
    assert publications.detours(lost) == {}
    lies = {"records/" + "0" * 64: object_paths.detour(bytes(32))}
    assert publications.get("records/" + "0" * 64, 9, bytes.upper, lies) == b"RIGHT"
