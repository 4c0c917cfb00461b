"""How much sooner a subnet reached its last loss than one miner alone, in steps and in processor time.

Measured, not extrapolated: every length of one alone is a run of its own with its learning rate down to the
end. Between two lengths the steps are interpolated on a logarithmic scale; beyond the longest only a bound is
known, and it is said as one. Nothing is said before the run has finished.
"""

from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Literal

from subnetlab.record.baselines import DDP, BaselineCurve
from subnetlab.record.view import RunView


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedUp:
    """Steps of the subnet beside those that one miner alone needs for the same loss."""

    steps: int
    """The subnet's up to its last loss."""
    needed: float
    """One miner's alone for that loss; a bound where `bound` is not empty."""
    bound: Literal["", "more", "less"] = ""
    """`more`: the longest baseline is not there yet. `less`: the shortest is there already."""
    between: tuple[int, int] = (0, 0)
    """The lengths on record between which `needed` is interpolated."""
    alone_cpu_s: float = 0.0
    """Processor seconds of so many steps alone; 0 where not measured."""

    @property
    def ratio(self) -> float:
        """How many times sooner the subnet was; below 1 it was later."""
        return self.needed / self.steps

    @property
    def is_sooner(self) -> bool:
        """Whether the record shows that the subnet was sooner."""
        return self.bound != "less" and self.ratio > 1

    def __str__(self) -> str:
        if self.bound == "more":
            return f"one alone is not there after {self.needed:,.0f}: more than {self.ratio:.2g} times sooner"
        if self.bound == "less":
            return f"one alone needs no more than {self.needed:,.0f}"
        return f"one alone needs about {_rounded(self.needed):,}: {self.ratio:.1f} times sooner"


def speed_up(view: RunView) -> SpeedUp | None:
    """The speed-up of a finished run; None where no length of one alone was measured to its end."""
    if view.ended is None or view.ended.status != "finished":
        return None
    closed = max(view.val_loss, default=-1)
    loss = view.val_loss.get(closed)
    ladder = sorted((curve for curve in view.baselines.values() if _counts(curve)), key=lambda c: c.steps)
    if loss is None or not isfinite(loss) or not ladder:
        return None
    steps = (closed + 1) * view.inner_steps
    for place, curve in enumerate(ladder):
        if _final(curve) > loss:
            continue
        if place == 0:
            return SpeedUp(steps=steps, needed=curve.steps, bound="less", alone_cpu_s=curve.cpu_s)
        return _interpolated(steps, loss, ladder[place - 1], curve)
    longest = ladder[-1]
    return SpeedUp(steps=steps, needed=longest.steps, bound="more", alone_cpu_s=longest.cpu_s)


def _interpolated(steps: int, loss: float, short: BaselineCurve, long: BaselineCurve) -> SpeedUp:
    share = (_final(short) - loss) / (_final(short) - _final(long))
    needed = exp(log(short.steps) + share * (log(long.steps) - log(short.steps)))
    a_step_s = (short.cpu_s + long.cpu_s) / (short.steps + long.steps)
    both = bool(short.cpu_s and long.cpu_s)
    return SpeedUp(
        steps=steps,
        needed=needed,
        between=(short.steps, long.steps),
        alone_cpu_s=needed * a_step_s if both else 0.0,
    )


def _counts(curve: BaselineCurve) -> bool:
    """Whether a baseline is one miner alone, trained to its end."""
    return curve.name != DDP and curve.final is not None and isfinite(curve.final)


def _final(curve: BaselineCurve) -> float:
    return curve.losses[curve.steps]


def _rounded(number: float) -> int:
    """Three digits: an interpolated number has no more."""
    return int(float(f"{number:.3g}"))
