"""The students of a class: who joined, by which token, with which keys, and what they answered.

A token is given once and kept as a hash. The list is written whole after every change, for its owner alone,
and read back when the class is started again. Decides who a request is from; asks neither chain nor store.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from subnetlab.classroom.join_codes import CodeRefused, JoinCode
from subnetlab.errors import ClassError
from subnetlab.record.files import make_private, write_private

MOST_STUDENTS: Final = 256
_NAME_LETTERS: Final = 40
_REGISTERS_WITHIN_S: Final = 120.0
_FILE: Final = "students.json"


@dataclass(slots=True, kw_only=True)
class Answered:
    """The last answer to an exercise, as JSON, with what the class made of it."""

    answer: str
    right: bool | None
    """None where the class cannot judge it."""
    said: str
    tries: int
    at: float


@dataclass(slots=True, kw_only=True)
class Student:
    """One student."""

    id: str
    name: str
    token_hash: str
    seed: int
    joined: float
    seen: float
    coldkey: str = ""
    hotkey: str = ""
    """Both ss58, empty until the student's kernel has made its wallet."""
    code: str = ""
    """Hash of the code that they joined with."""
    put_bytes: int = 0
    """What lies in the student's place."""
    answers: dict[str, Answered] = field(default_factory=dict[str, Answered])
    """By exercise."""

    def is_unused(self, uid: int | None, now: float) -> bool:
        """Whether the seat never did anything: no answer, no object, and no neuron on chain.

        A kernel that joins makes its wallet at once and registers within two minutes, so it is left alone.

        Args:
            uid: of its neuron; None where it has none.
            now: seconds since the epoch.
        """
        if uid is not None or self.answers or self.put_bytes:
            return False
        return not self.hotkey or now - self.joined > _REGISTERS_WITHIN_S

    @property
    def passed(self) -> int:
        """How many exercises are right, as the class judged them."""
        return sum(answered.right is True for answered in list(self.answers.values()))


class Students:
    """Everyone in the class."""

    def __init__(self, folder: Path) -> None:
        """Read who is there already."""
        self._file = make_private(folder) / _FILE
        self._students: dict[str, Student] = {}
        self._by_token: dict[str, Student] = {}
        self._reset: set[str] = set()
        """Hashes of the tokens of students who were reset: an old kernel or peer that goes on is no guess."""
        self._joined = 0
        """How many ever joined: a name such as `s3` is given once."""
        self._read()

    def __iter__(self) -> Iterator[Student]:
        return iter(list(self._students.values()))

    def __len__(self) -> int:
        return len(self._students)

    def join(self, code: JoinCode, name: str) -> tuple[Student, str]:
        """Take a student in; the student, and the token that is told this once.

        Raises:
            CodeRefused: the name is taken, or the code is another student's.
            ClassError: the name cannot be shown, or the class is full.
        """
        if not (name or code.name):
            raise ClassError("This join code is right, but your name is missing.", hint='Give name="Ada".')
        name = checked_name(name or code.name)
        if code.name and name.casefold() != code.name.casefold():
            raise CodeRefused(f"This join code is for {code.name}.", hint=f"Join with name={code.name!r}.")
        if any(one.name.casefold() == name.casefold() for one in self):
            raise CodeRefused(
                f"{name} is in this class already.",
                hint="Join from the kernel that joined first, take another name, or have your teacher reset "
                "you.",
            )
        if len(self) >= MOST_STUDENTS:
            raise ClassError(
                f"A class has at most {MOST_STUDENTS} students.",
                hint="Have your teacher reset students who have left.",
            )
        token = secrets.token_urlsafe(32)
        code.left -= 1
        self._joined += 1
        now = time.time()
        student = Student(
            id=f"s{self._joined}", name=name, token_hash=_hash(token), seed=secrets.randbelow(2**31),
            joined=now, seen=now, code=code.hash,
        )  # fmt: skip
        self._add(student)
        self.save()
        return student, token

    def of_token(self, token: str) -> Student | None:
        """Whose token it is."""
        return self._by_token.get(_hash(token))

    def was_reset(self, token: str) -> bool:
        """Whether a token was a student's who was reset since this class began."""
        return _hash(token) in self._reset

    def by_id(self, student: str) -> Student | None:
        """A student by the class's name for them."""
        return self._students.get(student)

    def bind(self, student: Student, coldkey: str, hotkey: str) -> None:
        """Note a student's keys, once.

        Raises:
            ClassError: they are another student's, or this student has others already.
        """
        if (student.coldkey, student.hotkey) == (coldkey, hotkey):
            return
        if student.hotkey:
            raise ClassError("You have a wallet in this class already.", hint="Have your teacher reset you.")
        if any(one.hotkey == hotkey or one.coldkey == coldkey for one in self):
            raise ClassError(
                "These keys are another student's.",
                hint="Join from a home of your own: set SUBNETLAB_HOME before the kernel starts.",
            )
        student.coldkey, student.hotkey = coldkey, hotkey
        self.save()

    def reset(self, student: Student) -> None:
        """Forget a student: the token opens nothing any more, and the name may join again."""
        self._students.pop(student.id, None)
        self._by_token.pop(student.token_hash, None)
        self._reset.add(student.token_hash)
        self.save()

    def save(self) -> None:
        """Write the list down."""
        told = {"joined": self._joined, "students": [asdict(one) for one in self]}
        write_private(self._file, json.dumps(told))

    def _add(self, student: Student) -> None:
        self._students[student.id] = self._by_token[student.token_hash] = student

    def _read(self) -> None:
        try:
            told: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        self._joined = int(told["joined"])
        for row in told["students"]:
            answers = {number: Answered(**given) for number, given in row.pop("answers").items()}
            self._add(Student(**row, answers=answers))


def checked_name(name: str, *, of: str = "A student's name", hint: str = 'Give name="Ada".') -> str:
    """A student's name, or the title of a class, as a page can show it.

    Raises:
        ClassError: it is empty, too long, or holds characters that do not print.
    """
    plain = " ".join(name.split())
    if not plain or len(plain) > _NAME_LETTERS or not plain.isprintable():
        raise ClassError(f"{of} has 1 to {_NAME_LETTERS} letters that print.", hint=hint)
    return plain


def _hash(token: str) -> str:
    return hashlib.sha256(f"class token {token}".encode()).hexdigest()
