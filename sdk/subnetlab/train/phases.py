"""What every role reports in a round, and before which block height: the pacer's whole knowledge of training.

A local run seals the next height once every live peer has reported the phases due before it. A role reports
only the phases named here; the reference miner that trains alone reports none and is never waited for.
"""

from typing import Final, Literal

from subnetlab.record.events import Phase, Role
from subnetlab.text import with_article
from subnetlab.train.manifest import RoundHeights

Height = Literal["commit", "beacon", "close", "next_open"]

EXPECTED: Final[dict[Role, dict[str, Height]]] = {
    "owner": {},
    "miner": {"committed": "commit", "revealed": "beacon", "synced": "next_open"},
    "free_rider": {"committed": "commit", "revealed": "beacon", "synced": "next_open"},
    "validator": {"ready": "commit", "scored": "close", "synced": "next_open"},
    "alone": {},
    "other": {},
    "unknown": {},
}
"""Phase name to the height that may be sealed once it is reported."""


def phase(role: Role, name: str, uid: int, heights: RoundHeights, *, cpu_s: float = 0.0) -> Phase:
    """The event that says `uid` has finished phase `name` of a round.

    Raises:
        ValueError: the role has no such phase.
    """
    if name not in EXPECTED[role]:
        raise ValueError(f"{with_article(role)} has no phase {name!r}")
    until = getattr(heights, EXPECTED[role][name])
    return Phase(uid=uid, round=heights.round, name=name, until=until, cpu_s=cpu_s)


def due(role: Role, heights: RoundHeights) -> list[tuple[int, str]]:
    """`(height, phase name)` of a role in one round, lowest height first."""
    return sorted((getattr(heights, height), name) for name, height in EXPECTED[role].items())
