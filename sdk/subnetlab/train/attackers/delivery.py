"""Miners that cheat in how a payload is made up, committed, stored or revealed.

Each is a `Miner` whose one overridden method is the attack; intake deals with every one of them before
anything is tried on data.
"""

from contextlib import suppress

from subnetlab.errors import ObjectExists
from subnetlab.train import object_paths
from subnetlab.train.delivery import RoundWork
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.miner import Miner
from subnetlab.train.payload.seal import Binding, Sealed, commitment_of, hash_of
from subnetlab.train.roster import miners


class Garbler(Miner):
    """Commits to bytes that are no payload."""

    def work(self, heights: RoundHeights) -> RoundWork:
        """Do nothing and send as much."""
        return RoundWork(heights.round.to_bytes(64, "little"), 0.0, 0.0, 0.0)


class Latecomer(Miner):
    """Commits one block after the deadline, when it could have seen the others' objects."""

    def commit(self, sealed: Sealed, heights: RoundHeights) -> None:
        """Not yet."""

    def reveal(self, sealed: Sealed, binding: Binding, heights: RoundHeights) -> None:
        """Commit when everyone else reveals."""
        super().commit(sealed, heights)
        super().reveal(sealed, binding, heights)


class Withholder(Miner):
    """Commits and never reveals."""

    def reveal(self, sealed: Sealed, binding: Binding, heights: RoundHeights) -> None:
        """Keep salt and key."""


class Squatter(Miner):
    """Trains honestly, and puts junk where it guesses the objects of others will lie."""

    def work(self, heights: RoundHeights) -> RoundWork:
        """Squat first, then work."""
        for seat in miners(self.seats):
            binding = Binding(run=self.replica.run, round=heights.round, hotkey=seat.hotkey)
            guess = commitment_of(binding, bytes(32), hash_of(b""))
            for name in (
                object_paths.sealed(heights.round, seat.uid, guess),
                object_paths.reveal(heights.round, seat.uid, "", guess.hex()),
            ):
                with suppress(ObjectExists):  # another squatter was first
                    self.store.put(name, b"junk")
        return super().work(heights)


class Replayer(Miner):
    """Works once, then sends the same object in every round."""

    first: Sealed | None = None

    def sealed(self, payload: bytes, binding: Binding) -> Sealed:
        """Seal the first payload, and take it out again ever after."""
        self.first = self.first or super().sealed(payload, binding)
        return self.first
