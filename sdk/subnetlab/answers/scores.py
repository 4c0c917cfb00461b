"""What a validator thinks of miners: a mean of scores that forgets, and weights from it.

A miner that joins late begins with its first score, taken whole. Weights are the ratings' shares, so that pay
follows the scores in proportion.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Ratings:
    """One validator's ratings, by uid."""

    decay: float
    of: dict[int, float] = field(default_factory=dict[int, float])

    def update(self, scores: Mapping[int, float]) -> None:
        """Take in a round; a miner of which nothing came has 0."""
        for uid, score in scores.items():
            old = self.of.get(uid)
            self.of[uid] = score if old is None else self.decay * old + (1 - self.decay) * score

    def weights(self) -> dict[int, float]:
        """Shares that add up to 1, or all zero if no miner earned anything."""
        total = sum(self.of.values())
        return {uid: rating / total if total > 0 else 0.0 for uid, rating in self.of.items()}
