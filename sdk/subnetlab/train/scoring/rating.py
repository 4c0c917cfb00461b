"""Ratings, which last, from scores, which belong to one round; and weights from ratings.

A rating is the running mean of a miner's share of the median effect, at most 2 a round so that one lucky
batch does not buy a lead, and 0 in a round in which the miner sent nothing or was shut out. As far as a round
says little, what is known of a miner from earlier rounds takes the place of its score. Beside it runs
the proof of work on one's own data, after Templar's Gauntlet: +1 if the update helped the assigned sequences
more than others, else -1. Honest work stays well above 0; an update taken from elsewhere wanders around it,
and once it has sunk below, the miner earns nothing until it rises again. Weights are proportional to ratings;
what stays under a floor counts as nothing, so noise that once slipped through the gate earns nothing.
Where a round tries a sample, a miner has few trials: its rating then begins at the median's and moves by the
number of them, or what one trial measured would decide its pay for many rounds.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from subnetlab.train.scoring.readings import Reading

BEST: Final = 2.0
TRUSTED: Final = 4.0
"""Trials of the median's effect that a newcomer's rating begins with where a round tries a sample."""
FLOOR: Final = 0.25
"""Share of the median worth below which a miner gets no weight."""


@dataclass(slots=True)
class Ratings:
    """What one validator thinks of every miner."""

    rating_decay: float
    proof_decay: float
    trusted: float = 0.0
    """Trials of the median's effect that a newcomer's rating begins with; 0: its first verdict is taken
    whole."""
    of: dict[int, float] = field(default_factory=dict[int, float])
    proof: dict[int, float] = field(default_factory=dict[int, float])
    passed: dict[int, int] = field(default_factory=dict[int, int])
    """How many trials each miner has passed."""

    def update(
        self,
        scores: Mapping[int, float],
        own_work: Mapping[int, bool],
        known: Mapping[int, Reading] | None = None,
    ) -> None:
        """Take in a round.

        Args:
            scores: relative loss removed by uid, 0 for those shut out or silent.
            own_work: whether the update helped the miner's own data more, for those that were tried.
            known: of miners that passed, the share over all rounds and how much this round's score counts
                beside it; a score counts in full where it is left out.
        """
        for uid, own in own_work.items():
            # Everyone starts trusted: one round says little about one miner.
            old = self.proof.get(uid, 1.0)
            self.proof[uid] = self.proof_decay * old + (1 - self.proof_decay) * (1.0 if own else -1.0)
        positive = [score for score in scores.values() if score > 0]
        typical = median(positive) if positive else 0.0
        for uid, score in scores.items():
            share = min(BEST, score / typical) if typical > 0 and score > 0 else 0.0
            before = known.get(uid) if known else None
            if before is not None:
                share = before.weight * share + (1 - before.weight) * max(0.0, min(BEST, before.share))
            if self.trusted and share > 0:
                self._take_in_trial(uid, share)
                continue
            old = self.of.get(uid)
            # The first verdict is taken whole: a running mean from 0 would punish late joiners.
            self.of[uid] = share if old is None else self.rating_decay * old + (1 - self.rating_decay) * share

    def _take_in_trial(self, uid: int, share: float) -> None:
        """Move a rating by one of few trials: the more there were, the less; at least half the usual step."""
        trials = self.passed[uid] = self.passed.get(uid, 0) + 1
        step = max((1 - self.rating_decay) / 2, 1 / (trials + self.trusted))
        old = self.of.get(uid, 1.0)
        self.of[uid] = old + step * (share - old)

    def slash(self, uids: Iterable[int], kept: float) -> None:
        """Leave so much of the ratings of miners that were caught cheating; they rise from there again."""
        for uid in uids:
            self.of[uid] = kept * self.of.get(uid, 0.0)

    def weights(self, unpaid: Container[int] = ()) -> dict[int, float]:
        """Shares that add up to 1, or all zero if no miner earned anything.

        Args:
            unpaid: uids that earn nothing whatever their rating, as long as the evidence speaks against them.
        """
        worth = {
            uid: 0.0 if uid in unpaid or self.proof.get(uid, 1.0) < 0 else rating
            for uid, rating in self.of.items()
        }
        positive = [value for value in worth.values() if value > 0]
        floor = FLOOR * median(positive) if positive else 0.0
        kept = {uid: value if value > 0 and value >= floor else 0.0 for uid, value in worth.items()}
        total = sum(kept.values())
        return {uid: rating / total if total > 0 else 0.0 for uid, rating in kept.items()}
