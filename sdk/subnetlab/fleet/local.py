"""How many peers of which role run on this machine: what a person types to describe a fleet of their own.

Starts nothing; `fleet.launch` does.
"""

from dataclasses import dataclass

from subnetlab.record.events import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFleet:
    """Peers as processes on this machine, one CPU thread each.

    `miners` counts every miner's seat; `free_riders` of them send noise instead of training. `baseline` adds
    the reference miner that trains by itself and holds no seat.
    """

    miners: int = 8
    validators: int = 2
    free_riders: int = 0
    baseline: bool = True
    phase_limit_s: float = 120.0
    """How long a block waits for a silent peer before it is sealed without it."""
    start_limit_s: float = 60.0
    """How much work a peer may need to come up, and how long it may go on without any, in seconds."""

    def __post_init__(self) -> None:
        if self.miners < 1 or self.validators < 1:
            raise ValueError("a fleet needs at least one miner and one validator")
        if not 0 <= self.free_riders <= self.miners:
            raise ValueError(f"free_riders={self.free_riders} is not between 0 and miners={self.miners}")
        if self.phase_limit_s <= 0 or self.start_limit_s <= 0:
            raise ValueError("phase_limit_s and start_limit_s must be positive")

    def roles(self) -> list[Role]:
        """The roles that need a seat on the subnet: honest miners, free riders, then validators."""
        honest: list[Role] = ["miner" for _ in range(self.miners - self.free_riders)]
        free_riders: list[Role] = ["free_rider" for _ in range(self.free_riders)]
        validators: list[Role] = ["validator" for _ in range(self.validators)]
        return honest + free_riders + validators
