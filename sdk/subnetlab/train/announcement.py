"""The owner's commitment: which run a subnet trains, where its objects lie, and how many of its rounds count.

It has the place of an anchor on the owner's hotkey, so that a stranger with endpoint and netuid finds the
run. Announcing the same manifest again with fewer rounds ends the run after those. What the manifest says
is not read here.
"""

import struct
from dataclasses import dataclass, replace
from typing import Final

from subnetlab.errors import ArgumentInvalid
from subnetlab.train.hashing import SIZE

_LAYOUT: Final = struct.Struct(f"<3scI{SIZE}s")
_MAGIC: Final = b"SL1"
_OWNER: Final = b"o"
MOST_BYTES: Final = 384
"""Of a commitment on chain."""
MOST_LOCATOR_BYTES: Final = MOST_BYTES - _LAYOUT.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What an owner has on chain."""

    manifest: bytes
    """The hash of the run's manifest."""
    rounds: int
    """How many rounds count: those of the manifest, or fewer where the owner ends the run."""
    store: str
    """Where the run's objects lie, as `store.open_store` takes it."""

    def to_bytes(self) -> bytes:
        """The bytes of the commitment.

        Raises:
            ArgumentInvalid: the store's address is too long for a commitment.
        """
        locator = self.store.encode()
        if len(locator) > MOST_LOCATOR_BYTES:
            raise ArgumentInvalid(
                f"The store's address has {len(locator)} bytes; a commitment on chain holds "
                f"{MOST_LOCATOR_BYTES}.",
                hint="Give a shorter address.",
            )
        return _LAYOUT.pack(_MAGIC, _OWNER, self.rounds, self.manifest) + locator

    @staticmethod
    def from_bytes(data: bytes) -> "Announcement | None":
        """Read a commitment; None for anything that is not of this layout."""
        if not _LAYOUT.size <= len(data) <= MOST_BYTES:
            return None
        magic, letter, rounds, manifest = _LAYOUT.unpack_from(data)
        if magic != _MAGIC or letter != _OWNER:
            return None
        try:
            locator = data[_LAYOUT.size :].decode()
        except UnicodeDecodeError:
            return None
        return (
            Announcement(manifest=manifest, rounds=rounds, store=locator) if locator.isprintable() else None
        )

    def ending_after(self, rounds: int) -> "Announcement":
        """The same run with so many rounds."""
        return replace(self, rounds=rounds)
