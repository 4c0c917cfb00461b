"""Learning rate schedules as a share of the largest rate, over the inner steps of a whole run.

"cosine" follows Loshchilov and Hutter 2017; "wsd" (warm-up, stable, decay) MiniCPM, arXiv 2404.06395, with a
linear decay; "linear" falls from the first step on. No restarts.
"""

import math
from typing import Final, Literal

from subnetlab.errors import ArgumentInvalid

Schedule = Literal["cosine", "wsd", "linear", "constant"]
SCHEDULES: Final[tuple[Schedule, ...]] = ("cosine", "wsd", "linear", "constant")


def rising(step: int, steps: int, warmup: float) -> float:
    """The linear warm-up over the share `warmup` of all steps: above 0 in the first, then 1."""
    return min(1.0, (step + 1) / max(1.0, warmup * steps))


def falling(schedule: Schedule, step: int, steps: int, *, floor: float, decay: float) -> float:
    """What follows the warm-up, from 1 down to `floor`; "wsd" falls in the last share `decay`."""
    if schedule == "cosine":
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))
    if schedule == "constant":
        return 1.0
    tail = max(1.0, (decay if schedule == "wsd" else 1.0) * steps)
    return floor + (1 - floor) * min(1.0, max(0.0, steps - step) / tail)


def checked(schedule: Schedule, *, lr: float, warmup: float, floor: float, decay: float) -> None:
    """Refuse what makes no schedule.

    Raises:
        ArgumentInvalid: an unknown schedule, or a number out of range.
    """
    if schedule not in SCHEDULES:
        raise ArgumentInvalid(f"no schedule is called {schedule!r}")
    if not 0 < lr < math.inf:
        raise ArgumentInvalid(f"a learning rate is a positive number, not {lr!r}")
    if not (0 <= warmup <= 1 and 0 <= floor <= 1 and 0 < decay <= 1):
        raise ArgumentInvalid("warmup, floor and decay are shares between 0 and 1")
