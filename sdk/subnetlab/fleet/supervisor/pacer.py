"""When the next block of a local run is sealed: the decision alone, without clock, wire or process.

A peer *owes* a phase before some heights of a round (`train.phases.EXPECTED`). The next block may be sealed
when every live peer that owes something before it has reported, or when the wall limit has passed; who was
still awaited then is *late* and is not waited for again until it reports something that is still due. So a
slow machine makes no peer late, and a hung peer costs the limit once. Times are given by the caller (seconds
of any steady clock).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from subnetlab.record.events import Phase, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """The block heights of a run, as far as the pacer cares."""

    first_block: int
    rounds: int
    blocks_per_round: int = 4

    @property
    def last_block(self) -> int:
        """The block that ends the last round: the one its last `synced` waits for."""
        return self.first_block + self.rounds * self.blocks_per_round

    def inside(self, height: int) -> bool:
        """Whether `height` lies after a round's open block and before the next round's."""
        running = self.first_block < height < self.last_block
        return running and (height - self.first_block) % self.blocks_per_round != 0

    def next_open(self, height: int) -> int:
        """The first open block after `height`; at the end that of no round."""
        past = max(height - self.first_block, -1)
        return self.first_block + (past // self.blocks_per_round + 1) * self.blocks_per_round

    def rounds_due_by(self, height: int) -> int:
        """How many rounds must have been reported by `height`: all before the one past its open block."""
        return min(max((height - self.first_block - 1) // self.blocks_per_round, 0), self.rounds)

    def round_at(self, height: int) -> int:
        """The round whose window holds `height`; -1 before the first, the last round at and after the end."""
        if height < self.first_block:
            return -1
        return min((height - self.first_block) // self.blocks_per_round, self.rounds - 1)


class Pacer:
    """Decides from what peers reported whether a height may be sealed; knows nothing of how.

    Args:
        rounds: the run's heights.
        owed: per role, the offsets inside a round (0 = its open block) before which the role must report; an
            open block after the first one closes the round before it.
        limit_s: wall limit per height.
    """

    def __init__(self, *, rounds: Rounds, owed: Mapping[Role, Iterable[int]], limit_s: float) -> None:
        self.rounds = rounds
        self._owed = {role: frozenset(offsets) for role, offsets in owed.items()}
        self._limit_s = limit_s
        self._roles: dict[int, Role] = {}
        self._starting: set[int] = set()
        self._until: dict[int, int] = {}
        self._late: set[int] = set()
        self._ever_late: list[int] = []
        self._head = -1
        self._since = 0.0

    # -- what happened ------------------------------------------------------------------------------------

    def add(self, uid: int, role: Role, *, owes_after: int | None = None) -> None:
        """A peer was started; nothing is sealed before it is up or gone.

        Args:
            uid: of its seat.
            role: what it owes.
            owes_after: it owes nothing up to this height, for who begins with a later round.
        """
        self._roles[uid] = role
        self._until.pop(uid, None)
        if owes_after is not None:
            self._until[uid] = owes_after
        self._starting.add(uid)

    def ready(self, uid: int) -> None:
        """The peer is up."""
        self._starting.discard(uid)

    def reported(self, phase: Phase) -> None:
        """The peer finished its part before height `phase.until`; duplicates and old news change nothing."""
        uid = phase.uid
        if uid not in self._roles:
            return
        self._until[uid] = max(phase.until, self._until.get(uid, -1))
        if phase.until > self._head:
            self._late.discard(uid)

    def gone(self, uid: int) -> None:
        """The peer ended, by itself or at the end of its work: it is never waited for again."""
        self._roles.pop(uid, None)
        self._starting.discard(uid)
        self._late.discard(uid)

    def sealed(self, number: int, now: float) -> None:
        """The chain's head is now `number`, whether this run sealed it or not."""
        if number > self._head:
            self._head, self._since = number, now

    # -- what follows -------------------------------------------------------------------------------------

    @property
    def head(self) -> int:
        """The last sealed height that was told."""
        return self._head

    @property
    def late(self) -> frozenset[int]:
        """Live peers that missed the wall limit and have not caught up."""
        return frozenset(self._late)

    @property
    def ever_late(self) -> tuple[int, ...]:
        """Every peer that ever missed the wall limit, also one that is gone, the first to do so first."""
        return tuple(self._ever_late)

    def finished(self) -> bool:
        """Whether the block that ends the last round is sealed."""
        return self._head >= self.rounds.last_block

    def awaited(self) -> frozenset[int]:
        """The live peers whose report the next height waits for."""
        if self._starting:
            return frozenset(self._starting)
        height = self._head + 1
        if not self.rounds.first_block < height <= self.rounds.last_block:
            return frozenset()
        offset = (height - self.rounds.first_block) % self.rounds.blocks_per_round
        return frozenset(
            uid
            for uid, role in self._roles.items()
            if offset in self._owed.get(role, ())
            and uid not in self._late
            and self._until.get(uid, -1) < height
        )

    def deadline(self) -> float:
        """When the next height is sealed although peers are awaited."""
        return self._since + self._limit_s

    def may_seal(self) -> bool:
        """Whether the next height is due: no peer is awaited and the run is not over."""
        return not self.finished() and not self.awaited()

    def give_up(self, now: float) -> frozenset[int]:
        """At the wall limit, stop waiting for the awaited peers; the uids that became late by this call.

        Peers that are still starting are not given up here: coming up has a limit of its own.
        """
        if self._starting or self.finished() or now < self.deadline():
            return frozenset()
        awaited = self.awaited()
        self._late |= awaited
        self._ever_late += sorted(awaited.difference(self._ever_late))
        return awaited
