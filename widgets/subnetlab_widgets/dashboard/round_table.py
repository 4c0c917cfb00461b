"""The record of a run as one float32 row per round, which is what the page draws.

A row is `ROUND_FIELDS` and then, miner by miner, `METRICS`; NaN where nothing was measured. Losses are in the
run's own unit, times seconds, pay alpha, shares 0 to 1. The row of a round may be read again as its events
arrive. Nothing here knows about widgets, and nothing here judges: verdicts, status and pay are those of the
`RunView`, which tells no miner apart by what it was started as.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from subnetlab.record import events
from subnetlab.record.baselines import ALONE, DDP, known_titles
from subnetlab.record.events import Event, RunStatus
from subnetlab.record.verdicts import Standing
from subnetlab.record.view import MINING, RunView
from subnetlab.report.headline import said_of
from subnetlab.units import RAO_PER_TAO, U16_MAX

ROUND_FIELDS = ("round", "subnet", "alone", "block", "compute", "compress", "store", "wait", "chain", "ddp")
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
_OF_ONE_ROUND = ("loss", "loss_removed", "pay", "wire_bytes")
"""Never carried over to the next round's row."""
CODES = {
    Standing.NOT_JUDGED: 0.0,
    Standing.WORKS: 1.0,
    Standing.REFUSED: 2.0,
    Standing.GONE: 3.0,
    Standing.MISSED: 4.0,
}
"""A standing as the number in a row."""
OPEN_ROUNDS = 4
"""Rounds whose verdicts are kept: validators judge a round before it closes, and older ones only count."""

Row = NDArray[np.float32]


