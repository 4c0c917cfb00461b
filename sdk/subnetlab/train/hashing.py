"""Every hash of a run, each in its own domain, so that no hash can be taken for one of another kind.

blake2b with 32 bytes throughout; parts are length-prefixed, so no two lists of parts share a hash.
"""

import hashlib
from typing import Final

SIZE: Final = 32


def digest(domain: str, *parts: bytes | str | int) -> bytes:
    """The 32-byte hash of `parts` under `domain`; integers count as their decimal text."""
    state = hashlib.blake2b(digest_size=SIZE, person=_person(domain))
    for part in parts:
        raw = part if isinstance(part, bytes) else str(part).encode()
        state.update(len(raw).to_bytes(8, "little"))
        state.update(raw)
    return state.digest()


def stream(domain: str, count: int, *parts: bytes | str | int) -> bytes:
    """`count` reproducible bytes, unpredictable without every part (SHAKE-256)."""
    return hashlib.shake_256(digest(domain, *parts)).digest(count)


def _person(domain: str) -> bytes:
    raw = f"sl/{domain}".encode()
    if len(raw) > hashlib.blake2b.PERSON_SIZE:
        raise ValueError(f"the hash domain {domain!r} is longer than 13 letters")
    return raw
