"""The record of one round by one validator: which answers it judged, and what it gave for them.

Canonical JSON under its own hash, linked to the record of the same validator's round before; its hash is
anchored on chain before the round closes. Judges that draw nothing but from the beacon write alike.
"""

import json
import re
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Final

from subnetlab.errors import PayloadRejected
from subnetlab.train.hashing import digest

LIMIT: Final = 1 << 20
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one miner's answers."""

    uid: int
    hotkey: str
    verdict: str
    score: float
    payload_hash: str = ""
    """Of the answers before they were sealed; empty where none could be opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRecord:
    """One round, as one validator judged it."""

    run: str
    """The manifest's hash."""
    round: int
    previous: str
    """The hash of this validator's record before, or zeros."""
    entries: tuple[Entry, ...]
    """In uid order."""

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()

    @property
    def hash(self) -> str:
        """The hash that is anchored on chain, 64 hex digits."""
        return digest("score-record", self.to_bytes()).hex()

    @staticmethod
    def of_hash(hash_: str, data: bytes) -> "ScoreRecord":
        """Read the record of a hash.

        Raises:
            PayloadRejected: it is another one, or none.
        """
        try:
            fields: dict[str, Any] = json.loads(data)
            entries = tuple(Entry(**entry) for entry in fields.pop("entries"))
            record = ScoreRecord(entries=entries, **fields)
            sound = record.hash == hash_ and record.is_sound()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise PayloadRejected("This is no record of scores.", reason="malformed") from error
        if not sound:
            raise PayloadRejected("This is another record of scores.", reason="wrong_hash")
        return record

    def is_sound(self) -> bool:
        """Whether hashes are hashes (they become object names), and numbers are what they should be."""
        hashes = [self.run, self.previous, *(one.payload_hash for one in self.entries if one.payload_hash)]
        uids = [one.uid for one in self.entries]
        return (
            all(_HASH.fullmatch(text) for text in hashes)
            and all(type(number) is int and number >= 0 for number in (self.round, *uids))
            and uids == sorted(set(uids))
            and all(isfinite(one.score) for one in self.entries)
        )

    @property
    def mean(self) -> float | None:
        """The mean score of the miners that were judged; None for a round without any."""
        scores = [one.score for one in self.entries]
        return sum(scores) / len(scores) if scores else None
