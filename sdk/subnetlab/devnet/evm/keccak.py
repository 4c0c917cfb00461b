"""Keccak-256, the hash of Ethereum, which pads otherwise than the standard library's SHA-3.

Every block's header takes one. The C module `sha3` loads at once and has wheels for Linux alone; elsewhere
pycryptodome hashes the same, and is loaded with the first header. Source: the Keccak reference.
"""

from typing import Any

try:
    from sha3 import keccak_256
except ImportError:
    keccak_256 = None

EMPTY_CODE_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
"""Of no code."""


def by_pycryptodome(data: bytes) -> bytes:
    """The Keccak-256 hash without the module `sha3`."""
    from Crypto.Hash import keccak as library  # noqa: PLC0415 - it parses declarations of C for 20 ms

    hashed: Any = library.new(digest_bits=256, data=data)
    return hashed.digest()


def keccak(data: bytes) -> bytes:
    """The Keccak-256 hash."""
    return by_pycryptodome(data) if keccak_256 is None else keccak_256(data).digest()
