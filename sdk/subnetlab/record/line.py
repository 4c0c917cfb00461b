"""One line of a record: what it holds and how it is chained to the line before it.

A line is a JSON object `{"seq", "time", "event", "hash"}`. `hash` is blake2b-256 of the previous line's hash
and this line's bytes up to the hash, so cutting, changing or reordering lines shows. It is no signature:
a writer of the whole file can rewrite the chain; on a network the anchors on chain prove the rounds.
A line is strict JSON: a number that is not finite is written as null and read back as NaN.
"""

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from subnetlab.errors import RecordCorrupt
from subnetlab.record.events import Event, from_json, to_json

FILE_NAME = "record.jsonl"
"""The name of the record inside a run's folder."""

ROOT_HASH = "0" * 64
"""What the first line is chained to."""

_HASH_KEY = b',"hash":"'
_TAIL_SIZE = len(_HASH_KEY) + 64 + len(b'"}')


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line read back; `event` is None where a newer version wrote a kind this one does not know."""

    seq: int
    time: float
    """Unix seconds at which it was appended; never decreases within a record."""
    event: Event | None
    data: dict[str, Any]
    """The event as JSON types, its `kind` included."""
    hash: str


def encode(event: Event, *, seq: int, time: float, previous: str) -> tuple[bytes, Entry]:
    """The line of an event, newline included, and the entry it will be read back as."""
    data = to_json(event)
    content = {"seq": seq, "time": time, "event": data}
    body = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()[:-1]
    digest = _chain(previous, body)
    entry = Entry(seq=seq, time=time, event=event, data=data, hash=digest)
    return body + _HASH_KEY + digest.encode() + b'"}\n', entry


def decode(line: bytes, *, seq: int, previous: str, number: int) -> Entry:
    """Read a whole line back, proving that it follows `previous`.

    Args:
        line: without its newline.
        seq: the sequence number it must carry.
        previous: hash of the line before it, hex.
        number: its line number in the file, for the message.

    Raises:
        RecordCorrupt: it is not the line that was written there.
    """
    body, tail = line[:-_TAIL_SIZE], line[-_TAIL_SIZE:]
    if not tail.startswith(_HASH_KEY) or not tail.endswith(b'"}'):
        raise _corrupt(number, "it does not end in a hash")
    digest = _chain(previous, body)
    if tail[len(_HASH_KEY) : -2] != digest.encode():
        raise _corrupt(number, "its hash does not follow from the line before it")
    try:
        content = json.loads(body + b"}")
        found, time, data = int(content["seq"]), float(content["time"]), content["event"]
        event = from_json(data)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise _corrupt(number, f"it cannot be read ({error})") from error
    if found != seq:
        raise _corrupt(number, f"it says {found} where {seq} comes next")
    return Entry(seq=seq, time=time, event=event, data=data, hash=digest)


def _chain(previous: str, body: bytes) -> str:
    return blake2b(bytes.fromhex(previous) + body, digest_size=32, person=b"subnetlab-record").hexdigest()


def _corrupt(number: int, why: str) -> RecordCorrupt:
    return RecordCorrupt(
        f"Line {number} of the record is not what was written: {why}.",
        hint=f"{_before(number)}; restore the file from a copy to get the rest.",
    )


def _before(number: int) -> str:
    """What of a record is sound up to a line that is not."""
    if number == 1:
        return "It is the first line, so none is intact"
    return "Line 1 is intact" if number == 2 else f"Lines 1 to {number - 1} are intact"
