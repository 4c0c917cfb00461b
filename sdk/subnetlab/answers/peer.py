"""What miners and validators of answers share: the loop over rounds, kept in step by block heights alone.

As in training (`train.peer`), with nothing to adopt: no model moves, so a late peer begins at once.
"""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from subnetlab.answers.calls import Calls, FunctionFailed
from subnetlab.answers.manifest import AnswersManifest
from subnetlab.errors import ManifestInvalid, StoreUnreachable
from subnetlab.network.chain import Chain
from subnetlab.record.events import Event, Role
from subnetlab.store.base import Store
from subnetlab.store.places import Places
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.phases import due, phase
from subnetlab.train.roster import Roster, Seat, seat_of

_LOG = logging.getLogger(__name__)

Report = Callable[[Event], None]
Sign = Callable[[bytes], bytes]


class AnswersPeer(ABC):
    """One seat of a run of answers, from the next round that opens to the last."""

    role: ClassVar[Role]

    def __init__(  # noqa: PLR0917 - the order of the seams is the contract of every role
        self,
        manifest: AnswersManifest,
        roster: Roster,
        chain: Chain,
        store: Store,
        report: Report,
        sign: Sign,
        *,
        hotkey: str,
        calls: Calls,
        patience_s: float = 600.0,
        last_round: Callable[[], int] | None = None,
        leaves_out: bool = False,
    ) -> None:
        """Keep the seams; nothing is sent or called yet.

        Args:
            manifest: what fixes the run.
            roster: who takes part at a height.
            chain: this hotkey's view of the subnet.
            store: where objects travel.
            report: takes every event of this peer.
            sign: signs bytes with the hotkey.
            hotkey: this peer's own ss58 address.
            calls: this peer's functions, in a process of their own.
            patience_s: how long a block may take before the chain counts as gone.
            last_round: the last round that takes place, counted from 0; the manifest's unless given.
            leaves_out: whether a round whose commit deadline has passed is left out.
        """
        self.manifest, self.roster, self.hotkey, self.calls = manifest, roster, hotkey, calls
        self.chain, self.store, self.report, self.sign = chain, store, report, sign
        self.patience_s, self.leaves_out = patience_s, leaves_out
        self.last_round = last_round or (lambda: manifest.rounds - 1)
        self.run_hash = manifest.hash
        self.seats: Sequence[Seat] = ()
        """Who takes part in the round at hand; empty before the first."""
        self.rounds_over = 0
        """How many rounds of the run are behind this peer."""
        self.in_round = False
        """Whether it is between the open and the close of a round in which it takes part."""
        self.leaving = False
        """Set from outside: no further round is begun."""
        self._cpu_s = time.process_time()
        self._done: set[str] = set()

    def run(self) -> None:
        """Take part in every round whose commit deadline is still ahead, from the first that seats this peer.

        Raises:
            NotRegistered: it had a seat and lost it.
            ManifestInvalid: one of its functions does not run by itself.
        """
        with self.calls:
            self._define_functions()
            head = self.chain.wait_for(0, self.patience_s).number
            for round_ in range(self.manifest.rounds):
                heights = self.manifest.heights(round_)
                if heights.commit <= head:
                    continue
                if self.leaving or round_ > self.last_round():
                    return
                head = self.chain.wait_for(heights.open, self.patience_s).number
                if round_ > self.last_round():  # said while this peer waited
                    return
                self._play(heights, head)

    def _define_functions(self) -> None:
        try:
            self.calls.start()
        except FunctionFailed as error:
            raise ManifestInvalid(f"A function of this peer cannot be used: {error}.", hint="") from error

    def _play(self, heights: RoundHeights, head: int) -> None:
        """Take part in a round if this peer holds a seat, and wait for its close."""
        had_seat = bool(self.seats)
        seats = self.roster.at(heights.open)
        seated = had_seat or any(seat.hotkey == self.hotkey for seat in seats)
        if not seated:
            self.wait(heights.close)
            self.rounds_over = heights.round + 1
            return
        self.seats = seats
        self._done.clear()
        if not (self.leaves_out and head >= heights.commit):
            self.in_round = True
            self._try_part(heights)
        self.wait(heights.close)
        self.closed(heights)
        self.done("synced", heights)
        self.in_round, self.rounds_over = False, heights.round + 1

    def _try_part(self, heights: RoundHeights) -> None:
        """Take part, or sit the round out where this peer's own place is away.

        Raises:
            StoreUnreachable: the store that all peers share is away.
        """
        try:
            self.take_part(heights)
        except StoreUnreachable as error:
            if not (isinstance(self.store, Places) and self.store.own_backing):
                raise
            _LOG.warning("Round %d is sat out. %s", heights.round + 1, error)
            for _, name in due(self.role, heights):
                if name != "synced" and name not in self._done:
                    self.done(name, heights)

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

    def closed(self, heights: RoundHeights) -> None:  # noqa: B027 - a miner does nothing here
        """What the role does once the round has closed; nothing, for a miner."""

    def wait(self, height: int) -> float:
        """Wait for a block; returns the seconds it took."""
        began = time.perf_counter()
        self.chain.wait_for(height, self.patience_s)
        return time.perf_counter() - began

    def done(self, name: str, heights: RoundHeights) -> None:
        """Report a finished phase, and the processor time that it took."""
        self._done.add(name)
        before, self._cpu_s = self._cpu_s, time.process_time()
        self.report(phase(self.role, name, self.seat.uid, heights, cpu_s=round(self._cpu_s - before, 4)))
