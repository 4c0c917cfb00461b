"""What an answer may be, and how a wrong one is explained: a number, numbers, uids, a word, a function.

A kind knows the right value and the values that usual misconceptions lead to. It judges what it is given and
answers in a sentence that never holds the right value. It asks nothing and keeps nothing.
"""

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, SupportsFloat, cast

from subnetlab.text import kind_of
from subnetlab.units import RAO_PER_TAO

_SCALES: Final[dict[str, tuple[tuple[float, str], ...]]] = {
    "TAO": ((RAO_PER_TAO, "rao"), (1e18, "wei")),
    "α": ((RAO_PER_TAO, "rao of alpha"),),
    "rao": ((1 / RAO_PER_TAO, "TAO"), (1e9, "wei")),
    "wei": ((1e-18, "TAO"), (1e-9, "rao")),
    "share": ((100.0, "per cent"), (65_535.0, "u16, as the chain stores it")),
    "per cent": ((0.01, "a share of one"),),
    "bytes": ((1e-3, "kilobytes"), (1e-6, "megabytes"), (8.0, "bits")),
    "bits": ((0.125, "bytes"),),
    "hours": ((60.0, "minutes"), (3_600.0, "seconds"), (1 / 24, "days")),
    "seconds": ((1e3, "milliseconds"), (1 / 60, "minutes")),
}
"""By unit: the factor and the name of each unit that is taken for it."""


_NAMES: Final = {"share": "a share of one", "TAO": "whole TAO", "α": "whole α"}
"""How a sentence names a unit where its sign alone would not do."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether an answer is right, the sentence about it, and a word for the kind of mistake."""

    right: bool
    said: str
    slip: str = ""


@dataclass(frozen=True, slots=True)
class Slip:
    """The value that a misconception leads to, and what to say to a person who gave it."""

    value: Any
    said: str


class Kind(Protocol):
    """A kind of answer with its right value."""

    def judge(self, given: object) -> Judged | None:
        """Judge an answer; None where it is wrong in no way that is known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number; `close` is how far it may be off, as a share of it, and `within` as a number."""

    value: float
    unit: str = ""
    close: float = 1e-3
    within: float = 1e-9
    whole: bool = False
    slips: tuple[Slip, ...] = ()

    def judge(self, given: object) -> Judged | None:
        """Compare, then look for a named misconception, another unit, a sign, a step too far."""
        found = _number(given)
        if isinstance(found, Judged):
            return found
        if self._is(found, self.value):
            return Judged(right=True, said="")
        for slip in self.slips:
            if self._is(found, float(slip.value)):
                return Judged(right=False, said=slip.said, slip="misconception")
        return self._unit(found) or self._shape(found)

    def _is(self, found: float, value: float) -> bool:
        return math.isclose(found, value, rel_tol=self.close, abs_tol=self.within)

    def _unit(self, found: float) -> Judged | None:
        if not self.value:
            return None
        for factor, name in _SCALES.get(self.unit, ()):
            if math.isclose(found, self.value * factor, rel_tol=max(self.close, 1e-6)):
                asked = _NAMES.get(self.unit, self.unit)
                said = f"That is the right amount in {name}; the question asks for {asked}."
                return Judged(right=False, said=said, slip="unit")
        return None

    def _shape(self, found: float) -> Judged | None:
        if self.value and self._is(found, -self.value):
            return Judged(right=False, said="The size is right, the sign is not.", slip="sign")
        if self.whole and abs(found - self.value) == 1:
            said = "You are one off: look at where the counting begins, and whether both ends count."
            return Judged(right=False, said=said, slip="off by one")
        if self.unit == "share" and self._is(found, 1 - self.value):
            return Judged(right=False, said="That is what is left of one: the other part.", slip="complement")
        if self.value and found and self._is(found, 1 / self.value):
            return Judged(right=False, said="The ratio is upside down.", slip="inverse")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Numbers by uid, as a dict, or in order as a list; `sums_to_one` says that they are shares."""

    values: Mapping[int, float] | Sequence[float]
    within: float = 1e-3
    sums_to_one: bool = False
    slips: tuple[Slip, ...] = ()

    def judge(self, given: object) -> Judged | None:
        """Compare each, then look for another order, a missing division, a named misconception."""
        wanted, found = _table(self.values), _entries(given)
        if isinstance(found, Judged):
            return found
        if set(found) != set(wanted):
            said = f"{len(wanted)} numbers are asked for, one for each of {_places(wanted)}."
            return Judged(right=False, said=said, slip="places")
        if self._same(found, wanted):
            return Judged(right=True, said="")
        for slip in self.slips:
            if self._same(found, _table(slip.value)):
                return Judged(right=False, said=slip.said, slip="misconception")
        return self._shape(found, wanted)

    def _same(self, found: Mapping[int, float], wanted: Mapping[int, float]) -> bool:
        return all(abs(found[place] - wanted[place]) <= self.within for place in wanted)

    def _shape(self, found: Mapping[int, float], wanted: Mapping[int, float]) -> Judged | None:
        ordered = zip(sorted(found.values()), sorted(wanted.values()), strict=True)
        if all(abs(one - other) <= self.within for one, other in ordered):
            said = "These are the right numbers in another order: whose is which?"
            return Judged(right=False, said=said, slip="order")
        total = sum(found.values())
        if self.sums_to_one and total and abs(total - 1) > self.within:
            scaled = {place: value / total for place, value in found.items()}
            if self._same(scaled, wanted):
                said = f"The proportions are right, but shares sum to 1 and yours to {total:.4g}."
                return Judged(right=False, said=said, slip="not divided by the sum")
        right = [place for place in wanted if abs(found[place] - wanted[place]) <= self.within]
        if right:
            said = f"Right so far: {_places(right)}. The rest is not."
            return Judged(right=False, said=said, slip="some")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uids:
    """A set of uids."""

    value: frozenset[int]
    everyone: frozenset[int] = frozenset()

    def judge(self, given: object) -> Judged | None:
        """Compare as sets; says how many are missing or too many, not which."""
        if isinstance(given, int) and not isinstance(given, bool):
            given = [given]
        if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
            return Judged(
                right=False,
                said=f"Give the uids as a list, such as [3, 5], not {kind_of(given)}.",
                slip="type",
            )
        found: set[int] = set()
        for uid in cast("Iterable[object]", given):
            if isinstance(uid, bool) or not isinstance(uid, int):
                return Judged(right=False, said=f"A uid is a whole number, not {kind_of(uid)}.", slip="type")
            found.add(uid)
        if self.value == frozenset(found):
            return Judged(right=True, said="")
        if self.everyone and self.everyone - self.value == frozenset(found):
            said = "These are exactly the others: the question asks for the rest."
            return Judged(right=False, said=said, slip="complement")
        wrong, missing = len(found - self.value), len(self.value - found)
        said = f"{wrong} of the {len(found)} you name do not belong there" if wrong else "All you name belong"
        said += f"; {missing} are missing." if missing else "."
        return Judged(right=False, said=said, slip="some")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One of several words; each wrong one has its own sentence."""

    value: str
    wrong: Mapping[str, str]

    def judge(self, given: object) -> Judged | None:
        """Compare without regard to case and spaces around."""
        options = sorted([self.value, *self.wrong])
        found = given.strip().lower() if isinstance(given, str) else ""
        if found not in options:
            quoted = ", ".join(f'"{option}"' for option in options)
            return Judged(right=False, said=f"Answer with one of {quoted}.", slip="type")
        if found == self.value:
            return Judged(right=True, said="")
        return Judged(right=False, said=self.wrong[found], slip="misconception")


