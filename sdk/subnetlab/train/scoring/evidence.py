"""What several rounds together say of a miner: how much its updates help, and whether its work is its own.

Noise that one round leaves cancels over rounds. The standing is the running mean of an update's effect as a
share of the median's, each round counting by what it can say (`readings`). Own work shows in data: an update
that was trained on its assigned items removes more loss there than on others. Every round weighs that by the
sequential test of Wald (1945), as Page's sum (1954): the logarithm of how likely the difference is for work
of its own against work from elsewhere, added up and bounded on both sides, so that a miner that changes is
found out, or restored, within a few rounds. Where a round's data say little, little is added, so the test
takes as long as it must.

A newcomer's first updates are short where strategies send what earlier rounds left over: it has nothing left
over yet. For some trials they are judged for their length, as far as they help beyond noise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from subnetlab.train.scoring.losses import Removed
from subnetlab.train.scoring.readings import Known, Reading, readings
from subnetlab.train.scoring.sample import Trust

BOUND: Final = 6.0
"""Most that is held for or against a miner, in nats; it starts with so much for it."""
STEP: Final = 2.0
"""Most that one round adds or takes: one outlier decides nothing."""
_LEAST, _MOST = -1.0, 2.0
"""Bounds of a round's share of the median effect."""
_DECAY: Final = 0.8
_UNSEEN: Final = 1.2
"""How much wider honest differences scatter than their items say: measured on two sizes of model."""


@dataclass(slots=True)
class Evidence:
    """One validator's, by uid."""

    own_share: float
    """Of the median miner's difference between own and other data: what own work shows at least."""
    certainty: float = 0.0
    """Standard errors within which a round's numbers are noise; 0: every round counts alike."""
    newcomer: int = 0
    """Trials in which a miner that comes later than the median one is judged for its updates' length."""
    trust: Trust = field(default_factory=lambda: Trust(0))
    """What is gone by where a round tries a sample."""
    standing: dict[int, float] = field(default_factory=dict[int, float])
    own_work: dict[int, float] = field(default_factory=dict[int, float])
    """Nats for own work; below 0 the work counts as not its own."""
    said: dict[int, float] = field(default_factory=dict[int, float])
    """The same without bounds, from 0: of two that send one work, the larger is whose work it is."""
    known: dict[int, Known] = field(default_factory=dict[int, Known])
    """Every miner's standing and what it rests on, where rounds count by what they say."""
    trials: dict[int, int] = field(default_factory=dict[int, int])
    """In how many rounds each miner was tried."""

    def weigh_own_work(self, removed: Mapping[int, Removed]) -> None:
        """Take in how much more each update of a round helped the miner's own data."""
        for uid, said in self._said(removed).items():
            self.said[uid] = self.said.get(uid, 0.0) + said
            self.own_work[uid] = max(-BOUND, min(BOUND, self.own_work.get(uid, BOUND) + said))

    def weigh_standing(self, removed: Mapping[int, Removed]) -> None:
        """Take in how much each update helped beside the median's."""
        if self.certainty:
            for uid, reading in readings(removed, self.certainty, self.lengths(removed)).items():
                self.known[uid] = self.known.get(uid, Known()).after(reading)
                self.standing[uid] = self.known[uid].share
                self.trials[uid] = self.trials.get(uid, 0) + 1
            return
        for uid, share in shares(removed).items():
            old, bounded = self.standing.get(uid), max(_LEAST, min(_MOST, share))
            self.standing[uid] = bounded if old is None else _DECAY * old + (1 - _DECAY) * bounded

    def lengths(self, removed: Mapping[int, Removed]) -> dict[int, float]:
        """Of newcomers' updates that help beyond noise, their norms beside the median's, at most 1."""
        usual = median([r.norm for r in removed.values()] or [0.0])
        if not self.newcomer or not self.certainty or usual <= 0:
            return {}
        trials = {uid: self.trials.get(uid, 0) for uid in removed}
        last = min(self.newcomer, median(trials.values()))
        return {
            uid: min(1.0, r.norm / usual)
            for uid, r in removed.items()
            if trials[uid] < last and r.norm > 0 and r.effect > self.certainty * r.effect_noise
        }

    def known_beside(self, removed: Mapping[int, Removed]) -> dict[int, Reading]:
        """Every tried miner's share over all rounds, with how much the round at hand says beside it."""
        return {
            uid: Reading(self.standing.get(uid, 1.0), reading.weight)
            for uid, reading in (readings(removed, self.certainty) if self.certainty else {}).items()
        }

    def against(self, uids: Iterable[int]) -> dict[int, str]:
        """Of these miners, those whose work does not count as their own, each with the reason."""
        return {
            uid: (
                "Over the last rounds its updates helped the data it was assigned no more than other data:"
                " the work is not its own."
            )
            for uid in uids
            if self.own_work.get(uid, BOUND) < 0
        }

    def _said(self, removed: Mapping[int, Removed]) -> dict[int, float]:
        """What a round adds, in nats; nothing where own data showed no difference at the median miner."""
        typical = self.own_share * median([r.own for r in removed.values()] or [0.0])
        if typical <= 0:
            return {}
        wider = _UNSEEN if self.certainty else 1.0
        noise = median(r.own_noise for r in removed.values())
        lengths, said = self.lengths(removed), dict[int, float]()
        for uid, r in removed.items():
            own = typical * lengths.get(uid, 1.0)
            nats = own * (r.own - own / 2) / max(wider * max(noise, r.own_noise), 1e-12) ** 2
            said[uid] = max(-STEP, min(STEP, nats))
        return said


def shares(removed: Mapping[int, Removed]) -> dict[int, float]:
    """Every update's effect as a share of the median's; none where the median update removed nothing."""
    typical = median([r.effect for r in removed.values()] or [0.0])
    return {uid: r.effect / typical for uid, r in removed.items()} if typical > 0 else {}
