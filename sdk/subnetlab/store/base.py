"""Where payloads travel: create-only objects under names.

An object is written once and never changed, so a reader that knows a hash can trust a name. Two readers of
one name can never see different bytes, and nobody can squat or overwrite.
"""

from typing import Protocol


class Store(Protocol):
    """A folder, a bucket or memory, seen as names and bytes."""

    def put(self, name: str, data: bytes) -> None:
        """Create an object.

        Raises:
            ObjectExists: the name is taken; the old object stays as it was.
            InvalidObjectName: the name is empty, absolute, or climbs out.
            StoreUnreachable: nothing was written.
        """
        ...

    def get(self, name: str, limit: int) -> bytes:
        """Read a whole object of at most `limit` bytes.

        Raises:
            ObjectMissing: no such name.
            ObjectTooLarge: larger than `limit`; nothing was read into memory.
            StoreUnreachable: the store did not answer.
        """
        ...

    def names(self, prefix: str) -> list[str]:
        """All names below a prefix, sorted."""
        ...
