"""Keys that are encrypted on disk, opened by a password that a person types, and kept in memory for a while.

The password of a key is asked for when the key is about to sign; the key then stays open for fifteen minutes
after its last use, or until `KEYRING.lock()`. It is held here alone, so that forgetting it is one act; memory
that was freed is not overwritten. Who is asked is a seam: `Typed` asks at the terminal or in the
notebook's input line, the widgets ask in the page. No password is part of a state, an error or a log.
"""

import getpass
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from subnetlab.errors import KeyLocked, PasswordWrong
from subnetlab.network.confirm import can_ask
from subnetlab.text import capitalised

KEEP_S: Final = 900.0
"""How long a key stays open after it has signed."""
_TRIES: Final = 5
"""So many passwords may be wrong in a row; guessing starts anew with another cell."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedKey(Generic[T]):
    """An encrypted key, and what opens it."""

    name: str
    """In words, such as `the coldkey of alice`."""
    place: str
    """What tells it from every other key, such as its file."""
    unlock: Callable[[str], T]
    """Opens it with a password; raises `PasswordWrong`."""
    variable: str
    """The environment variable that may hold the password instead of a person."""
    given: Callable[[], str | None]
    """What that variable holds."""


class AskPassword(Protocol):
    """Who is asked for a password."""

    def asking(self, locked: LockedKey[Any]) -> AbstractContextManager[Callable[[str], str]]:
        """Ask for one key for as long as the block lasts, by the function that it yields.

        That function takes what was wrong with the last password, empty at first, and returns the one that a
        person typed; empty where the person would rather not. It raises `KeyLocked` where no person can be
        asked, or none has answered in time.
        """
        ...


class Typed:
    """Ask at the terminal, or in the notebook's input line, where what is typed is hidden."""

    @contextmanager
    def asking(self, locked: LockedKey[Any]) -> Generator[Callable[[str], str]]:
        """Show what is asked and wait for the line.

        Raises:
            KeyLocked: no person can answer here.
        """
        if not can_ask():
            raise headless(locked)

        def ask(note: str) -> str:
            try:
                return getpass.getpass(f"{note} Password of {locked.name}: ".lstrip())
            except (EOFError, OSError, RuntimeError):  # such as a notebook that runs without a front end
                raise headless(locked) from None

        yield ask


def headless(locked: LockedKey[Any]) -> KeyLocked:
    """The error that says that no person was there to ask."""
    return KeyLocked(
        f"{capitalised(locked.name)} is encrypted, and no person can be asked for its password here.",
        hint=f"Run it in a notebook or a terminal, or set {locked.variable} for this process.",
    )


_ASKED: ContextVar[AskPassword | None] = ContextVar("subnetlab_password", default=None)


@contextmanager
def asked_of(asked: AskPassword) -> Generator[None]:
    """Ask there for what this context opens, such as in the form whose button was clicked."""
    before = _ASKED.set(asked)
    try:
        yield
    finally:
        _ASKED.reset(before)


class Keyring:
    """The open keys of this process.

    Args:
        keep_s: how long a key stays open after its last use.
        clock: seconds that only grow.
    """

    def __init__(self, *, keep_s: float = KEEP_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.usual: AskPassword = Typed()
        """Who is asked where no form asks itself."""
        self._keep_s, self._clock = keep_s, clock
        self._lock = threading.Lock()
        self._keys: dict[str, tuple[Any, float]] = {}
        self._timer: threading.Timer | None = None

    def open(self, locked: "LockedKey[T]") -> T:
        """A key, opened with its password unless it is open already.

        Raises:
            KeyLocked: no password was given, or none that opens it.
        """
        found = self._found(locked.place)
        if found is None:
            found = self._opened(locked)
        self._keep(locked.place, found)
        return found

    def lock(self) -> int:
        """Forget every open key; how many there were. The next signature asks for its password again."""
        with self._lock:
            count = len(self._keys)
            self._keys.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        return count

    def _opened(self, locked: "LockedKey[T]") -> T:
        given = locked.given()
        if given:
            try:
                return locked.unlock(given)
            except PasswordWrong:
                raise KeyLocked(f"The password in {locked.variable} does not open {locked.name}.") from None
        asked, note = _ASKED.get() or self.usual, ""
        with asked.asking(locked) as ask:
            for left in range(_TRIES - 1, -1, -1):
                typed = ask(note)
                if not typed:
                    break
                try:
                    return locked.unlock(typed)
                except PasswordWrong:
                    note = f"That password does not open it; {left} more may be tried."
        said = "no password opened it" if note else "no password was given"
        raise KeyLocked(f"{capitalised(locked.name)} stays locked: {said}.")

    def _found(self, place: str) -> Any:
        with self._lock:
            found, until = self._keys.get(place, (None, 0.0))
            if self._clock() < until:
                return found
            self._keys.pop(place, None)
            return None

    def _keep(self, place: str, key: Any) -> None:
        with self._lock:
            self._keys[place] = (key, self._clock() + self._keep_s)
            self._wake()

    def _wake(self) -> None:
        # One thread at a time waits for the next key whose time is over.
        if self._timer is None:
            self._timer = threading.Timer(self._keep_s, self.expire)
            self._timer.daemon = True
            self._timer.name = "subnetlab-keyring"
            self._timer.start()

    def expire(self) -> None:
        """Forget the keys whose time is over."""
        with self._lock:
            now = self._clock()
            self._keys = {place: kept for place, kept in self._keys.items() if now < kept[1]}
            self._timer = None
            if self._keys:
                self._wake()


KEYRING = Keyring()
"""The keys of this process: a key is of a file, not of one network."""