class RoundTable:
    """The rows of one run, projected from its view."""

    def __init__(self, started: events.RunStarted) -> None:
        """Begin with the first event, which names the seats."""
        self.started = started
        self.view = RunView(recent=OPEN_ROUNDS)
        self.view.add(started)
        # Seats that are only foreseen have negative numbers, and those of other fleets are no miners here.
        self.seats = [dict(seat) for seat in started.seats if seat["role"] in MINING]
        """Of the miners, in the order of their columns; those that join later come last."""
        self.miners = [int(seat["uid"]) for seat in self.seats]
        self._column = {uid: i for i, uid in enumerate(self.miners)}
        self._rows: dict[int, Row] = {}
        self._known = np.full((len(self.miners), len(METRICS)), np.nan, dtype="<f4")
        self._known[:, METRICS.index("verdict")] = CODES[Standing.NOT_JUDGED]
        self.changed: set[int] = set()
        self.status: dict[str, Any] = {
            "state": RunStatus.STARTING, "block": started.block, "next_epoch": 0, "tempo": 0, "samples": [],
            "reasons": {}, "waiting": "", "reason": "", "wire_bytes": 0, "dense_bytes": 0, "headline": "",
            "measured": {}, "levels": [],
        }  # fmt: skip

    def row(self, round_: int) -> Row:
        """The row of a round, counted from 1."""
        return self._rows[round_]

    @property
    def rounds(self) -> list[int]:
        """The rounds that have a row, in order."""
        return sorted(self._rows)

    def apply(self, event: Event) -> None:
        """Take in one event; `changed` collects the rounds whose rows it touched."""
        self.view.add(event)
        self.status.update(state=self.view.status(), block=self.view.block)
        show = getattr(self, f"_on_{event.kind}", None)
        if show is not None:
            show(event)

    # -- one method per kind of event that a row or the status shows

    def _on_peers_joined(self, event: events.PeersJoined) -> None:
        """Give each new miner a column, empty in the rounds before it."""
        new = [dict(seat) for seat in event.seats if seat["role"] in MINING]
        new = [seat for seat in new if int(seat["uid"]) not in self._column]
        if not new:
            return
        empty = np.full((len(new), len(METRICS)), np.nan, dtype="<f4")
        self._rows = {number: np.concatenate([row, empty.ravel()]) for number, row in self._rows.items()}
        empty[:, METRICS.index("verdict")] = CODES[Standing.NOT_JUDGED]
        self._known = np.concatenate([self._known, empty])
        self.seats += new
        self.miners += [int(seat["uid"]) for seat in new]
        self._column = {uid: i for i, uid in enumerate(self.miners)}
        self.changed.update(self._rows)

    def _on_peer_ready(self, event: events.PeerReady) -> None:
        up = len(self.view.ready)
        processes = "process" if up == 1 else "processes"
        self.status["waiting"] = f"{up} {processes} ready in {event.seconds:.1f} s"
        self._judge(event.uid)

    def _on_peer_gone(self, event: events.PeerGone) -> None:
        self._judge(event.uid)

    def _on_mined(self, event: events.Mined) -> None:
        if event.uid not in self._column:
            return
        self.status.update(wire_bytes=self.view.wire_bytes_per_round, dense_bytes=self.view.dense_bytes)
        self._put(event.round, event.uid, loss=event.loss, wire_bytes=event.wire_bytes)
        row = self._row(event.round)
        for name in ("compute", "compress", "store", "wait", "chain"):
            # A round takes as long as its slowest miner, so the row keeps the largest of each part.
            index, seconds = ROUND_FIELDS.index(name), float(getattr(event, f"{name}_s"))
            row[index] = np.fmax(row[index], seconds)

    def _on_scored(self, event: events.Scored) -> None:
        if event.uid not in self._column:
            return
        found = self.view.miner(event.uid).judgement(event.round)
        if found is not None:
            removed = np.nan if found.untried else found.removed  # of answers, the score
            self._put(event.round, event.uid, loss_removed=removed, rating=found.rating, weight=found.weight)
        self._judge(event.uid, event.round)

    def _on_round_closed(self, event: events.RoundClosed) -> None:
        level = event.val_loss if self.view.trains else self.view.mean_score.get(event.round, np.nan)
        self._row(event.round)[ROUND_FIELDS.index("subnet")] = level
        if event.metrics:
            self.status["measured"] = {"round": event.round + 1, "values": dict(event.metrics)}
        for uid in self.miners:  # the lead decides where validators are split
            self._judge(uid, event.round)
        self._touch(event.round)
        self._say()

    def _on_round_lost(self, event: events.RoundLost) -> None:
        self._row(event.round)
        self._touch(event.round)
        self._say()

    def _on_alone_evaluated(self, event: events.BaselineEvaluated) -> None:
        if event.baseline == ALONE:
            self._row(event.round)[ROUND_FIELDS.index("alone")] = event.val_loss
            self._touch(event.round)
        elif event.baseline == DDP and event.round + 1 in self._rows:
            # It may be far ahead, and no row is begun for it: a later round shows it when it comes.
            self._row(event.round)[ROUND_FIELDS.index("ddp")] = event.val_loss
            self._touch(event.round)
        elif event.baseline not in (ALONE, DDP):
            self.status["levels"] = self._levels()
        self._say()

    def _levels(self) -> list[dict[str, Any]]:
        """The ends of the baselines with more steps than the subnet, which no round has: a level each."""
        found = self.view.baselines
        return [
            {"name": title, "loss": curve.final}
            for name, title in known_titles(sorted(found)).items()
            if name not in (ALONE, DDP) and (curve := found[name]).final is not None
        ]

    def _on_block_sealed(self, event: events.BlockSealed) -> None:
        self.status["reason"] = ""
        if event.round < 0:  # sealed before the first round opened
            return
        self._row(event.round)[ROUND_FIELDS.index("block")] = event.number
        self._touch(event.round)

    def _on_epoch_paid(self, event: events.EpochPaid) -> None:
        epochs = self.view.pay.epochs
        if len(epochs) > 1:
            tempo = epochs[-1].block - epochs[-2].block
            self.status.update(tempo=tempo, next_epoch=event.block + tempo)
        round_ = self.view.round_at()(event.block) or 0
        for position, uid in enumerate(event.uids):
            if uid in self._column:
                self._put(
                    round_, uid,
                    incentive=event.incentive[position] / U16_MAX,
                    consensus=event.consensus[position] / U16_MAX,
                    pay=event.paid_to(uid) / RAO_PER_TAO,
                )  # fmt: skip

    def _on_sampled(self, _event: events.Sampled) -> None:
        self.status["samples"] = [
            {"round": number + 1, "prompt": sample.prompt, "text": sample.text}
            for number, sample in sorted(self.view.samples.items())
        ]

    def _on_run_interrupted(self, event: events.RunInterrupted) -> None:
        how = f"nothing on record is lost, %sl attach {self.started.run_id} goes on"
        self.status["reason"] = f"{event.reason.rstrip('.')}; {how}"

    def _on_run_ended(self, event: events.RunEnded) -> None:
        self.status["reason"] = event.reason
        self._say()

    def _say(self) -> None:
        self.status["headline"] = said_of(self.view).removesuffix(".")

    # -- rows

    def _judge(self, uid: int, round_: int | None = None) -> None:
        """Show what validators made of a miner so far, in the row of a round or in the newest."""
        if uid not in self._column:
            return
        code = CODES[self.view.standing(uid)]
        place = METRICS.index("verdict")
        if self._known[self._column[uid], place] != code or round_ is not None:
            self._put(max(0, self.view.current) if round_ is None else round_, uid, verdict=code)
        reasons, reason = self.status["reasons"], self.view.reason(uid)
        if reason and reasons.get(uid) != reason:
            self.status["reasons"] = {**reasons, uid: reason}

    def _row(self, round_: int) -> Row:
        """The row of a record's round (which counts from 0), made from what is known when it is new."""
        number = round_ + 1
        if number not in self._rows:
            row = np.full(len(ROUND_FIELDS) + self._known.size, np.nan, dtype="<f4")
            row[0] = number
            row[ROUND_FIELDS.index("ddp")] = self._ddp(round_)
            fresh = self._known.copy()
            for name in _OF_ONE_ROUND:
                fresh[:, METRICS.index(name)] = np.nan
            row[len(ROUND_FIELDS) :] = fresh.ravel()
            self._rows[number] = row
        return self._rows[number]

    def _ddp(self, round_: int) -> float:
        """What DDP came to after as many steps as this round closes; NaN where it was not judged there."""
        curve = self.view.baselines.get(DDP)
        steps = (round_ + 1) * self.view.inner_steps
        return curve.losses.get(steps, np.nan) if curve is not None else np.nan

    def _put(self, round_: int, uid: int, **values: float) -> None:
        column, row = self._column[uid], self._row(round_)
        for name, value in values.items():
            index = METRICS.index(name)
            self._known[column, index] = value
            place = len(ROUND_FIELDS) + column * len(METRICS) + index
            paid_before = row[place] if name == "pay" and not np.isnan(row[place]) else 0.0
            row[place] = value + paid_before  # two epochs may fall into one round
        self._touch(round_)

    def _touch(self, round_: int) -> None:
        self.changed.add(round_ + 1)
