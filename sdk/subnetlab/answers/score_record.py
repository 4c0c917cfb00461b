"""The record of one round by one validator: which answers it judged, and what it gave for them.

Canonical JSON under its own hash, linked to the record of the same validator's round before; its hash is
anchored on chain before the round closes. Judges that draw nothing but from the beacon write alike. The
ratings that follow from the scores are here too.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any, Final

from subnetlab.errors import PayloadRejected
from subnetlab.train.hashing import canonical_json, digest

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
        return canonical_json(asdict(self))

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


@dataclass(slots=True)
class Ratings:
    """What one validator thinks of miners, by uid: a mean of scores that forgets, and weights from it.

    A miner that joins late begins with its first score, taken whole. Weights are the ratings' shares, so that
    pay follows the scores in proportion.
    """

    decay: float
    of: dict[int, float] = field(default_factory=dict[int, float])

    def update(self, scores: Mapping[int, float]) -> None:
        """Take in a round; a miner of which nothing came has 0."""
        for uid, score in scores.items():
            old = self.of.get(uid)
            self.of[uid] = score if old is None else self.decay * old + (1 - self.decay) * score

    def weights(self) -> dict[int, float]:
        """Shares that add up to 1, or all zero if no miner earned anything."""
        total = sum(self.of.values())
        return {uid: rating / total if total > 0 else 0.0 for uid, rating in self.of.items()}
