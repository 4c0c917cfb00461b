"""The one layout of everything a run puts on chain: 72 bytes per hotkey, replaced round by round.

A miner commits to its payload, a validator to its round record; both carry the hash they committed before.
A validator whose names in the store were squatted adds 32 bytes: where its list of detours lies.
The chain keeps the last commitment of a hotkey only, so the chain of hashes lives in the store.
"""

import struct
from dataclasses import dataclass
from typing import Final, Literal

from subnetlab.train.hashing import SIZE

Who = Literal["miner", "validator"]

_MAGIC: Final = b"SL1"
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

    def to_bytes(self) -> bytes:
        """The bytes of the commitment."""
        fixed = _LAYOUT.pack(_MAGIC, self.who[0].encode(), self.round, self.current, self.previous)
        return fixed if self.detours == NOTHING else fixed + self.detours

    @staticmethod
    def from_bytes(data: bytes) -> "Anchor | None":
        """Read a commitment; None for anything that is not of this layout."""
        if len(data) not in (_LAYOUT.size, _LAYOUT.size + SIZE):
            return None
        magic, letter, round_, current, previous = _LAYOUT.unpack_from(data)
        if magic != _MAGIC or letter not in _ROLES:
            return None
        return Anchor(_ROLES[letter], round_, current, previous, data[_LAYOUT.size :] or NOTHING)
