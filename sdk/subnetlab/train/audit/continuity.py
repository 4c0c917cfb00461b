"""What a miner remembers must be what it remembered: each report begins where the last that was taken ended.

An error memory of one's own making could hold any update. So a miner whose payload the round before took
begins with the state that it stated then, and every other miner with nothing; both follow from the last
round's record, which all peers have.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from subnetlab.errors import PayloadRejected
from subnetlab.train.intake import Received
from subnetlab.train.round_record import Accepted


@dataclass(slots=True)
class Continuity:
    """The states that miners ended the last round with, by hotkey."""

    round: int = -1
    """The round that they ended."""
    ended: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def close(self, round_: int, received: Mapping[int, Received], accepted: Iterable[Accepted]) -> None:
        """Keep the states of the miners whom a round's record took."""
        taken = {entry.hotkey: entry.payload_hash for entry in accepted}
        self.round = round_
        self.ended = {
            one.entry.hotkey: one.report.after
            for one in received.values()
            if one.report is not None and taken.get(one.entry.hotkey) == one.entry.payload_hash
        }

    def check(self, round_: int, received: Received, nothing: bytes) -> None:
        """Refuse a payload that begins with a state from elsewhere.

        Args:
            round_: the round at hand; after one that was not judged here, nothing is known and refused.
            received: the payload with its report.
            nothing: the hash of the state of a miner that begins.

        Raises:
            PayloadRejected: the state is neither nothing nor the one that the miner had.
        """
        report = received.report
        if report is None or report.before == nothing or self.round != round_ - 1:
            return
        if report.before != self.ended.get(received.entry.hotkey):
            raise PayloadRejected(
                "The memory that this work begins with is not what the miner ended the round before with.",
                reason="unlinked",
            )
