"""How much a miner's updates helped beside the median miner's, and how surely.

A difference between two miners that is no larger than what their rounds leave uncertain is noise, and the
pages say so; a page that ranked it would teach a lesson that the numbers do not hold.
"""

from collections import defaultdict
from dataclasses import dataclass
from math import hypot, inf
from statistics import fmean, median, stdev

from subnetlab.record.verdicts import worth
from subnetlab.record.view import RunView

_SURE = 2.0
"""Differences within so many standard errors are noise."""


@dataclass(frozen=True, slots=True)
class Merit:
    """Loss removed as a multiple of the median miner's in each round: mean and standard error."""

    mean: float
    error: float
    rounds: int

    def differs_from(self, other: "Merit") -> bool:
        """Whether the two are further apart than their rounds leave uncertain."""
        return abs(self.mean - other.mean) > _SURE * hypot(self.error, other.error)

    @property
    def differs_from_median(self) -> bool:
        """Whether it differs from the median miner by more than its rounds leave uncertain."""
        return abs(self.mean - 1.0) > _SURE * self.error


def merits(view: RunView) -> dict[int, Merit]:
    """The merit of every miner with a payload that was opened and tried on data."""
    rounds: dict[int, dict[int, float]] = defaultdict(dict)
    for uid, miner in view.miners.items():
        scores: dict[int, list[float]] = defaultdict(list)
        for vote in miner.measured:
            scores[vote.round].append(worth(vote))
        for number, found in scores.items():
            rounds[number][uid] = fmean(found)
    shares: dict[int, list[float]] = defaultdict(list)
    for scored in rounds.values():
        usual = median(scored.values())
        if usual > 0:
            for uid, score in scored.items():
                shares[uid].append(score / usual)
    return {
        uid: Merit(fmean(found), stdev(found) / len(found) ** 0.5 if len(found) > 1 else inf, len(found))
        for uid, found in shares.items()
    }
