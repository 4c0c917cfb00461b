"""What a run took of the processor: all its peers by role, and each baseline's training beside them.

Seconds of processes, as the peers themselves report them with every phase: training, compressing, sealing,
judging and talking to the chain. The node, the supervisor and the notebook are left out.
"""

from dataclasses import dataclass
from typing import Any

from subnetlab.record.view import RunView
from subnetlab.report.format import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Processor seconds; 0 where the record does not hold them."""

    honest: float
    """Of all miners that train."""
    attackers: float
    """Of free riders and attackers."""
    validators: float
    baselines: dict[str, float]
    """Of each baseline's training so far, by name; what is not measured is left out."""

    @property
    def peers(self) -> float:
        """Of every peer on a seat."""
        return self.honest + self.attackers + self.validators

    @property
    def said(self) -> str:
        """The roles and what each took, as a list in a sentence."""
        named = (
            ("miners", self.honest),
            ("attackers", self.attackers),
            ("validators", self.validators),
        )
        return listed([f"{name} {seconds:,.0f} s" for name, seconds in named if seconds])

    def to_json(self) -> dict[str, Any]:
        """The numbers as JSON types."""
        return {
            "miners": self.honest,
            "attackers": self.attackers,
            "validators": self.validators,
            "baselines": dict(self.baselines),
        }


def costs(view: RunView) -> Costs:
    """Add up what the peers of a run reported."""

    def of(uids: list[int]) -> float:
        return sum(view.cpu_s.get(uid, 0.0) for uid in uids)

    judges = [uid for uid in view.peers if view.seated_as(uid) == "validator"]
    return Costs(
        honest=of(view.honest),
        attackers=of(view.cheating),
        validators=of(judges),
        baselines={name: curve.cpu_s for name, curve in view.baselines.items() if curve.cpu_s},
    )
