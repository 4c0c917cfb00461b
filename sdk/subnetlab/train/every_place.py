"""The places of all peers of a fleet as one store: what a stranger sees who reads the whole of it.

A name that tells whose it is leads into that peer's place alone, so that no other peer can put anything
there; for all others, which are hashes, what all peers have in common comes first, then the places in the
order given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from subnetlab.errors import ObjectMissing
from subnetlab.store.base import MOST_NAMES, Reader, Store
from subnetlab.store.places import Below, Readable

_OF_ONE: Final = frozenset({"sealed", "reveal", "reports"})
"""What `rounds/<round>/<kind>/<uid>/…` is called whose uid says in whose place it lies."""


@dataclass(frozen=True, slots=True)
class EveryPlace:
    """A `Places` over `<root>/<uid>` for the uids of a fleet."""

    root: Store
    uids: Sequence[int]
    """Validators first, in the order in which they lead."""
    locator: str = ""
    own_backing: bool = False

    def put(self, name: str, data: bytes) -> None:
        """Put what all peers start from; see `Store.put`."""
        self.root.put(name, data)

    def get(self, name: str, limit: int) -> bytes:
        """Read an object from the first place that holds it; see `Reader.get`."""
        missing: ObjectMissing | None = None
        for place in self._places(name):
            try:
                return place.get(name, limit)
            except ObjectMissing as error:
                missing = missing or error
        raise missing or ObjectMissing(f"{name!r} lies in no place.")

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        """The names of all places below a prefix; see `Reader.names`."""
        found: set[str] = set()
        for place in self._places(prefix):
            found.update(place.names(prefix, limit))
        return sorted(found)[:limit]

    def of(self, uid: int, locator: str) -> Reader:
        """See `Places.of`."""
        del locator
        return Readable(Below(self.root, str(uid)))

    def _places(self, name: str) -> list[Reader]:
        owner = _owner(name)
        if owner is not None:
            return [self.of(owner, "")]
        return [self.root, *(self.of(uid, "") for uid in self.uids)]


def _owner(name: str) -> int | None:
    """The uid that a name or prefix tells; None for what any peer may have."""
    parts = name.split("/")
    if len(parts) > 3 and parts[0] == "rounds" and parts[2] in _OF_ONE and parts[3].isdigit():
        return int(parts[3])
    return None
