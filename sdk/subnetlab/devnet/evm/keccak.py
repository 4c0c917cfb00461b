"""Keccak-256, the hash of Ethereum."""

from Crypto.Hash import keccak as _keccak

EMPTY_CODE_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
"""Of no code."""


def keccak(data: bytes) -> bytes:
    """The Keccak-256 hash."""
    return _keccak.new(digest_bits=256, data=data).digest()
