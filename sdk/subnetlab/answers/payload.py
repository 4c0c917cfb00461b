"""The answers of one round as they travel: what a miner seals, and what a validator reads of a stranger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from subnetlab.answers.values import NotAValue, read, written
from subnetlab.errors import PayloadRejected

_WHY_LETTERS: Final = 400
_WHY_BYTES: Final = 6 * _WHY_LETTERS
"""As many as JSON takes for the letters that it writes longest."""
_ENVELOPE: Final = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """What a miner made of one task: a JSON value, or why there is none."""

    value: Any = None
    why_not: str = ""
    """In words; empty where there is an answer."""


def limit(count: int, answer_bytes: int) -> int:
    """Most bytes that so many answers take."""
    return count * (answer_bytes + _WHY_BYTES + _ENVELOPE) + _ENVELOPE


def encode(answers: Sequence[Answer], answer_bytes: int) -> bytes:
    """The answers as canonical JSON."""
    told = [
        {"why_not": one.why_not[:_WHY_LETTERS]} if one.why_not else {"answer": one.value} for one in answers
    ]
    return written({"answers": told}, limit(len(answers), answer_bytes))


def decode(data: bytes, count: int, answer_bytes: int) -> list[Answer]:
    """Read the answers of a stranger.

    Raises:
        PayloadRejected: anything that `encode` would not write.
    """
    try:
        told = read(data, limit(count, answer_bytes))
        listed = told["answers"] if isinstance(told, dict) else None
        if not isinstance(listed, list) or len(cast("list[Any]", listed)) != count:
            raise PayloadRejected(f"It does not hold {count} answers.", reason="malformed")
        return [_answer(one, answer_bytes) for one in cast("list[Any]", listed)]
    except (NotAValue, KeyError) as error:
        raise PayloadRejected(f"The answers cannot be read: it {error}.", reason="malformed") from None


def _answer(told: Any, answer_bytes: int) -> Answer:
    match told:
        case {"why_not": str(why)} if why and len(told) == 1:
            return Answer(why_not=why[:_WHY_LETTERS])
        case {"answer": value} if len(told) == 1:
            try:
                written(value, answer_bytes)
            except NotAValue as error:
                raise PayloadRejected(f"An answer {error}.", reason="too_large") from None
            return Answer(value)
        case _:
            raise PayloadRejected("One of the answers is neither a value nor a reason.", reason="malformed")
