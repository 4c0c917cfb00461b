"""Miners that want the pay of a run of answers without answering: what the protocol is there to stop.

The words are those of `LocalFleet(attackers=)`; what else there is attacks training alone.
"""

from typing import Final

from subnetlab.answers.miner import AnsweringMiner
from subnetlab.answers.payload import Answer, limit
from subnetlab.answers.peer import AnswersPeer
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.others_work import first_sealed
from subnetlab.train.payload.seal import OVERHEAD, Binding, Sealed, seal


class Copycat(AnsweringMiner):
    """Answers nothing: takes another miner's sealed object from the store and commits to it as its own."""

    def answers(self, heights: RoundHeights) -> list[Answer]:
        """Nothing of its own."""
        del heights
        return [Answer(why_not="it copies")] * self.manifest.tasks_per_round

    def sealed(self, payload: bytes, binding: Binding) -> Sealed:
        """The first object that another miner has put there this round, once one is there."""
        own = seal(payload, binding)
        most = limit(self.manifest.tasks_per_round, self.manifest.answer_bytes) + OVERHEAD
        found = first_sealed(self.store, self.seats, self.seat.uid, binding.round, most)
        return own if found is None else Sealed(*found, own.payload_hash, own.salt, own.key)


class Latecomer(AnsweringMiner):
    """Answers, and commits only once the deadline has passed."""

    def commit(self, sealed: Sealed, heights: RoundHeights) -> None:
        """Wait until the other miners' deadline is over."""
        self.done("committed", heights)
        self.wait(heights.commit)
        super().commit(sealed, heights)


class Withholder(AnsweringMiner):
    """Answers and commits, and never says what."""

    def reveal(self, sealed: Sealed, binding: Binding, heights: RoundHeights) -> None:
        """Nothing."""
        del sealed, binding, heights


class Garbler(AnsweringMiner):
    """Commits to bytes that are no answers."""

    def sealed(self, payload: bytes, binding: Binding) -> Sealed:
        """Bytes of the right length."""
        return seal(bytes(len(payload)), binding)


class Replayer(AnsweringMiner):
    """Sends its answers of the first round in every round."""

    first: bytes = b""

    def sealed(self, payload: bytes, binding: Binding) -> Sealed:
        """The first answers, sealed anew."""
        self.first = self.first or payload
        return seal(self.first, binding)


ATTACKERS: Final[dict[str, type[AnswersPeer]]] = {
    "copy": Copycat, "late": Latecomer, "withheld": Withholder, "garble": Garbler, "replay": Replayer,
}  # fmt: skip
"""Word to class."""
WORDS: Final = tuple(ATTACKERS)
