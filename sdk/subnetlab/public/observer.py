"""Follow a public run from its chain and store, and keep its record as if it were a local one.

What strangers anchored is replayed and proven; what they report of themselves is taken in as their word. The
observer takes no part and signs nothing. A seat is of the run once its hotkey has committed in it.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from subnetlab.errors import ObjectExists
from subnetlab.network.chain import Block
from subnetlab.public.reports import read_reports
from subnetlab.record.events import (
    BlockSealed,
    Event,
    PeerGone,
    PeerReady,
    PeersJoined,
    Role,
    RoundClosed,
    RoundLost,
    Sampled,
    Scored,
)
from subnetlab.store.base import Store
from subnetlab.store.places import place_of
from subnetlab.train import aggregate, object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.data import Corpus
from subnetlab.train.replica import Adopted, Replica, round_closed

_LOST: Final = "No validator's record of it was on chain in time; the model is unchanged."
_SILENT_ROUNDS: Final = 2


@dataclass(slots=True, kw_only=True)
class Observer:
    """The record of a public run, kept up to date.

    Args:
        replica: the observer's own copy of the model, at its start.
        corpus: the run's data, to measure the model on.
        append: takes every event.
        kept: takes what leads to every round's model, so that the record can be replayed without the network.
        over: the rounds whose end is on record already.
        hotkeys: who holds each uid; kept up to date here.
    """

    replica: Replica
    corpus: Corpus
    append: Callable[[Sequence[Event]], None]
    kept: Store
    over: set[int] = field(default_factory=set[int])
    hotkeys: dict[int, str] = field(default_factory=dict[int, str])
    seen: dict[int, Role] = field(default_factory=dict[int, Role])
    """The uids that took part, and as what."""
    locators: dict[int, str] = field(default_factory=dict[int, str])
    """Where each uid's objects are read, from its last anchor."""
    gone: set[int] = field(default_factory=set[int])
    last: RoundClosed | None = None
    """The newest round that closed."""
    rounds: int = 0
    """How many rounds take place; the manifest's unless its owner ends the run sooner."""
    _next: int = 0
    _sealed_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.rounds = self.rounds or self.replica.manifest.rounds

    def block(self, block: Block) -> None:
        """Take in a block: the rounds that it closed, and who takes part."""
        now = time.monotonic()
        manifest = self.replica.manifest
        round_ = min((block.number - manifest.first_block) // manifest.blocks_per_round, self.rounds - 1)
        self.append([
            BlockSealed(
                number=block.number, hash=block.hash, round=max(round_, -1),
                waited_s=round(now - self._sealed_at, 6), chain_s=0.0,
            )
        ])  # fmt: skip
        self._sealed_at = now
        closed = round_ if round_ >= 0 and block.number >= manifest.heights(round_).close else round_ - 1
        if closed >= self._next:
            self._look_around(closed)
            self.follow(closed)

    def follow(self, upto: int) -> None:
        """Adopt everything published up to a round, and put what became of every round on record.

        Raises:
            TrainError: what is published cannot be followed.
            NodeUnreachable, StoreUnreachable: it cannot be read now.
        """
        self.replica.adopt(upto, self._closed)
        self._lost_before(upto + 1)

    def _closed(self, adopted: Adopted) -> None:
        number = adopted.record.round
        self._keep(adopted)
        self._lost_before(number)
        self._next = number + 1
        for entry in adopted.record.accepted:
            self._took_part(entry.uid, entry.hotkey, "miner")
        if number in self.over:
            return
        self._took_part(adopted.lead, self.hotkeys.get(adopted.lead, ""), "validator")
        for uid in list(self.seen):
            self.append(self._reported(uid, number))
        heights = self.replica.manifest.heights(number)
        self.last = round_closed(self.replica, adopted, heights, self.corpus, aggregate_s=0.0)
        self.over.add(number)
        self.append([self.last, *self._sample(number)])

    def _keep(self, adopted: Adopted) -> None:
        record, update = adopted.record, self.replica.last
        objects = {object_paths.record(record.hash): record.to_bytes()}
        if record.accepted and update is not None:
            data = aggregate.write(update, self.replica.layout)
            objects[object_paths.aggregate(record.round, record.aggregate_hash)] = data
        for name, data in objects.items():
            with contextlib.suppress(ObjectExists):  # an observer that was started again
                self.kept.put(name, data)

    def _lost_before(self, number: int) -> None:
        for missing in range(self._next, number):
            if missing not in self.over:
                self.over.add(missing)
                self.append([RoundLost(round=missing, reason=_LOST)])
        self._next = max(self._next, number)

    def _reported(self, uid: int, round_: int) -> list[Event]:
        place = place_of(self.replica.store, uid, self.locators.get(uid, ""))
        events = read_reports(place, self.replica.run, round_, uid, self.hotkeys.get(uid, ""))
        return [event for event in events if not isinstance(event, Scored) or event.uid in self.hotkeys]

    def _sample(self, round_: int) -> list[Event]:
        manifest = self.replica.manifest
        if (round_ + 1) % max(1, manifest.rounds // 10) and round_ != self.rounds - 1:
            return []
        sample = self.replica.model.sample()
        return [] if sample is None else [Sampled(round=round_, prompt=sample.prompt, text=sample.text)]

    def _look_around(self, closed: int) -> None:
        """See who committed in the round that closed, and who has not for a while."""
        manifest = self.replica.manifest
        uids = {hotkey: uid for uid, hotkey in self.hotkeys.items()}
        for hotkey, committed in self.replica.chain.commitments().items():
            anchor, uid = Anchor.from_bytes(committed.data), uids.get(hotkey)
            if anchor is None or uid is None or committed.block < manifest.first_block:
                continue
            self.locators[uid] = anchor.locator
            if anchor.round > closed - _SILENT_ROUNDS or uid not in self.seen:
                self._took_part(uid, hotkey, anchor.who)  # who begins to watch late sees those who left, too
            elif uid in self.seen and uid not in self.gone:
                self.gone.add(uid)
                reason = f"Nothing of it is on chain after round {anchor.round + 1}."
                self.append([PeerGone(uid=uid, reason=reason)])

    def _took_part(self, uid: int, hotkey: str, role: Role) -> None:
        if self.seen.get(uid) == role and uid not in self.gone:
            return
        head = self.replica.chain.wait_for(0, 0).number
        seat: dict[str, Any] = {"uid": uid, "hotkey": hotkey, "role": role}
        self.seen[uid], self.hotkeys[uid] = role, hotkey
        self.gone.discard(uid)
        self.append([PeersJoined(seats=[seat], block=head), PeerReady(uid=uid, pid=0, seconds=0.0)])
