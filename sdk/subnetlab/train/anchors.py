"""The one layout of everything a run puts on chain: 72 bytes per hotkey and more, replaced round by round.

A miner commits to its payload, a validator to its round record; both carry the hash they committed before.
A peer whose objects lie in a place of its own adds a length and the locator of that place, under another
magic; a validator whose names in the store were squatted adds 32 bytes: where its list of detours lies.
The chain keeps the last commitment of a hotkey only, so the chain of hashes lives in the store.
"""

import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from subnetlab.store.address import LONGEST_LOCATOR
from subnetlab.train.hashing import SIZE

Who = Literal["miner", "validator"]

_MAGIC: Final = b"SL1"
_LOCATED: Final = b"SL2"
"""The magic where a locator follows."""
_LAYOUT: Final = struct.Struct(f"<3scI{SIZE}s{SIZE}s")
_ROLES: Final[dict[bytes, Who]] = {b"m": "miner", b"v": "validator"}
NOTHING: Final = bytes(SIZE)
"""The previous hash of a first commitment."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What one hotkey has on chain for one round."""

    who: Who
    round: int
    current: bytes
    previous: bytes = NOTHING
    detours: bytes = NOTHING
    """The token of the list of names that this validator had to get round."""
    locator: str = ""
    """Where the hotkey's objects are read, at most `LONGEST_LOCATOR` ASCII bytes; empty if its uid says it.
    Written by a stranger: `store.places.read_place` decides whether it is followed."""

    def to_bytes(self) -> bytes:
        """The bytes of the commitment."""
        place = self.locator.encode("ascii")
        magic = _LOCATED if place else _MAGIC
        fixed = _LAYOUT.pack(magic, self.who[0].encode(), self.round, self.current, self.previous)
        located = bytes([len(place)]) + place if place else b""
        return fixed + located + (b"" if self.detours == NOTHING else self.detours)

    @staticmethod
    def from_bytes(data: bytes) -> "Anchor | None":
        """Read a commitment; None for anything that is not of this layout."""
        if len(data) < _LAYOUT.size:
            return None
        magic, letter, round_, current, previous = _LAYOUT.unpack_from(data)
        if magic not in (_MAGIC, _LOCATED) or letter not in _ROLES:
            return None
        rest, place = data[_LAYOUT.size :], b""
        if magic == _LOCATED:
            length = rest[0] if rest else 0
            place, rest = rest[1 : 1 + length], rest[1 + length :]
            if not 0 < len(place) == length <= LONGEST_LOCATOR or not place.isascii():
                return None
        if len(rest) not in (0, SIZE):
            return None
        return Anchor(_ROLES[letter], round_, current, previous, rest or NOTHING, place.decode("ascii"))


def is_outnumbered(anchor: Anchor, others: Iterable[Anchor]) -> bool:
    """Whether more validators anchored another record of the same round than anchored this one."""
    named = Counter(other.current for other in others if other.round == anchor.round)
    return max(named.values(), default=0) > named[anchor.current]
