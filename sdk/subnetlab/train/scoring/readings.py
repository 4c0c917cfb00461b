"""What a round says of every miner, and how much: the measurement's noise beside the median's effect.

Late in a run all updates remove little, often less than drawing other items would change. A share of the
median taken from such a round is noise, so it counts by the inverse of its variance: that of the measurement,
and that by which honest updates differ by themselves. Knowledge fades only as new knowledge comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from subnetlab.train.scoring.losses import Removed

_SPREAD: Final = 0.2
"""Standard deviation of honest miners' shares of the median effect where noise is small: measured on three
sizes of model."""
_MOST: Final = 4.0
"""Rounds that say all they can on which knowledge of a miner rests at most: one more then moves it by a
fifth."""
_AT_FIRST: Final = 0.08
"""How many such rounds a newcomer is trusted for: one with an effect of two standard errors outweighs it."""
_LEAST, _BEST = -1.0, 2.0
"""Bounds of a share, apart from noise: one outlier decides nothing."""
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Reading:
    """One miner in one round."""

    share: float
    """Of the median's effect."""
    weight: float
    """From 0, where the round says nothing, to 1."""


@dataclass(frozen=True, slots=True)
class Known:
    """A share of the median effect over rounds, and how many that say all they can it rests on."""

    share: float = 1.0
    rounds: float = _AT_FIRST

    def after(self, reading: Reading) -> "Known":
        """With one round more."""
        rounds = min(_MOST, self.rounds) + reading.weight
        moved = reading.weight / rounds if rounds > 0 else 0.0
        return Known(self.share + moved * (reading.share - self.share), rounds)

    def expected(self, reading: Reading, weight: float) -> float:
        """The share of this round by everything that is known; `weight` is that of earlier rounds, 0 to 1."""
        before, now = weight * min(1.0, self.rounds), (1 - weight) * reading.weight
        return (before * self.share + now * reading.share) / (before + now) if before + now > 0 else 1.0


def readings(
    removed: Mapping[int, Removed], certainty: float, lengths: Mapping[int, float] | None = None
) -> dict[int, Reading]:
    """What a round says of every miner that was tried.

    Args:
        removed: what every update removed, by uid.
        certainty: standard errors of noise beyond the bounds of a share that still count.
        lengths: of updates that are judged for their length, that length beside the median's.
    """
    typical = max(0.0, median([r.effect for r in removed.values()] or [0.0]))
    usual = median([r.effect_noise for r in removed.values()] or [0.0])
    found: dict[int, Reading] = {}
    for uid, r in removed.items():
        noise = max(usual, r.effect_noise, _TINY)
        if typical <= _TINY:
            found[uid] = Reading(0.0, 0.0)
            continue
        expected = typical * (lengths or {}).get(uid, 1.0)
        beyond = certainty * noise / expected
        share = max(_LEAST - beyond, min(_BEST + beyond, r.effect / expected))
        found[uid] = Reading(share, 1 / (1 + (noise / (_SPREAD * expected)) ** 2))
    return found


def harm(removed: Removed, certainty: float) -> bool:
    """Whether an update raised the loss, overall or on data of no miner, by more than noise."""
    overall = removed.effect + certainty * removed.effect_noise
    # The held-out items are three times as many, so their noise is about half that of the difference.
    return overall < 0 or removed.held_out + certainty * removed.own_noise < 0
