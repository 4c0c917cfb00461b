"""The classes that this user joined: who one is there, by the class's address.

Joining keeps a file for each class below SubnetLab's home; what talks to a class's server finds its token
here by the address it is about to talk to, so that no token is an argument, part of an address, or printed.
Reads only; `lab.class_files` writes.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from subnetlab.errors import NotInClass
from subnetlab.settings import home

TOKEN_HEADER: Final = "X-SubnetLab-Token"  # noqa: S105 - the name of a header
"""Not `Authorization`, which a hub or proxy in between takes for its own."""
FILE: Final = "membership.json"
_WEB: Final = {"ws": "http", "wss": "https"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """One student in one class."""

    address: str
    """The class's server as it calls itself, `https://host/prefix`, without a slash at the end."""
    asked: str
    """The address that was typed to join."""
    student: str
    """The class's name for this student, such as `s3`: the name of the place in the store."""
    name: str
    """What the student is called on the board."""
    token: str = field(repr=False)
    netuid: int
    seed: int
    """The student's own, for data and models that differ from student to student."""
    wallet: str
    """The name of the wallet that was made for this class."""

    @property
    def chain(self) -> str:
        """The endpoint of the class's chain."""
        return f"{_with_scheme(self.address)}/chain"

    @property
    def place(self) -> str:
        """Where this student alone writes objects, and everyone reads them."""
        return f"{self.address}/objects/{self.student}"


def classes_folder() -> Path:
    """One folder a class that was joined."""
    return home() / "classes"


def folder_of(address: str) -> Path:
    """The folder of a class by its address."""
    return classes_folder() / hashlib.sha256(address.encode()).hexdigest()[:12]


def joined() -> list[Membership]:
    """Every class that was joined and can be read, the one that was joined last at the end."""
    root = classes_folder()
    files = sorted(root.glob(f"*/{FILE}"), key=_joined_at) if root.is_dir() else []
    return [found for found in map(_read, files) if found is not None]


def membership_for(url: str) -> Membership | None:
    """Who one is at the server of an address: of the class itself, or of anything below it."""
    scheme, _, rest = url.partition("://")
    below = f"{_WEB.get(scheme, scheme)}://{rest}"
    fits = [one for one in joined() if below == one.address or below.startswith(f"{one.address}/")]
    return max(fits, key=lambda one: len(one.address), default=None)


def membership_at(address: str) -> Membership | None:
    """Who one is in the class that was joined by an address."""
    return next((one for one in joined() if address in (one.address, one.asked)), None)


def headers_for(url: str) -> dict[str, str]:
    """The header that says who one is at an address; none where no class was joined there."""
    found = membership_for(url)
    return {TOKEN_HEADER: found.token} if found else {}


def not_in_class(member: Membership) -> NotInClass:
    """The error of a student whose token opens nothing any more."""
    return NotInClass(
        f"The class at {member.asked} does not know you any more: you were reset, or another class began.",
        hint=f'Your teacher gives a code: sl.connect("{member.asked}", code="…", name="{member.name}").',
    )


def wallet_text(student: str, coldkey: str, hotkey: str) -> bytes:
    """What a hotkey signs to prove to a class that a student holds it."""
    return f"subnetlab class: {student} works with {hotkey} of {coldkey}".encode()


def _with_scheme(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{'wss' if scheme == 'https' else 'ws'}://{rest}"


def _joined_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read(path: Path) -> Membership | None:
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told, dict):
            return None
        return Membership(**cast("dict[str, Any]", told))
    except (OSError, ValueError, TypeError):
        return None
