"""Who is shut out for good many rounds, and since when: the slash, where the gate is for one round.

A miner that sent what only a cheat can is out for as many rounds as the manifest says, and returns with a
rating of 0. A drawn miner whose state cannot be read loses that round; the second time in a row counts as a
cheat, because a place that is away whenever it matters proves nothing.
"""

from dataclasses import dataclass, field
from typing import Final

from subnetlab.errors import PayloadRejected

AWAY: Final = "away"
"""The outcome of an audit whose state could not be read."""


@dataclass(slots=True)
class Exclusions:
    """One validator's, by uid."""

    rounds: int
    """For how many rounds; 0: none is."""
    until: dict[int, int] = field(default_factory=dict[int, int])
    """The last round in which a miner is out."""
    away: dict[int, int] = field(default_factory=dict[int, int])
    """Audits in a row whose state could not be read."""

    def check(self, uid: int, round_: int) -> None:
        """Refuse a miner that is out.

        Raises:
            PayloadRejected: it is.
        """
        last = self.until.get(uid, -1)
        if round_ <= last:
            raise PayloadRejected(
                f"Shut out up to round {last + 1}, because it sent what only a cheat can.", reason="excluded"
            )

    def caught(self, uid: int, round_: int) -> None:
        """Shut a miner out from the next round on."""
        if self.rounds:
            self.until[uid] = round_ + self.rounds

    def audited(self, uid: int, outcome: str) -> None:
        """Take in what an audit came to; empty for none."""
        if outcome:
            self.away[uid] = self.away.get(uid, 0) + 1 if outcome == AWAY else 0
