"""The record of a run folded into one float32 row per round, which is what the page draws.

A row is `ROUND_FIELDS` and then, miner by miner, `METRICS`; NaN where nothing was measured. Losses are
nats per byte, times seconds, pay alpha, shares 0 to 1. The row of a round may be read again as its events
arrive. Nothing here knows about widgets. Miners are never told apart by what they were started as: a verdict
comes from validators alone.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from subnetlab.record import events
from subnetlab.record.events import Event

ROUND_FIELDS = ("round", "subnet", "alone", "room", "block", "compute", "compress", "store", "wait", "chain")
METRICS = (
    "loss",
    "loss_removed",
    "rating",
    "weight",
    "consensus",
    "incentive",
    "pay",
    "wire_bytes",
    "verdict",
)
NOT_JUDGED, WORKS, FLAGGED, GONE = 0.0, 1.0, 2.0, 3.0
FLAG_FROM = 2
"""Rounds before a miner can be flagged, and then only if most of its rounds were refused."""
OPEN_ROUNDS = 4
"""Votes are kept for so many rounds: validators judge a round before it closes, and older ones only count."""
ALPHA_RAO = 1e9
U16 = 65535.0

Row = NDArray[np.float32]
Vote = tuple[bool, float, float, float]
"""What one validator said of one miner in one round: whether it accepted, score, rating, weight."""


class Story:
    """Everything the dashboard knows of one run, round by round."""

    def __init__(self, started: events.RunStarted) -> None:
        """Begin with the first event, which names the seats."""
        self.started = started
        self.miners = [int(s["uid"]) for s in started.seats if s["role"] in ("miner", "free_rider")]
        self._column = {uid: i for i, uid in enumerate(self.miners)}
        self._rows: dict[int, Row] = {}
        self._known = np.full((len(self.miners), len(METRICS)), np.nan, dtype="<f4")
        self._known[:, METRICS.index("verdict")] = NOT_JUDGED
        self._votes: dict[int, dict[int, dict[int, Vote]]] = {}
        self._judged = dict.fromkeys(self.miners, 0)
        self._accepted = dict.fromkeys(self.miners, 0)
        self._samples: dict[int, dict[str, Any]] = {}
        self.current = 0
        self.changed: set[int] = set()
        self.status: dict[str, Any] = {
            "state": "starting", "block": started.block, "next_epoch": 0, "tempo": 0, "samples": [],
            "reasons": {}, "waiting": "", "reason": "", "wire_bytes": 0, "dense_bytes": 0,
        }  # fmt: skip
        self._ready = 0
        self._paid_at = 0

    def row(self, round_: int) -> Row:
        """The row of a round, counted from 1."""
        return self._rows[round_]

    @property
    def rounds(self) -> list[int]:
        """The rounds that have a row, in order."""
        return sorted(self._rows)

    def apply(self, event: Event) -> None:
        """Fold one event; `changed` collects the rounds whose rows it touched."""
        fold = getattr(self, f"_on_{event.kind}", None)
        if fold is not None:
            fold(event)

    # -- one method per kind of event

    def _on_peer_ready(self, event: events.PeerReady) -> None:
        self._ready += 1
        self.status["waiting"] = f"{self._ready} processes ready in {event.seconds:.1f} s"
        if event.uid in self._column and self._latest(event.uid, "verdict") == GONE:  # it was started again
            self._put(max(0, self.current - 1), event.uid, verdict=NOT_JUDGED)

    def _on_mined(self, event: events.Mined) -> None:
        if event.uid not in self._column:
            return
        self.status.update(wire_bytes=event.wire_bytes, dense_bytes=event.dense_bytes)
        self._put(event.round, event.uid, loss=event.loss, wire_bytes=event.wire_bytes)
        row = self._row(event.round)
        for name in ("compute", "compress", "store", "wait", "chain"):
            # A round takes as long as its slowest miner, so the row keeps the largest of each part.
            index, seconds = ROUND_FIELDS.index(name), float(getattr(event, f"{name}_s"))
            row[index] = np.fmax(row[index], seconds)

    def _on_scored(self, event: events.Scored) -> None:
        if event.uid not in self._column:
            return
        votes = self._votes_of(event.round).setdefault(event.uid, {})
        before = _majority(votes)
        votes[event.validator] = (event.verdict == "accepted", event.score, event.rating, event.weight)
        accepted = _majority(votes)
        self._judged[event.uid] += before is None
        self._accepted[event.uid] += bool(accepted) - bool(before)
        verdict = WORKS if accepted else self._latest(event.uid, "verdict")
        judged = self._judged[event.uid]
        if judged >= FLAG_FROM and 2 * self._accepted[event.uid] < judged:
            verdict = FLAGGED
            if not accepted:
                self.status["reasons"] = {**self.status["reasons"], event.uid: event.reason or event.verdict}
        elif verdict == FLAGGED:
            verdict = WORKS
        removed, rating, weight = (
            sum(values) / len(votes) for values in list(zip(*votes.values(), strict=True))[1:]
        )
        self._put(event.round, event.uid, loss_removed=removed, rating=rating, weight=weight, verdict=verdict)

    def _votes_of(self, round_: int) -> dict[int, dict[int, Vote]]:
        """The votes on a round by miner and validator; the oldest round makes room for a new one."""
        if round_ not in self._votes:
            while len(self._votes) >= OPEN_ROUNDS:
                del self._votes[next(iter(self._votes))]
            self._votes[round_] = {}
        return self._votes[round_]

    def _on_round_closed(self, event: events.RoundClosed) -> None:
        self._row(event.round)[ROUND_FIELDS.index("subnet")] = event.val_loss
        self._touch(event.round)

    def _on_round_lost(self, event: events.RoundLost) -> None:
        self._row(event.round)
        self._touch(event.round)

    def _on_alone_evaluated(self, event: events.AloneEvaluated) -> None:
        self._row(event.round)[ROUND_FIELDS.index("alone")] = event.val_loss
        self._touch(event.round)

    def _on_block_sealed(self, event: events.BlockSealed) -> None:
        self.status.update(state="live", block=event.number, reason="")
        if event.round < 0:  # sealed before the first round opened
            return
        self._row(event.round)[ROUND_FIELDS.index("block")] = event.number
        self._touch(event.round)

    def _on_epoch_paid(self, event: events.EpochPaid) -> None:
        total = sum(event.consensus) or 1
        if self._paid_at:
            tempo = event.block - self._paid_at
            self.status.update(tempo=tempo, next_epoch=event.block + tempo)
        self._paid_at = event.block
        for position, uid in enumerate(event.uids):
            if uid in self._column:
                self._put(
                    max(0, self.current - 1), uid,
                    incentive=event.incentive[position] / U16, consensus=event.consensus[position] / total,
                    pay=event.emission_alpha_rao[position] / ALPHA_RAO,
                )  # fmt: skip

    def _on_sampled(self, event: events.Sampled) -> None:
        round_ = event.round + 1
        self._samples[round_] = {"round": round_, "prompt": event.prompt, "text": event.text}
        self.status["samples"] = [self._samples[each] for each in sorted(self._samples)]

    def _on_peer_gone(self, event: events.PeerGone) -> None:
        if event.uid in self._column:
            self.status["reasons"] = {**self.status["reasons"], event.uid: event.reason}
            self._put(max(0, self.current - 1), event.uid, verdict=GONE)

    def _on_run_interrupted(self, event: events.RunInterrupted) -> None:
        how = f"nothing on record is lost, %sl attach {self.started.run_id} goes on"
        self.status.update(state="gone", block=event.block, reason=f"{event.reason.rstrip('.')}; {how}")

    def _on_run_ended(self, event: events.RunEnded) -> None:
        self.status.update(state=event.status, block=event.block, reason=event.reason)

    # -- rows

    def _row(self, round_: int) -> Row:
        """The row of a record's round (which counts from 0), made from what is known when it is new."""
        number = round_ + 1
        if number not in self._rows:
            row = np.full(len(ROUND_FIELDS) + self._known.size, np.nan, dtype="<f4")
            row[0] = number
            fresh = self._known.copy()
            for name in (
                "loss",
                "loss_removed",
                "pay",
                "wire_bytes",
            ):  # of one round only, never carried over
                fresh[:, METRICS.index(name)] = np.nan
            row[len(ROUND_FIELDS) :] = fresh.ravel()
            self._rows[number] = row
            self.current = max(self.current, number)
        return self._rows[number]

    def _put(self, round_: int, uid: int, **values: float) -> None:
        column, row = self._column[uid], self._row(round_)
        for name, value in values.items():
            index = METRICS.index(name)
            self._known[column, index] = value
            place = len(ROUND_FIELDS) + column * len(METRICS) + index
            paid_before = row[place] if name == "pay" and not np.isnan(row[place]) else 0.0
            row[place] = value + paid_before  # two epochs may fall into one round
        self._touch(round_)

    def _latest(self, uid: int, name: str) -> float:
        return float(self._known[self._column[uid], METRICS.index(name)])

    def _touch(self, round_: int) -> None:
        self.changed.add(round_ + 1)


def _majority(votes: dict[int, Vote]) -> bool | None:
    """Whether more than half accepted; None before the first vote."""
    return 2 * sum(vote[0] for vote in votes.values()) > len(votes) if votes else None
