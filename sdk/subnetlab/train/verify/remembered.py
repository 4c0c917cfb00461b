"""What each validator remembered of miners, by its own verdicts, and where a kill or a store left a gap.

A validator that is killed while it tells its verdicts leaves the first of them; one whose report a store did
not take leaves none, and knew them all the same. What it would have told is what another validator told that
had seen the same: honest validators measure alike. Nothing here is a finding.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from math import isclose
from typing import Any, Final

from subnetlab.errors import SubnetLabError
from subnetlab.record.events import Scored
from subnetlab.train.judging import Judging
from subnetlab.train.validator import Validator

Memory = dict[str, Any]
"""What a validator keeps from round to round, by the names of its attributes."""
EXACT: Final = 1e-9
"""How far numbers may differ that are computed from numbers on record."""
CONTRADICTORY: Final = (ArithmeticError, ValueError, TypeError, SubnetLabError)
"""What verdicts raise that no validator comes to."""
_KEPT: Final = tuple(
    name
    for kind in (Judging, Validator)
    for name, kept in vars(kind).items()
    if isinstance(kept, cached_property) and name not in ("near_copies", "auditor", "continuity")
)
"""Those that its own verdicts fill; payloads to compare with are the same for all."""


@dataclass(slots=True)
class Remembered:
    """The memories of a run's validators, each put into one judge when it is asked for."""

    judge: Validator
    of: dict[int, Memory] = field(default_factory=dict[int, Memory])
    past: dict[int, int] = field(default_factory=dict[int, int])
    """A number that two validators share whose verdicts were the same so far."""
    gaps: dict[int, int] = field(default_factory=dict[int, int])
    """The last round whose verdicts a validator came to and did not report, by uid."""
    _with_gap: dict[int, tuple[Memory, int]] = field(default_factory=dict[int, tuple[Memory, int]])
    """Memory and past of one that knew what it did not report, until its next ratings tell."""

    def memory(self, uid: int) -> Memory:
        """What a validator remembers."""
        if uid not in self.of:
            for name in _KEPT:  # made anew, as by a validator that begins
                vars(self.judge).pop(name, None)
            self.of[uid] = {name: getattr(self.judge, name) for name in _KEPT}
        return self.of[uid]

    def add(self, uid: int, verdicts: Sequence[Scored]) -> None:
        """Take a round's verdicts into a validator's memory, which is then the judge's.

        Raises:
            ArithmeticError, ValueError, TypeError, SubnetLabError: they contradict one another.
        """
        vars(self.judge).update(self.memory(uid))
        self.judge.recall(verdicts)

    def count(self, uid: int, verdicts: Sequence[Scored]) -> None:
        """Let a round's verdicts count in a validator's past."""
        self.past[uid] = _past(self.past.get(uid, 0), verdicts)

    def completed(
        self, uid: int, verdicts: Sequence[Scored], told: Mapping[int, Sequence[Scored]]
    ) -> Sequence[Scored] | None:
        """Verdicts that break off, with the rest as one told it that had seen the same; None for no such."""
        said = {one.uid: _without_validator(one) for one in verdicts}
        for other, theirs in told.items():
            if other == uid or self.past.get(other, 0) != self.past.get(uid, 0):
                continue
            known = {one.uid: one for one in theirs}
            if all(to in known and _without_validator(known[to]) == words for to, words in said.items()):
                rest = [one for to, one in known.items() if to not in said]
                if rest or not said:
                    return [*verdicts, *rest]
        return None

    def miss(self, uid: int, round_: int, told: Mapping[int, Sequence[Scored]]) -> None:
        """Keep that a validator reported nothing of a round that it judged."""
        self.gaps[uid] = round_
        verdicts = self.completed(uid, (), told)
        if verdicts is None:
            return
        memory, past = self._with_gap.get(uid, (deepcopy(self.memory(uid)), self.past.get(uid, 0)))
        vars(self.judge).update(memory)
        with suppress(*CONTRADICTORY):
            self.judge.recall(verdicts)
            self._with_gap[uid] = memory, _past(past, verdicts)

    def settle(self, uid: int, verdicts: Sequence[Scored]) -> None:
        """Find out by its next ratings whether a validator remembered what it did not report."""
        known = self._with_gap.pop(uid, None)
        if uid not in self.gaps:
            return
        if self._rates_so(self.memory(uid), verdicts):
            del self.gaps[uid]
        elif known is not None and self._rates_so(known[0], verdicts):
            self.of[uid], self.past[uid] = known
            del self.gaps[uid]

    def _rates_so(self, memory: Memory, verdicts: Sequence[Scored]) -> bool:
        """Whether one that remembers this comes to the ratings that these verdicts tell."""
        vars(self.judge).update(deepcopy(memory))
        try:
            self.judge.recall(verdicts)
        except CONTRADICTORY:
            return False
        return all(is_rating(said, self.judge) for said in verdicts)


def is_rating(said: Scored, judge: Validator) -> bool:
    """Whether a verdict tells the rating that a judge has come to."""
    found = judge.ratings.of.get(said.uid, 0.0)
    return isclose(said.rating, found, rel_tol=EXACT, abs_tol=EXACT)


def _past(before: int, verdicts: Sequence[Scored]) -> int:
    return hash((before, tuple(sorted(map(_without_validator, verdicts)))))


def _without_validator(said: Scored) -> tuple[Any, ...]:
    return (
        said.uid,
        said.verdict,
        said.score,
        said.loss_removed_assigned,
        said.loss_removed_held_out,
        said.norm,
        said.own_work,
        said.noise,
        said.tried,
        said.audit,
    )
