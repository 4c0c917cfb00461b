"""The record of one round: who was accepted, what everyone applies, and what came before.

Canonical JSON under its own hash. Who published it is not in it but on chain: validators that judge alike
write the same record, so the next in order can replace a lead that is gone.
"""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from subnetlab.errors import PayloadRejected
from subnetlab.train.hashing import canonical_json, digest
from subnetlab.units import U16_MAX

LIMIT: Final = 1 << 18
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One payload that went into the aggregate."""

    uid: int
    hotkey: str
    payload_hash: str
    commitment: str
    block: int
    """The block that holds the commitment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRecord:
    """Hash-linked to the record of the last round that had one."""

    run: str
    """The manifest's hash."""
    round: int
    previous: str
    accepted: tuple[Accepted, ...]
    """In uid order, the order of aggregation; empty if no payload was accepted, and θ stays."""
    aggregate_hash: str
    """Of the aggregate object's bytes; empty if no payload was accepted."""
    theta_before: str
    theta_after: str
    checkpoint: str = ""
    """Of the checkpoint object's bytes; empty in rounds after which none is due, and not written then."""

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        fields = asdict(self)
        if not self.checkpoint:
            del fields["checkpoint"]
        return canonical_json(fields)

    @property
    def hash(self) -> str:
        """The hash that is anchored on chain, 64 hex digits."""
        return digest("round-record", self.to_bytes()).hex()

    @staticmethod
    def from_bytes(data: bytes) -> "RoundRecord":
        """Read a record.

        Raises:
            PayloadRejected: not a record.
        """
        try:
            fields: dict[str, Any] = json.loads(data)
            accepted = tuple(Accepted(**entry) for entry in fields.pop("accepted"))
            record = RoundRecord(accepted=accepted, **fields)
            sound = record.to_bytes() == data and record.is_sound()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise PayloadRejected("This is no round record.", reason="malformed") from error
        if not sound:
            raise PayloadRejected("This round record is not in its canonical form.", reason="malformed")
        return record

    @staticmethod
    def of_hash(hash_: str, data: bytes) -> "RoundRecord":
        """Read the record of a hash.

        Raises:
            PayloadRejected: not a record, or another one.
        """
        record = RoundRecord.from_bytes(data)
        if record.hash != hash_:
            raise PayloadRejected("This is another round's record.", reason="wrong_hash")
        return record

    def is_sound(self) -> bool:
        """Whether hashes, uids and hotkeys (they name objects) are such, and in the order of aggregation."""
        hashes = [self.run, self.previous, self.theta_before, self.theta_after]
        hashes += [self.aggregate_hash] if self.accepted else []
        hashes += [self.checkpoint] if self.checkpoint else []
        hashes += [text for entry in self.accepted for text in (entry.payload_hash, entry.commitment)]
        uids = [entry.uid for entry in self.accepted]
        integers = [self.round, *uids, *(entry.block for entry in self.accepted)]
        return (
            all(_HASH.fullmatch(text) for text in hashes)
            and all(type(number) is int and number >= 0 for number in integers)
            and all(uid <= U16_MAX for uid in uids)
            and all(type(entry.hotkey) is str and entry.hotkey.isascii() for entry in self.accepted)
            and uids == sorted(set(uids))
            and (bool(self.accepted) or not self.aggregate_hash)
        )


def aggregate_hash(data: bytes) -> str:
    """The hash of an aggregate object."""
    return digest("aggregate", data).hex()
