"""Encrypted keys: one password opens one key, for a while, and every way of not opening it is said."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from subnetlab.errors import KeyLocked, PasswordWrong
from subnetlab.network.keyring import KEEP_S, Keyring, LockedKey, asked_of


class Person:
    """Types what was agreed, and remembers what was asked."""

    def __init__(self, *typed: str) -> None:
        self.typed, self.notes = list(typed), list[str]()

    @contextmanager
    def asking(self, locked: LockedKey[Any]) -> Generator[Callable[[str], str]]:
        assert locked.name == "the coldkey of cold"
        yield self.ask

    def ask(self, note: str) -> str:
        self.notes.append(note)
        return self.typed.pop(0)


def locked(*, place: str = "file", given: str | None = None) -> LockedKey[object]:
    def unlock(password: str) -> object:
        if password != "right":
            raise PasswordWrong("no")
        return object()

    return LockedKey(
        name="the coldkey of cold", place=place, unlock=unlock, variable="VARIABLE", given=lambda: given
    )


@pytest.fixture
def now() -> list[float]:
    return [100.0]


@pytest.fixture
def ring(now: list[float]) -> Keyring:
    return Keyring(clock=lambda: now[0])


def test_a_key_is_asked_for_once_until_it_is_locked_or_its_time_is_over(
    ring: Keyring, now: list[float]
) -> None:
    ring.usual = person = Person(*["right"] * 4)
    key = ring.open(locked())
    now[0] += KEEP_S - 1
    assert ring.open(locked()) is key  # which begins its time anew
    now[0] += KEEP_S - 1
    assert ring.open(locked()) is key
    assert ring.open(locked(place="other")) is not key
    assert ring.lock() == 2
    assert ring.open(locked()) is not key
    now[0] += KEEP_S
    ring.expire()
    assert ring.lock() == 0
    ring.open(locked())
    assert len(person.notes) == 4
    ring.lock()


def test_a_wrong_password_is_said_and_asked_again(ring: Keyring) -> None:
    ring.usual = person = Person("wrong", "right")
    ring.open(locked())
    assert person.notes == ["", "That password does not open it; 4 more may be tried."]
    ring.lock()
    ring.usual = person = Person("wrong", "")
    with pytest.raises(KeyLocked, match="The coldkey of cold stays locked: no password opened it"):
        ring.open(locked())
    ring.usual = Person("")
    with pytest.raises(KeyLocked, match="no password was given"):
        ring.open(locked())


def test_the_place_that_is_open_asks_before_the_usual_one(ring: Keyring) -> None:
    ring.usual, form = Person(), Person("right")
    with asked_of(form):
        ring.open(locked())
    assert form.notes == [""]
    ring.lock()


def test_a_variable_answers_instead_of_a_person(ring: Keyring) -> None:
    ring.usual = Person()
    with pytest.raises(KeyLocked, match="The password in VARIABLE does not open the coldkey of cold"):
        ring.open(locked(given="wrong"))
    ring.open(locked(given="right"))
    ring.lock()


def test_without_a_person_it_says_what_to_do(ring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyLocked, match="in a notebook or a terminal, or set VARIABLE"):
        ring.open(locked())
