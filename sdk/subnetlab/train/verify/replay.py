"""A drawn share of the miners' work, trained again and compared with their payloads bit for bit.

What a miner sends depends on all it did before: its optimizer's moments and what its payloads left over. So
miners are drawn, and each is replayed from its first round on, until the drawn share of all rounds of
miners is used up; the last one's later rounds stay out. A miner that was started again begins with an empty
memory. Bits agree on the torch and the instruction set of the run; elsewhere the two updates must point the
same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, isclose
from typing import Final

import torch

from subnetlab.errors import TrainError
from subnetlab.record.events import Event, Mined, Stepped
from subnetlab.train.audit.report import WorkReport, report_of, where_different
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.miner import Miner
from subnetlab.train.payload import seal
from subnetlab.train.payload.update import Update
from subnetlab.train.replica import Replica
from subnetlab.train.verify.draw import drawn
from subnetlab.train.verify.findings import Report
from subnetlab.train.verify.payloads import Opened
from subnetlab.train.verify.sources import PastChain, Sources, read_only

_ALIKE_NOTE: Final = "some alike, not equal in every bit: another processor"
ALIKE: Final = 0.99
"""Cosine of two updates that are one work on different processors; honest work on other data is far below."""
_LOSS: Final = 1e-4


@dataclass(slots=True)
class _Chain:
    """One miner's replay so far."""

    miner: Miner
    left: int
    """Rounds that are still to be replayed."""
    events: list[Event] = field(default_factory=list[Event])
    took_part: bool = False
    unsure: bool = False
    """Whether what the miner remembers is unknown: it may have worked in a round without a payload."""


