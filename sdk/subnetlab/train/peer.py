"""What miners and validators share: the loop over rounds, kept in step by block heights alone.

A peer waits for a round to open, does its role's part up to the close, follows the published record, and
reports. It never looks at a clock except to give up on a chain that seals no more blocks.
"""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import torch

from subnetlab.errors import ManifestInvalid, StoreUnreachable
from subnetlab.network.chain import Chain
from subnetlab.record.events import Event, Role
from subnetlab.store.base import Store
from subnetlab.store.places import Places
from subnetlab.train import data
from subnetlab.train.anchors import NOTHING
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.execution import ON_CPU, Execution
from subnetlab.train.manifest import Manifest, RoundHeights
from subnetlab.train.payload.sparse import State
from subnetlab.train.phases import due, phase
from subnetlab.train.replica import Adopted, Replica
from subnetlab.train.roster import Roster, Seat, in_fleet_order, seat_of
from subnetlab.train.strategies.base import Codec

_LOG = logging.getLogger(__name__)

Report = Callable[[Event], None]
Sign = Callable[[bytes], bytes]


class Peer(ABC):
    """One seat of a run, from the next round that opens to the last."""

    role: ClassVar[Role]

    def __init__(  # noqa: PLR0917 - the order of the seams is the contract of every role
        self,
        manifest: Manifest,
        roster: Roster,
        chain: Chain,
        store: Store,
        report: Report,
        sign: Sign,
        *,
        hotkey: str,
        corpus: Corpus | None = None,
        patience_s: float = 600.0,
        last_round: Callable[[], int] | None = None,
        leaves_out: bool = False,
        execution: Execution = ON_CPU,
    ) -> None:
        """Build the model and check the data; nothing is sent yet.

        Args:
            manifest: what fixes the run.
            roster: who takes part at a height.
            chain: this hotkey's view of the subnet.
            store: where objects travel.
            report: takes every event of this peer.
            sign: signs bytes with the hotkey.
            hotkey: this peer's own ss58 address; the roster says which seat it holds.
            corpus: the run's data, mapped; by default made again from the manifest's source.
            patience_s: how long a block may take before the chain counts as gone.
            last_round: the last round that takes place, counted from 0 and asked before each; the manifest's
                unless given.
            leaves_out: whether a round whose commit deadline has passed is left out, on a chain whose blocks
                wait for no peer.
            execution: the device on which this peer computes, and whether its steps are compiled; in which
                arithmetic, the manifest says.

        Raises:
            ModelNotBuildable: see `models.build`.
            DatasetEmpty: the corpus holds not one item.
            ManifestInvalid: the corpus is not the manifest's.
            DeviceMissing: the device is not here, or nothing that compiles.
        """
        execution.check_here()
        # Bit-exact replay holds for one thread; several peers share a machine anyway.
        torch.set_num_threads(1)
        self.manifest, self.roster, self.hotkey = manifest, roster, hotkey
        self.seats: Sequence[Seat] = ()
        """Who takes part in the round at hand; empty before the first."""
        self.chain, self.store, self.sign = chain, store, sign
        self.report: Report = _one_by_one(report)
        self.patience_s, self.leaves_out = patience_s, leaves_out
        self.last_round = last_round or (lambda: manifest.rounds - 1)
        self.in_round = False
        """Whether it is between the open and the close of a round in which it takes part."""
        self.leaving = False
        """Set from outside: no further round is begun."""
        self.corpus = checked_corpus(manifest, corpus)
        self.execution = execution
        self.replica = Replica(manifest, roster, chain, store, execution)
        self.codec = self.codec_at(0)
        self.previous_commitment = NOTHING
        self.memory: State = {}
        self._cpu_s = time.process_time()
        """Of this process when it last reported a phase."""
        self._done: set[tuple[int, str]] = set()
        """Phases of the round at hand that were reported."""
        self._behind: StoreUnreachable | None = None
        """Why the last round could not be followed yet."""

    def run(self) -> None:
        """Take part in every round whose commit deadline is still ahead, from the first that seats this peer.

        Raises:
            NotRegistered: it had a seat and lost it.
        """
        took_part = False
        head = self.chain.wait_for(0, self.patience_s).number
        rounds = range(self.manifest.rounds)
        first = next((r for r in rounds if self.manifest.heights(r).commit > head), self.manifest.rounds)
        if first > 0:  # the round before may still run: what it becomes is known once it has closed
            self.wait(self.manifest.heights(first - 1).close)
            self._catch_up(first - 1)
        for round_ in range(first, self.manifest.rounds):
            if self.leaving or round_ > self.last_round():
                return
            heights = self.manifest.heights(round_)
            head = self.chain.wait_for(heights.open, self.patience_s).number
            if round_ > self.last_round():  # said while this peer waited
                return
            self.seats = self.roster.at(heights.open)
            took_part = took_part or any(seat.hotkey == self.hotkey for seat in self.seats)
            if took_part and not (self.leaves_out and head >= heights.commit):
                self.in_round = True
                self.codec = self.codec_at(round_)
                self._play(heights)
            adopted = self.follow(heights)
            if took_part:
                self.done("synced", heights)
                self.closed(heights, adopted)
            self.in_round = False
        if self._behind is not None:
            raise self._behind

    def _catch_up(self, round_: int) -> None:
        """Follow the rounds that took place without this peer."""
        began, replica = time.perf_counter(), self.replica
        replica.adopt(round_)
        start = f"the checkpoint of round {replica.began_at}" if replica.began_at else "the first round"
        _LOG.info(
            "Caught up with round %d in %.1f s, from %s on; the model is %s.",
            round_ + 1, time.perf_counter() - began, start, replica.hash[:12],
        )  # fmt: skip

    def _play(self, heights: RoundHeights) -> None:
        """Take part, or sit the round out where this peer's own place, or all that it follows, is away.

        Raises:
            StoreUnreachable: the store that all peers share is away.
        """
        self._done.clear()
        try:
            if self._behind is not None:
                raise self._behind
            self.take_part(heights)
        except StoreUnreachable as error:
            self._concerns_me_alone(error)
            _LOG.warning("Round %d is sat out. %s", heights.round + 1, error)
            for _, name in due(self.role, heights):
                if name != "synced" and (heights.round, name) not in self._done:
                    self.done(name, heights)

    def follow(self, heights: RoundHeights) -> Adopted | None:
        """Adopt a round once it has closed; None where it left nothing, or is followed later."""
        self.wait(heights.close)
        return self._follow(heights.round)

    def _follow(self, round_: int) -> Adopted | None:
        """Adopt a round; where the places of its validators are away, later, together with the next."""
        try:
            adopted = self.replica.adopt(round_)
        except StoreUnreachable as error:
            self._concerns_me_alone(error)
            _LOG.warning("Round %d is followed later. %s", round_ + 1, error)
            self._behind = error
            return None
        self._behind = None
        return adopted

    def _concerns_me_alone(self, error: StoreUnreachable) -> None:
        if not (isinstance(self.store, Places) and self.store.own_backing):
            raise error

    @property
    def seat(self) -> Seat:
        """This peer's own seat in the round at hand.

        Raises:
            NotRegistered: it has lost it.
        """
        return seat_of(self.seats, self.hotkey)

    @abstractmethod
    def take_part(self, heights: RoundHeights) -> None:
        """The role's part of a round, from open to just before close."""

    def closed(  # noqa: B027 - most roles do nothing here
        self, heights: RoundHeights, adopted: Adopted | None
    ) -> None:
        """What the role does once θ has moved; nothing, for most."""

    def wait(self, height: int) -> float:
        """Wait for a block; returns the seconds it took."""
        began = time.perf_counter()
        self.chain.wait_for(height, self.patience_s)
        return time.perf_counter() - began

    def drawn_at(self, height: int) -> str:
        """What the chain adds to the draws of a round: a block's hash; nothing where they can be repeated."""
        return "" if self.manifest.deterministic else self.chain.block_hash(height)

    def drawn_as(self, uid: int) -> int:
        """The miner that draws are made for: its uid, or its place in a fleet whose run is repeated."""
        if not self.manifest.deterministic:
            return uid
        return next(place for place, seat in enumerate(in_fleet_order(self.seats)) if seat.uid == uid)

    def codec_at(self, round_: int) -> Codec:
        """How payloads of a round are written."""
        return self.manifest.codec(self.replica.layout, round_)

    def done(self, name: str, heights: RoundHeights) -> None:
        """Report a finished phase, and the processor time that it took."""
        self._done.add((heights.round, name))
        before, self._cpu_s = self._cpu_s, time.process_time()
        cpu_s = round(self._cpu_s - before, 4)
        self.report(phase(self.role, name, self.seat.uid, heights, cpu_s=cpu_s))


def _one_by_one(report: Report) -> Report:
    """A report that several threads of one peer may make."""
    speaking = threading.RLock()  # a signal may end a report that another begins

    def reported(event: Event) -> None:
        with speaking:
            report(event)

    return reported


def checked_corpus(manifest: Manifest, corpus: Corpus | None) -> Corpus:
    """The run's data: what is at hand if it is the manifest's, else made again from its source.

    Raises:
        ManifestInvalid: the root differs, or the source is not known here.
        DatasetEmpty: it holds not one item of the run's task.
    """
    corpus = corpus or data.from_json(manifest.data.source).load()
    if corpus.manifest.root != manifest.data.root:
        raise ManifestInvalid(
            f"The data at hand ({corpus.manifest.name}) is not the data of this run ({manifest.data.name}).",
            hint="Use the run's own data folder; another Python has another standard library.",
        )
    for part in ("train", "validation"):
        manifest.task.items(corpus, part)
    return corpus
