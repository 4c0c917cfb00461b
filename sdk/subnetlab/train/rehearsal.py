"""A whole run in one process: every role in a thread, chain and store in memory, blocks when all are ready.

For tests, for benchmarks, and where processes cannot be forked. The same roles run as on a network; what is
missing is the network. Threads share torch, so speed is that of one process.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from subnetlab.errors import NodeUnreachable, TrainError
from subnetlab.network.memory import MemoryNet
from subnetlab.record.events import Event, Phase
from subnetlab.store.base import Store
from subnetlab.store.objects import open_store
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.manifest import Manifest
from subnetlab.train.miner import Miner
from subnetlab.train.peer import Peer, Sign
from subnetlab.train.phases import due
from subnetlab.train.roster import FixedRoster, Roster, Seat
from subnetlab.train.validator import Validator

ROLES: Final[dict[str, type[Peer]]] = {"miner": Miner, "validator": Validator}


@dataclass(slots=True)
class Rehearsal:
    """A run in memory; `events` fills while `run` works."""

    manifest: Manifest
    seats: Sequence[Seat]
    corpus: Corpus
    sign: Callable[[Seat], Sign]
    """How each seat signs."""
    roles: dict[int, type[Peer]] = field(default_factory=dict[int, type[Peer]])
    """Uids whose seats play another part than their role says, a free rider or an attacker."""
    roster: Roster | None = None
    """Who takes part at a height; None for the seats throughout."""
    store: Store = field(default_factory=lambda: open_store("memory"))
    net: MemoryNet = field(default_factory=MemoryNet)
    events: list[Event] = field(default_factory=list[Event])
    peers: dict[int, Peer] = field(default_factory=dict[int, Peer])
    patience_s: float = 60.0
    _heard: threading.Condition = field(default_factory=threading.Condition)
    _phases: set[tuple[int, int, str]] = field(default_factory=set[tuple[int, int, str]])
    _failures: list[tuple[int, BaseException]] = field(default_factory=list[tuple[int, BaseException]])

    def run(self) -> None:
        """Play every round.

        Raises:
            TrainError: a peer failed, or did not report in time; the first failure is the cause.
        """
        playing = [seat for seat in self.seats if seat.role in ROLES]
        for seat in playing:
            self.peers[seat.uid] = self.peer(seat)
        with ThreadPoolExecutor(len(playing), thread_name_prefix="peer") as threads:
            for seat in playing:
                playing_on = threads.submit(self.peers[seat.uid].run)
                playing_on.add_done_callback(partial(self._ended, seat.uid))
            try:
                self._pace(playing)
            finally:
                self.net.close()

    def peer(self, seat: Seat) -> Peer:
        """One seat's role, ready to run."""
        kind = self.roles.get(seat.uid, ROLES[seat.role])
        chain = self.net.chain(seat.hotkey)
        return kind(
            self.manifest, self.roster or FixedRoster(tuple(self.seats)), chain, self.store, self._report,
            self.sign(seat), hotkey=seat.hotkey, corpus=self.corpus, patience_s=self.patience_s,
        )  # fmt: skip

    def of(self, kind: type[Event]) -> list[Event]:
        """All events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def _pace(self, playing: Sequence[Seat]) -> None:
        """Seal the next height once everyone has reported what is due before it."""
        self.net.seal(self.manifest.heights(0).open - self.net.chain("").wait_for(0, 1).number)
        for round_ in range(self.manifest.rounds):
            heights = self.manifest.heights(round_)
            for height in range(heights.open + 1, heights.next_open + 1):
                self._await(
                    {
                        (s.uid, round_, name)
                        for s in playing
                        for h, name in due(self.peers[s.uid].role, heights)
                        if h == height
                    }
                )
                if height < heights.next_open or round_ < self.manifest.rounds - 1:
                    self.net.seal()

    def _await(self, phases: set[tuple[int, int, str]]) -> None:
        with self._heard:
            done = self._heard.wait_for(lambda: self._failures or phases <= self._phases, self.patience_s)
            if self._failures:
                uid, error = self._failures[0]
                raise TrainError(f"uid {uid} failed: {error}", hint="The traceback says where.") from error
            if not done:
                raise TrainError(
                    f"No peer reported {sorted(phases - self._phases)}.",
                    hint="Try fewer inner steps or a smaller batch_size, or a machine with more cores.",
                )

    def _ended(self, uid: int, part: "Future[None]") -> None:
        """Keep a peer's failure for the caller of `run`."""
        error = part.exception()
        # The chain was closed under it, because another peer failed first.
        if error is not None and not isinstance(error, NodeUnreachable):
            with self._heard:
                self._failures.append((uid, error))
                self._heard.notify_all()

    def _report(self, event: Event) -> None:
        with self._heard:
            self.events.append(event)
            if isinstance(event, Phase):
                self._phases.add((event.uid, event.round, event.name))
            self._heard.notify_all()