class Replay:
    """Replays the drawn miners beside the walk over the rounds."""

    def __init__(self, sources: Sources, replica: Replica, share: float, beacon: str, report: Report) -> None:
        self.sources, self.replica, self.report = sources, replica, report
        rounds: dict[int, int] = {}
        for round_ in sources.rounds:
            for seat in sources.miners(round_):
                if sources.commitment_of(round_, seat) is not None:
                    rounds[seat.uid] = rounds.get(seat.uid, 0) + 1
        total = sum(rounds.values())
        left = ceil(share * total) if share > 0 else 0
        report.checks["replay"].of = total
        uids = sorted(rounds)
        self.chains: dict[int, _Chain] = {}
        for place in drawn(len(uids), 1.0, "miners", sources.manifest_hash, beacon):
            if left > 0 and sources.corpus is not None:
                uid = uids[place]
                self.chains[uid] = self._begin(min(left, rounds[uid]))
                left -= self.chains[uid].left

    def check(self, heights: RoundHeights, opened: Opened, accepted: set[int]) -> None:
        """Train a round of every drawn miner again; θ of the replica is the one before it."""
        for uid, chain in list(self.chains.items()):
            seats = self.sources.seats(heights.round)
            seat = next((seat for seat in seats if seat.uid == uid and seat.role == "miner"), None)
            if seat is None or self.sources.commitment_of(heights.round, seat) is None:
                chain.unsure = chain.took_part and not self._begins_afresh(chain)
                continue
            chain.took_part = True
            chain.miner.seats, chain.miner.hotkey = seats, seat.hotkey
            chain.miner.codec = chain.miner.codec_at(heights.round)
            chain.left -= 1
            try:
                goes_on = self._same(uid, chain, heights, opened, accepted=uid in accepted)
            except (TrainError, ValueError) as error:
                said = f"The round of this miner cannot be trained again: {error}"
                self.report.unchecked("replay", "work", said, round_=heights.round, uid=uid)
                goes_on = False
            if not goes_on or not chain.left:
                del self.chains[uid]
            elif uid not in accepted:
                self._begins_afresh(chain)

    def _begins_afresh(self, chain: _Chain) -> bool:
        """Forget, where the run's rule is that a miner whom a round did not take remembers nothing of it."""
        if not self.sources.manifest.scoring.reports:
            return False
        chain.miner.memory.clear()
        chain.miner.replica.model.forget()
        return True

    def _begin(self, left: int) -> _Chain:
        sources = self.sources
        assert sources.history is not None
        assert sources.store is not None
        events: list[Event] = []
        miner = Miner(
            sources.manifest, sources.roster, PastChain(sources.history), read_only(sources.store),
            events.append, lambda message: message, hotkey="", corpus=sources.corpus,
        )  # fmt: skip
        return _Chain(miner, left, events)

    def _same(
        self, uid: int, chain: _Chain, heights: RoundHeights, opened: Opened, *, accepted: bool
    ) -> bool:
        """Whether a miner's payload is its work, as far as that can be told; whether its chain goes on."""
        received = opened.received.get(uid)
        payload, loss = self._trained(chain, heights)
        first = payload
        if received is None:  # what it left over is as if the payload had arrived
            return True
        self.report.count("replay")
        if seal.hash_of(payload).hex() == received.entry.payload_hash:
            self._compare_losses(uid, chain, heights, loss)
            chain.unsure = False
            return True
        cosine = self._cosine(chain, payload, received.update)
        if cosine >= ALIKE:
            self.report.checks["replay"].note = _ALIKE_NOTE
            return True
        chain.miner.memory.clear()  # as a miner does that is started again
        chain.miner.replica.model.forget()
        payload, loss = self._trained(chain, heights)
        if seal.hash_of(payload).hex() == received.entry.payload_hash:
            self._compare_losses(uid, chain, heights, loss)
            return True
        cosine = max(cosine, self._cosine(chain, payload, received.update))
        if cosine >= ALIKE:
            self.report.checks["replay"].note = _ALIKE_NOTE
            return True
        reports = [report_of(chain.miner.codec, one) for one in (first, payload)]
        step = _differing_step(received.report, reports)
        self._name(uid, chain, heights, f"{cosine:.2f} to it{step}", accepted=accepted)
        return False

    def _cosine(self, chain: _Chain, payload: bytes, sent: Update) -> float:
        """How alike what was trained again is to what was sent."""
        return _cosine(chain.miner.codec.decode(payload), sent, self.replica.layout.size)

    def _name(self, uid: int, chain: _Chain, heights: RoundHeights, cosine: str, *, accepted: bool) -> None:
        if chain.unsure:
            said = "What this miner remembered is unknown, because it missed a round before."
            self.report.unchecked("replay", "work", said, round_=heights.round, uid=uid)
        elif accepted:
            said = (
                "The payload is not what this miner's assigned data make of the model: trained again, "
                f"the update has a cosine of {cosine}."
            )
            self.report.tampered("replay", "work", said, round_=heights.round, uid=uid)

    def _trained(self, chain: _Chain, heights: RoundHeights) -> tuple[bytes, float]:
        """The payload that the miner's data make, from θ of the round."""
        chain.events.clear()
        own = chain.miner.replica
        own.theta_P, own.hash, own.last = self.replica.theta_P, self.replica.hash, self.replica.last
        worked = chain.miner.work(heights)
        return worked.payload, worked.loss

    def _compare_losses(self, uid: int, chain: _Chain, heights: RoundHeights, loss: float) -> None:
        """Compare the losses that the record tells of a round that was replayed."""
        log = self.sources.log
        if log is None:
            return
        told: Sequence[Mined] = log.mined.get((heights.round, uid), [])
        steps: Sequence[Stepped] = log.stepped.get((heights.round, uid), [])
        found = {event.first_step: event.losses for event in chain.events if isinstance(event, Stepped)}
        right = [isclose(each.loss, loss, rel_tol=_LOSS) for each in told]
        right_steps = [_alike(each.losses, found.get(each.first_step, [])) for each in steps]
        # A miner that is killed in a round has told of steps that its next process takes otherwise.
        enough = any if log.may_miss(uid) else all
        if (right and not enough(right)) or (right_steps and not enough(right_steps)):
            said = f"The record tells other training losses than the work had: a mean of {loss:.6f}."
            self.report.tampered("replay", "record line", said, round_=heights.round, uid=uid)


def _differing_step(stated: WorkReport | None, found: Sequence[WorkReport | None]) -> str:
    """The first inner step that a miner states otherwise than it comes out from the state that it states."""
    if stated is None:
        return ""
    again = next((one for one in found if one is not None and one.before == stated.before), None)
    return f"; its work differs {where_different(stated, again)}" if again else ""


def _alike(told: Sequence[float], found: Sequence[float]) -> bool:
    return len(told) == len(found) and all(
        isclose(one, other, rel_tol=_LOSS) for one, other in zip(told, found, strict=True)
    )


def _cosine(one: Update, other: Update, size: int) -> float:
    one_P, other_P = one.dense(size), other.dense(size)
    return float(torch.nn.functional.cosine_similarity(one_P, other_P, dim=0))
