"""The gap from one miner alone to DDP on the same data, and how much of it a subnet closed.

Where the two differ by no more than the noise of their measurement there is nothing to take a share of: any
loss would give a large one of either sign.
"""

from dataclasses import dataclass
from math import isfinite

from subnetlab.record.baselines import BaselineCurve
from subnetlab.report.noise import loss_noise

CLOSE = "not measurable: alone and DDP differ by less than noise"
WORSE = "not measurable: DDP is worse than one alone"
MISSING = "not measured: {} was no baseline of this run, or did not come to its end"


@dataclass(frozen=True, slots=True)
class Gap:
    """Two last losses; None where not measured."""

    baseline: float | None
    """Of one miner alone."""
    ddp: float | None
    noise: float = 0.0
    """Losses closer than this are the same."""

    @staticmethod
    def between(baseline: BaselineCurve | None, ddp: BaselineCurve | None) -> "Gap":
        """The gap between two curves that are through."""
        curves = [
            [curve.losses[step] for step in sorted(curve.losses)] if curve is not None else []
            for curve in (baseline, ddp)
        ]
        return Gap(baseline.final if baseline else None, ddp.final if ddp else None, loss_noise(*curves))

    def closed(self, loss: float | None) -> float | None:
        """The share of it that lies above a loss; None where it was not measured, or cannot be."""
        if loss is None or not isfinite(loss) or self.baseline is None or self.ddp is None or self.why_not:
            return None
        return (self.baseline - loss) / (self.baseline - self.ddp)

    @property
    def why_not(self) -> str:
        """Why there is no share; empty where there is one."""
        if self.baseline is None or self.ddp is None:
            return MISSING.format("DDP" if self.baseline is not None else "one miner alone")
        if not isfinite(self.baseline - self.ddp) or abs(self.baseline - self.ddp) <= self.noise:
            return CLOSE
        return WORSE if self.ddp > self.baseline else ""
