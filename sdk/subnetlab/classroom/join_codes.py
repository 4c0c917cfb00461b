"""Codes that open a class: drawn at random, good for so many students and so long, kept as hashes alone.

A code has 60 bits and is typed by people: capitals and digits that are not taken for each other, in groups of
four. Case, hyphens and spaces do not count.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from subnetlab.errors import ClassError

_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_GROUPS, _GROUP = 3, 4


class CodeRefused(ClassError):
    """A join code opens nothing: it is unknown, over, or used up."""

    hint = "Ask your teacher for a new one."


class CodeUnknown(CodeRefused):
    """A word is no join code of this class: a slip of the pen, or a guess."""

    hint = "Check its letters."


@dataclass(slots=True, kw_only=True)
class JoinCode:
    """One code."""

    hash: str
    expires: float
    """Seconds since the epoch."""
    left: int
    """How many students may still join with it."""
    name: str = ""
    """Whose code it is; empty for a code of the whole class."""


def new_code() -> str:
    """A code as people read it, such as `K7QD-2MXP-9TRW`."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def hash_of(code: str) -> str:
    """What is kept of a code."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(f"class code {plain}".encode()).hexdigest()


class JoinCodes:
    """The codes of a class."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        """Know no code."""
        self._clock = clock
        self._codes: dict[str, JoinCode] = {}

    def add(self, *, seconds: float, uses: int, name: str = "") -> str:
        """Draw a code that is good for so long and so many students."""
        code = new_code()
        expires = self._clock() + seconds
        self._codes[hash_of(code)] = JoinCode(hash=hash_of(code), expires=expires, left=uses, name=name)
        return code

    def check(self, code: str) -> JoinCode:
        """The code that a student gave, which still opens; it is not used up by this.

        Raises:
            CodeRefused: it opens nothing.
        """
        found = self._codes.get(hash_of(code))
        if found is None:
            raise CodeUnknown("This join code is not one of this class.")
        if self._clock() >= found.expires:
            raise CodeRefused("This join code is over.")
        if found.left < 1:
            raise CodeRefused("This join code was used already." if found.name else "This class is full.")
        return found

    def give_back(self, hashed: str) -> None:
        """Let one more student join with a code, because one who joined with it was reset."""
        found = self._codes.get(hashed)
        if found is not None:
            found.left += 1

    def end(self) -> None:
        """Let no code open any more."""
        self._codes.clear()
