"""Where payloads travel: create-only objects under names.

An object is written once and never changed, so a reader that knows a hash can trust a name. Two readers of
one name can never see different bytes, and no writer can squat or overwrite. What a peer puts below the store
by other means costs its own names alone: it is never an error of the whole store.
"""

from typing import Final, Protocol

MOST_NAMES: Final = 10_000
"""Entries below one prefix that are looked at; a peer puts one object of a kind there in a round."""


class Reader(Protocol):
    """The half of a store that every peer has of another peer's place."""

    def get(self, name: str, limit: int) -> bytes:
        """Read a whole object of at most `limit` bytes.

        Raises:
            ObjectMissing: no such name, or what has it is no object.
            ObjectTooLarge: larger than `limit`; no more than that was read into memory.
            StoreUnreachable: the store did not answer.
        """
        ...

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        """The names below a prefix, sorted; at most `limit` entries are looked at, foreign ones included.

        Raises:
            StoreUnreachable: the store did not answer, or keeps no list.
        """
        ...


class Store(Reader, Protocol):
    """A folder, a bucket or memory, seen as names and bytes."""

    def put(self, name: str, data: bytes) -> None:
        """Create an object.

        Raises:
            ObjectExists: the name is taken; the old object stays as it was.
            InvalidObjectName: the name is empty, absolute, or climbs out.
            StoreUnreachable: nothing was written, as far as the store says.
        """
        ...
