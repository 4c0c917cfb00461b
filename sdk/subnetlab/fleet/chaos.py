"""When a run's peers are killed on purpose, and who: drawn from a seed, so that a run can be repeated.

Apart from the crew that does the killing, so that a test walks through a schedule without a process.
"""

import math
import random
from collections.abc import Sequence
from typing import Final

_HOUR_S: Final = 3600.0


class ChaosSchedule:
    """Kills at random times: independent of each other, so many an hour on average.

    Args:
        kills_per_hour: 0 kills never.
        seed: of times and victims.
        began: when the run began, seconds of any steady clock.
    """

    def __init__(self, kills_per_hour: float, seed: int, began: float) -> None:
        self._rate, self._random = kills_per_hour / _HOUR_S, random.Random(seed)  # noqa: S311 - no secret
        self.next_at = math.inf
        """When the next kill is due, by the same clock."""
        self._draw(began)

    def victim(self, uids: Sequence[int]) -> int | None:
        """Which of the live peers is killed now, None where none lives; draws the time of the next kill."""
        victim = self._random.choice(sorted(uids)) if uids else None
        self._draw(self.next_at)
        return victim

    def _draw(self, after: float) -> None:
        if self._rate > 0:
            self.next_at = after + self._random.expovariate(self._rate)
