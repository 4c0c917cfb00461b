"""Which names an object may have: relative, lower-case-safe, and never able to leave the store's folder."""

import re
from typing import Final

from subnetlab.errors import InvalidObjectName

LONGEST: Final = 256
_PART: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\Z")


def is_part(text: str) -> bool:
    """Whether a text can be one component of a name, between two slashes."""
    return _PART.match(text) is not None


def is_name(text: str) -> bool:
    """Whether an object may be called so."""
    return len(text) <= LONGEST and all(map(is_part, text.split("/")))


def checked(name: str) -> str:
    """The name itself, if every part of it is a plain word.

    Raises:
        InvalidObjectName: empty, too long, absolute, climbing, hidden, or with characters that some store
            or file system would read differently.
    """
    if not is_name(name):
        raise InvalidObjectName(
            f"{name[:60]!r} cannot name an object.", hint="Use letters, digits, '.', '_', '-' and '/'."
        )
    return name
