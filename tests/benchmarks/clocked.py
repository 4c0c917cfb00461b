"""A run in memory whose blocks come by a clock that waits for no peer, each peer behind a link of its own."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bittensor_core import Keypair

from subnetlab.errors import TrainError
from subnetlab.record.events import Event
from subnetlab.store.shaped import shaped
from subnetlab.train.data import Corpus
from subnetlab.train.manifest import Manifest
from subnetlab.train.peer import Peer
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.roster import Seat


@dataclass(slots=True)
class Clocked(Rehearsal):
    """As `Rehearsal`, with the times at which things happened."""

    block_s: float = 0.0
    """Seconds between blocks; 0 where blocks come as soon as all are ready."""
    rates: dict[str, float] = field(default_factory=dict[str, float])
    """Of every peer's link."""
    told: list[tuple[float, Event]] = field(default_factory=list[tuple[float, Event]])
    sealed: dict[int, float] = field(default_factory=dict[int, float])

    def peer(self, seat: Seat) -> Peer:
        """One seat's role, behind its link."""
        peer = super(Clocked, self).peer(seat)
        link = {"uplink_mbps": 0.0, "downlink_mbps": 0.0, "rtt_ms": 0.0} | self.rates
        kind = type(peer)
        return kind(
            self.manifest, peer.roster, peer.chain, shaped(self.store, **link), self._report,
            self.sign(seat), hotkey=seat.hotkey, corpus=self.corpus, patience_s=self.patience_s,
        )  # fmt: skip

    def _report(self, event: Event) -> None:
        self.told.append((time.monotonic(), event))
        super(Clocked, self)._report(event)

    def _pace(self, playing: Sequence[Seat]) -> None:
        if not self.block_s:
            super(Clocked, self)._pace(playing)
            return
        began, last = time.monotonic(), self.manifest.heights(self.manifest.rounds - 1).next_open
        head = self.net.chain("").wait_for(0, 1).number
        for number in range(head + 1, last + 1):
            with self._heard:
                due = began + (number - head) * self.block_s
                while (left := due - time.monotonic()) > 0 and not self._failures:
                    self._heard.wait(left)
                if self._failures:
                    raise TrainError("A peer failed.") from self._failures[0][1]
            self.net.seal()
            self.sealed[number] = time.monotonic()


def clocked(
    manifest: Manifest, corpus: Corpus, miners: int, *, block_s: float = 0.0, **rates: float
) -> Clocked:
    """Play such a run with one validator."""
    keys = [Keypair.create_from_uri(f"//Clocked//{uid}") for uid in range(miners + 1)]
    roles = ["miner"] * miners + ["validator"]
    seats = [
        Seat.of(uid, key.ss58_address, role) for uid, (key, role) in enumerate(zip(keys, roles, strict=True))
    ]
    run = Clocked(
        manifest, seats, corpus, lambda seat: lambda data: bytes(keys[seat.uid].sign(data)),
        patience_s=3600.0, block_s=block_s, rates=rates,
    )  # fmt: skip
    run.run()
    return run
