"""Who an observer counts as part of a run when it begins to watch late."""

from types import SimpleNamespace
from typing import Any, cast

from subnetlab.network.chain import Block, Commitment
from subnetlab.public.observer import Observer
from subnetlab.record.events import BlockSealed, Event, PeerGone, PeersJoined
from subnetlab.train.anchors import Anchor


def test_who_left_long_before_the_watching_began_was_part_of_the_run() -> None:
    """Its verdicts are on record then; without them the ratings of later rounds would look forged."""
    anchor = Anchor(who="validator", round=1, previous=bytes(32), current=bytes(32))
    chain = SimpleNamespace(
        commitments=lambda: {"5V": Commitment(hotkey="5V", data=anchor.to_bytes(), block=120)},
        wait_for=lambda _number, _timeout_s: Block(900, "0x00"),
    )
    replica = SimpleNamespace(manifest=SimpleNamespace(first_block=100, rounds=20), chain=chain)
    told: list[Event] = []
    nothing = cast("Any", None)
    observer = Observer(
        replica=cast("Any", replica), corpus=nothing, append=told.extend, kept=nothing, hotkeys={3: "5V"}
    )
    observer._look_around(19)
    assert observer.seen == {3: "validator"}
    assert [event.seats for event in told if isinstance(event, PeersJoined)] == [
        [{"uid": 3, "hotkey": "5V", "role": "validator"}]
    ]
    observer._look_around(19)
    assert [event.uid for event in told if isinstance(event, PeerGone)] == [3]


def test_a_run_that_its_owner_ended_counts_no_round_after_its_last() -> None:
    """Blocks go on for the pay of the last round; they belong to no round that took place."""
    manifest = SimpleNamespace(
        first_block=100, rounds=20, blocks_per_round=10, heights=lambda n: SimpleNamespace(close=108 + 10 * n)
    )
    told: list[Event] = []
    followed: list[int] = []

    class Following(Observer):
        def follow(self, upto: int) -> None:
            followed.append(upto)
            self._next = upto + 1

        def _look_around(self, closed: int) -> None:
            del closed

    observer = Following(
        replica=cast("Any", SimpleNamespace(manifest=manifest)), corpus=cast("Any", None), append=told.extend,
        kept=cast("Any", None),
    )  # fmt: skip
    for number in (101, 109, 119):
        observer.block(Block(number, "0x00"))
    observer.rounds = 2
    for number in (125, 139):
        observer.block(Block(number, "0x00"))
    assert [event.round for event in told if isinstance(event, BlockSealed)] == [0, 0, 1, 1, 1]
    assert followed == [0, 1]
    observer.rounds = 0
    observer.block(Block(141, "0x00"))
    assert isinstance(told[-1], BlockSealed)
    assert told[-1].round == -1
