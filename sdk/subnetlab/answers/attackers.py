"""Miners that want the pay of a run of answers without answering: what the protocol is there to stop.

The words are those of `LocalFleet(attackers=)`; what else there is attacks training alone.
"""

from typing import Final

from subnetlab.answers.miner import AnsweringMiner
from subnetlab.answers.payload import Answer, limit
from subnetlab.answers.peer import AnswersPeer
from subnetlab.errors import ObjectMissing
from subnetlab.store.places import place_of
from subnetlab.train import object_paths
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.payload.seal import OVERHEAD, Binding, Sealed, seal
from subnetlab.train.roster import miners


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
        for seat in miners(self.seats):
            prefix, place = object_paths.all_sealed(binding.round, seat.uid), place_of(self.store, seat.uid)
            for name in place.names(prefix) if seat.uid != self.seat.uid else []:
                try:
                    data = place.get(name, most)
                except ObjectMissing:
                    continue
                commitment = bytes.fromhex(name.rpartition("/")[2])
                return Sealed(data, commitment, own.payload_hash, own.salt, own.key)
        return own


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
