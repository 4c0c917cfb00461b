"""One hotkey in two processes: the second is refused before its first round, and a restart is no second."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from subnetlab.errors import HotkeyInUse
from subnetlab.network.chain import Block, Chain
from subnetlab.network.memory import MemoryNet
from subnetlab.public.sole_hotkey import SoleHotkey
from subnetlab.train.anchors import Anchor
from subnetlab.train.manifest import Manifest, RoundHeights

HOTKEY = "5Peer"
LENGTH = 10


def heights(round_: int) -> RoundHeights:
    opens = 100 + round_ * LENGTH
    return RoundHeights(round_, opens, opens + 3, opens + 5, opens + 8, opens + LENGTH)


MANIFEST = cast(
    "Manifest", SimpleNamespace(first_block=100, blocks_per_round=LENGTH, rounds=20, heights=heights)
)


def anchor(round_: int, work: int = 1) -> bytes:
    return Anchor("miner", round_, bytes([work]) * 32).to_bytes()


@dataclass
class World:
    """A chain on which a hotkey commits, and what its processes say while they wait."""

    folder: Path
    net: MemoryNet = field(default_factory=MemoryNet)
    said: list[str] = field(default_factory=list[str])
    while_waiting: list[bytes] = field(default_factory=list[bytes])
    """What is committed by another process while this one waits."""

    def process(self, home: str) -> SoleHotkey:
        """A process with this home."""
        (self.folder / home).mkdir(exist_ok=True)
        return SoleHotkey.of(
            HOTKEY, self.folder / home / "committed", lambda: self.net.commitments().get(HOTKEY)
        )

    def reach(self, height: int) -> None:
        self.net.seal(height - self.net.wait_for(0, 1).number)

    def commit(self, data: bytes, at: int) -> None:
        self.net.chain(HOTKEY).commit(data)
        self.reach(at)

    def begin(self, process: SoleHotkey) -> int:
        """Begin; the height at which it did."""
        world = self

        class Waiting:
            def wait_for(self, number: int, timeout_s: float) -> Block:
                for data in world.while_waiting if number else ():
                    world.net.chain(HOTKEY).commit(data)
                if number:
                    world.reach(number)
                return world.net.wait_for(number, timeout_s)

        process.begin(MANIFEST, cast("Chain", Waiting()), 1.0, self.said.append)
        return self.net.wait_for(0, 1).number


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = World(tmp_path)
    found.reach(101)
    return found


def test_the_second_process_waits_for_a_round_and_is_refused(world: World) -> None:
    first = world.process("first")
    assert world.begin(first) == 101
    first.commits(anchor(0))
    world.commit(anchor(0), 103)
    world.while_waiting = [anchor(1, 2)]
    with pytest.raises(HotkeyInUse, match=f"with the hotkey {HOTKEY}: block 104 holds"):
        world.begin(world.process("second"))
    assert "to see whether another process uses it" in world.said[0]


def test_who_moves_to_another_machine_goes_on_after_that_round(world: World) -> None:
    first = world.process("first")
    first.commits(anchor(0))
    world.commit(anchor(0), 103)
    moved = world.process("second")
    assert world.begin(moved) == heights(1).close
    moved.commits(anchor(2))
    world.commit(anchor(2), 122)
    with pytest.raises(HotkeyInUse):
        first.commits(anchor(2, 9))  # left running by mistake


def test_a_process_that_is_started_again_in_its_home_goes_on_at_once(world: World) -> None:
    first = world.process("first")
    first.commits(anchor(0))
    world.commit(anchor(0), 103)
    assert world.begin(world.process("first")) == 103
    assert world.said == []


def test_a_commitment_that_never_came_into_a_block_is_its_own_all_the_same(world: World) -> None:
    first = world.process("first")
    first.commits(anchor(0))
    world.commit(anchor(0), 103)
    first.commits(anchor(1))  # dropped by the pool
    again = world.process("first")
    assert world.begin(again) == 103
    again.commits(anchor(2))


@pytest.mark.parametrize(("round_", "at"), [(0, 90), (0, 200)], ids=["an earlier run", "long ago"])
def test_what_was_committed_long_before_is_no_other_process(world: World, round_: int, at: int) -> None:
    if at == 90:
        world = World(world.folder)
        world.reach(80)
    world.commit(anchor(round_), at if at < 100 else 103)
    world.reach(max(at, 101))
    process = world.process("late")
    assert world.begin(process) == max(at, 101)
    process.commits(anchor(11))


def test_two_that_begin_together_are_told_apart_at_their_second_commitment(world: World) -> None:
    one, two = world.process("one"), world.process("two")
    for process in (one, two):
        world.begin(process)
    one.commits(anchor(0, 1))
    two.commits(anchor(0, 2))
    world.commit(anchor(0, 2), 103)
    with pytest.raises(HotkeyInUse):
        one.commits(anchor(1, 1))
    two.commits(anchor(1, 2))


def test_what_is_no_anchor_is_no_work_of_another(world: World) -> None:
    world.commit(b"a web page", 102)
    process = world.process("one")
    assert world.begin(process) == 102
    process.commits(anchor(0))


def test_the_hashes_kept_are_readable_by_their_owner_alone(world: World) -> None:
    process: Any = world.process("one")
    process.commits(anchor(0))
    assert process.file.stat().st_mode & 0o077 == 0
