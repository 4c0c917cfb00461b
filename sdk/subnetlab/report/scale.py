"""Round numbers for an axis, whatever the unit of what is drawn: nats, squared euros, a share."""

from collections.abc import Sequence
from math import ceil, floor, log10
from statistics import median
from typing import Final

_NICE: Final = (1.0, 2.0, 5.0, 10.0)
_OUTLIER: Final = 20.0
"""A value so many times the median is a run that diverges: no axis stretches for it."""
_HAIR: Final = 1e-9


def nice_step(span: float, parts: int) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that covers a span in at most so many parts."""
    least = span / parts
    power = 10.0 ** floor(log10(least))
    return next(power * nice for nice in _NICE if power * nice >= least * (1 - _HAIR))


def round_range(low: float, high: float, parts: int = 5) -> tuple[float, float, float]:
    """An axis around two values: where it begins and ends, both multiples of its step, and the step."""
    spread = high - low if high - low > _HAIR * abs(high) else abs(high) or 1.0
    step = nice_step(spread, parts)
    begin = floor(low / step + _HAIR) * step
    return begin, max(ceil(high / step - _HAIR) * step, begin + step), step


def levels(low: float, high: float, step: float) -> list[float]:
    """Every multiple of a step from one end of an axis to the other."""
    return [low + step * i for i in range(round((high - low) / step) + 1)]


def level_text(level: float, step: float) -> str:
    """A level with as many digits as its step needs; very large and very small ones in powers of ten."""
    if step >= 1e5 or step < 1e-4:
        return "0" if abs(level) < step / 2 else f"{level:.2g}"
    return f"{level:,.{max(0, -floor(log10(step) + _HAIR))}f}"


def outlier_bound(values: Sequence[float]) -> float:
    """Above this a finite value says that a run diverged."""
    return _OUTLIER * max(median(map(abs, values)), min(map(abs, values))) if values else float("inf")
