"""How far two measured losses have to be apart to differ, in any unit.

A curve that jumps from round to round says how little one of its values means; a curve that is smooth is
known to a small share of the loss, because the held-out data is short. Positive losses are looked at on a
logarithmic scale, where learning is straight. What another draw of held-out data would say is not measured.
"""

from collections.abc import Sequence
from math import isfinite, log, sqrt
from statistics import median
from typing import Final

_LAST: Final = 6
"""Values of a curve that are looked at: its end, where it is nearly straight."""
_SHARE: Final = 0.004
"""Of the loss itself: 0.01 of 2.5 nats per byte."""
_MEDIAN_OF_NORMAL: Final = 0.6745
_ERRORS: Final = 2.0
"""Differences within so many standard errors are noise."""


def loss_noise(subnet: Sequence[float], baseline: Sequence[float]) -> float:
    """The difference below which the ends of two curves are the same; 0 where there is no loss."""
    ends = [abs(curve[-1]) for curve in (subnet, baseline) if curve and isfinite(curve[-1])]
    jumps = sqrt(sum(_jump(curve) ** 2 for curve in (subnet, baseline)))
    return max(_SHARE * max(ends, default=0.0), _ERRORS * jumps)


def _jump(curve: Sequence[float]) -> float:
    """The standard deviation of a curve's last values around straight lines; 0 of too few values."""
    last = [value for value in curve[-_LAST:] if isfinite(value)]
    if len(last) < _LAST:
        return 0.0
    if min(last) > 0:
        return _deviation([log(value) for value in last]) * last[-1]
    return _deviation(last)


def _deviation(last: Sequence[float]) -> float:
    bends = [abs(a - 2 * b + c) for a, b, c in zip(last, last[1:], last[2:], strict=False)]
    # Independent errors of one size bend three neighbours by the root of 1 + 4 + 1 of it; the median of a
    # normal variable's magnitude is two thirds of its deviation, and one sudden step does not move it.
    return median(bends) / sqrt(6) / _MEDIAN_OF_NORMAL
