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


class Scheduled:
    """What the configurations of all optimizers share: a largest rate, its schedule, decay and clip."""

    __slots__ = ()

    lr: float
    schedule: Schedule
    warmup: float
    floor: float
    decay: float
    weight_decay: float
    clip: float

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of inner step `step` of `steps`."""
        down = falling(self.schedule, step, steps, floor=self.floor, decay=self.decay)
        return self.lr * rising(step, steps, self.warmup) * down

    def check(self) -> None:
        """Refuse what makes no schedule or no step.

        Raises:
            ArgumentInvalid: an unknown schedule, or a number out of range.
        """
        if self.schedule not in SCHEDULES:
            raise ArgumentInvalid(
                f"no schedule is called {self.schedule!r}.",
                hint=f"Give one of {', '.join(map(repr, SCHEDULES))}.",
            )
        if not 0 < self.lr < math.inf:
            raise ArgumentInvalid(
                f"a learning rate is a positive number, not {self.lr!r}.", hint="Give lr=1e-3, for instance."
            )
        if not (0 <= self.warmup <= 1 and 0 <= self.floor <= 1 and 0 < self.decay <= 1):
            raise ArgumentInvalid(
                "warmup, floor and decay are shares between 0 and 1.",
                hint="Give warmup=0.1, for instance: a tenth of all steps.",
            )
        if not (0 <= self.weight_decay < math.inf and self.clip > 0):
            raise ArgumentInvalid(
                "an optimizer needs weight_decay >= 0 and clip > 0.",
                hint="Give weight_decay=0.1 and clip=1.0, for instance.",
            )


def check_moments(beta1: float, beta2: float, eps: float) -> None:
    """Refuse decays of AdamW's moments that make no mean.

    Raises:
        ArgumentInvalid: a number out of range.
    """
    if not (0 <= beta1 < 1 and 0 <= beta2 < 1 and 0 < eps < math.inf):
        raise ArgumentInvalid(
            "AdamW needs 0 <= beta1 < 1, 0 <= beta2 < 1 and eps > 0.",
            hint="The usual ones are beta1=0.9, beta2=0.95 and eps=1e-8.",
        )
