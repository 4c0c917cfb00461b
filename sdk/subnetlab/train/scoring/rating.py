"""Ratings, which last, from scores, which belong to one round; and weights from ratings.

A rating is the running mean of a miner's share of the median effect, at most 2 a round so that one lucky
batch does not buy a lead, and 0 in a round in which the miner sent nothing or was shut out. Weights are
proportional to ratings; what stays under a floor counts as nothing, so noise that once slipped through the
gate earns nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final

BEST: Final = 2.0
FLOOR: Final = 0.25
"""Share of the median rating below which a miner gets no weight."""


@dataclass(slots=True)
class Ratings:
    """What one validator thinks of every miner."""

    memory: float
    of: dict[int, float] = field(default_factory=dict[int, float])

    def update(self, scores: Mapping[int, float]) -> None:
        """Take in a round: relative loss removed by uid, 0 for those shut out or silent."""
        positive = [score for score in scores.values() if score > 0]
        typical = median(positive) if positive else 0.0
        for uid, score in scores.items():
            share = min(BEST, score / typical) if typical > 0 and score > 0 else 0.0
            old = self.of.get(uid)
            # The first verdict stands for itself: a running mean from 0 would punish late joiners.
            self.of[uid] = share if old is None else self.memory * old + (1 - self.memory) * share

    def weights(self) -> dict[int, float]:
        """Shares that add up to 1, or all zero where nobody earned anything."""
        positive = [rating for rating in self.of.values() if rating > 0]
        floor = FLOOR * median(positive) if positive else 0.0
        kept = {uid: rating if rating > 0 and rating >= floor else 0.0 for uid, rating in self.of.items()}
        total = sum(kept.values())
        return {uid: rating / total if total > 0 else 0.0 for uid, rating in kept.items()}
