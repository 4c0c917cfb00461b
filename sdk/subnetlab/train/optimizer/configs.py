"""Configurations of the optimizers, without torch; the optimizers themselves are beside, one file each."""

from dataclasses import asdict, dataclass
from typing import Any

from subnetlab.errors import ArgumentInvalid
from subnetlab.train.optimizer.schedule import Schedule, Scheduled, check_moments


@dataclass(frozen=True, slots=True, kw_only=True)
class AdamWConfig(Scheduled):
    """Options of the inner optimizer; steps count inner steps over the whole run."""

    lr: float = 2e-3
    warmup: float = 0.05
    """Share of all inner steps in which the rate rises linearly."""
    floor: float = 0.1
    """Share of `lr` at which the schedule ends."""
    beta1: float = 0.9
    beta2: float = 0.95
    eps: float = 1e-8
    weight_decay: float = 0.1
    clip: float = 1.0
    """Largest norm of one step's gradient."""

    schedule: Schedule = "cosine"
    decay: float = 0.6
    """Share of all inner steps in which "wsd" falls."""

    def __post_init__(self) -> None:
        self.check()
        check_moments(self.beta1, self.beta2, self.eps)

    def to_json(self) -> dict[str, Any]:
        """The options in JSON types; without the schedule where it is the cosine, as manifests began."""
        options = asdict(self)
        if self.schedule == "cosine":
            del options["schedule"], options["decay"]
        return options


@dataclass(frozen=True, slots=True, kw_only=True)
class MuonConfig(Scheduled):
    """Options of Muon; steps count inner steps over the whole run."""

    lr: float = 0.03
    """Largest rate of the hidden matrices."""
    adamw_lr: float = 16e-3
    """Largest rate of everything else, on the same schedule."""
    momentum: float = 0.95
    newton_schulz_steps: int = 5
    beta1: float = 0.9
    beta2: float = 0.95
    eps: float = 1e-8
    weight_decay: float = 0.1
    clip: float = 1.0
    """Largest norm of one step's gradient."""
    schedule: Schedule = "wsd"
    warmup: float = 0.05
    """Share of all inner steps in which the rate rises linearly."""
    floor: float = 0.0
    """Share of `lr` at which the schedule ends."""
    decay: float = 0.6
    """Share of all inner steps in which "wsd" falls."""

    def __post_init__(self) -> None:
        self.check()
        check_moments(self.beta1, self.beta2, self.eps)
        if not (self.adamw_lr > 0 and 0 <= self.momentum < 1 and 1 <= self.newton_schulz_steps <= 100):
            raise ArgumentInvalid(
                "Muon needs adamw_lr > 0, 0 <= momentum < 1 and 1 to 100 Newton-Schulz steps.",
                hint="The usual ones are adamw_lr=0.016, momentum=0.95 and 5 steps.",
            )

    def to_json(self) -> dict[str, Any]:
        """The options in JSON types."""
        return {"kind": "Muon", **asdict(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignumConfig(Scheduled):
    """Options of Signum; steps count inner steps over the whole run."""

    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.1
    clip: float = 1.0
    """Largest norm of one step's gradient."""
    schedule: Schedule = "cosine"
    warmup: float = 0.05
    """Share of all inner steps in which the rate rises linearly."""
    floor: float = 0.1
    """Share of `lr` at which the schedule ends."""
    decay: float = 0.6
    """Share of all inner steps in which "wsd" falls."""

    def __post_init__(self) -> None:
        self.check()
        if not 0 <= self.momentum < 1:
            raise ArgumentInvalid("Signum needs 0 <= momentum < 1.", hint="Give momentum=0.9, for instance.")

    def to_json(self) -> dict[str, Any]:
        """The options in JSON types."""
        return {"kind": "Signum", **asdict(self)}