@dataclass(frozen=True, slots=True)
class Case:
    """One call of a student's function: its arguments, what it should return, and the case in words."""

    arguments: tuple[Any, ...]
    wanted: Kind
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A function of the student's, tried on every case; what it raises is the student's own traceback."""

    cases: tuple[Case, ...]

    def judge(self, given: object) -> Judged | None:
        """Call it, each time with arguments of its own; the first case that fails is explained."""
        if not callable(given):
            return Judged(right=False, said=f"Give the function itself, not {kind_of(given)}.", slip="type")
        for case in self.cases:
            found = _called(given, case)
            if found is None:
                said = f"With {case.words} it returns None: is there a `return`?"
                return Judged(right=False, said=said, slip="type")
            judged = case.wanted.judge(found) or Judged(right=False, said="", slip="value")
            if not judged.right:
                said = (
                    f"With {case.words} it returns {_shown(found)}, which is not it. {judged.said}".rstrip()
                )
                return Judged(right=False, said=said, slip=judged.slip)
        return Judged(right=True, said="")


def _called(function: Callable[..., object], case: Case) -> object:
    try:
        return function(*copy.deepcopy(case.arguments))
    except BaseException as error:
        error.add_note(f"The exercise called your function with {case.words}.")
        raise


def _shown(found: object) -> str:
    if isinstance(found, float):
        return f"{found:.6g}"
    text = repr(found)
    return text if len(text) <= 60 else text[:59] + "…"


def _number(given: object) -> float | Judged:
    """A number of any library's kind as a float, or what is wrong with it."""
    if isinstance(given, str | bytes | bool) or given is None or not isinstance(given, SupportsFloat):
        words = "Give a number without quotes" if isinstance(given, str) else "Give a number"
        return Judged(right=False, said=f"{words}, not {kind_of(given)}.", slip="type")
    try:
        found = float(given)
    except (TypeError, ValueError, OverflowError):
        return Judged(right=False, said=f"Give one number, not {kind_of(given)}.", slip="type")
    if not math.isfinite(found):
        return Judged(right=False, said=f"{found} is no number: was something divided by zero?", slip="type")
    return found


def _table(values: Mapping[int, float] | Sequence[float]) -> dict[int, float]:
    pairs = values.items() if isinstance(values, Mapping) else enumerate(values)
    return {int(place): float(value) for place, value in pairs}


def _entries(given: object) -> dict[int, float] | Judged:
    """A dict by uid, or anything in order, as floats by place."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        return Judged(
            right=False, said=f"Give a list of numbers, or a dict by uid, not {kind_of(given)}.", slip="type"
        )
    table = cast("Mapping[object, object]", given) if isinstance(given, Mapping) else None
    pairs = table.items() if table is not None else enumerate(cast("Iterable[object]", given))
    found: dict[int, float] = {}
    for place, value in pairs:
        number = _number(value)
        if isinstance(number, Judged) or isinstance(place, bool) or not isinstance(place, int):
            return Judged(right=False, said="Every uid is a whole number, and has one number.", slip="type")
        found[place] = number
    return found


def _places(places: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(places)))
