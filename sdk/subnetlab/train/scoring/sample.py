"""Which payloads of a round are tried on data where there are too many, and what becomes of the others.

A sample that the beacon draws is tried; the draw has no memory, so that no miner knows whether it is in. A
miner that is not in it is taken on what its last trial said: clipped to the median norm it is one share of
many, and its next trial takes the trust away. A miner that has not been tried yet comes first, and is left
out until then, so that new names bring nothing; a quarter of the sample stays for the others all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

SAMPLE: Final = 16
"""Updates that a run of more miners tries in a round unless it says otherwise."""
_OTHERS: Final = 4
"""One in so many of a sample was tried before, however many newcomers there are."""


@dataclass(slots=True)
class Trust:
    """What one validator goes by for miners that it does not try."""

    most: int
    """Updates that are tried in a round; 0: all."""
    passed: dict[int, bool] = field(default_factory=dict[int, bool])
    """What became of each miner's payload when it was last tried, or refused as forged or copied."""

    def drawn(self, places: Mapping[int, int]) -> list[int]:
        """The miners whose updates are tried, ascending.

        Args:
            places: what the beacon drew for each miner with a sound payload.
        """
        if not self.most or len(places) <= self.most:
            return sorted(places)
        order = sorted(places, key=lambda uid: (places[uid], uid))
        tried_before = [uid for uid in order if uid in self.passed]
        newcomers = [uid for uid in order if uid not in self.passed]
        others = min(len(tried_before), max(self.most // _OTHERS, self.most - len(newcomers)))
        return sorted([*tried_before[:others], *newcomers[: self.most - others]])

    def left_out(self, uid: int, standing: float, least: float) -> str:
        """Why a miner that is not tried in a round is not taken; empty where it is.

        Args:
            uid: the miner.
            standing: its share of the median effect in earlier rounds.
            least: share of the median effect that an update must reach.
        """
        passed = self.passed.get(uid)
        if passed is None:
            return "It was not drawn to be tried on data yet: a newcomer is left out until then."
        if not passed:
            return "It was not drawn to be tried on data, and did not pass when it last was."
        if standing < least:
            return (
                "It was not drawn to be tried on data, and its updates removed"
                f" {standing:.0%} of what the median miner's did when they were."
            )
        return ""
