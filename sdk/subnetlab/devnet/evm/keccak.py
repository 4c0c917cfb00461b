"""Keccak-256, the hash of Ethereum.

Every block's header takes one, and loading the C library takes as long as dozens by Python itself. So the
first are computed here, and a node that is only started loads nothing. Source: the Keccak reference.
"""

from collections.abc import Callable
from typing import Any, Final

EMPTY_CODE_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
"""Of no code."""
FIRST_BY_PYTHON: Final = 8
_MASK = (1 << 64) - 1
_RATE = 136
_DIGEST_BYTES = 32
_ROTATIONS = (
    0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14,
)  # fmt: skip
_ROUND_CONSTANTS = (
    0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000, 0x000000000000808B,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008A, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000A, 0x000000008000808B, 0x800000000000008B, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800A, 0x800000008000000A,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
)  # fmt: skip
_hashed = 0
_library: Callable[..., Any] | None = None


def keccak(data: bytes) -> bytes:
    """The Keccak-256 hash."""
    global _hashed, _library  # noqa: PLW0603 - they decide when the library is worth loading, nothing else
    if _library is None:
        if _hashed < FIRST_BY_PYTHON:
            _hashed += 1
            return by_python(data)
        from Crypto.Hash.keccak import Keccak_Hash  # noqa: PLC0415 - see the module's text

        _library = Keccak_Hash
    return _library(data, digest_bytes=_DIGEST_BYTES, update_after_digest=False).digest()


def by_python(data: bytes) -> bytes:
    """The Keccak-256 hash, without the library."""
    padding = bytearray(_RATE - len(data) % _RATE)
    padding[0] |= 1
    padding[-1] |= 0x80
    padded = data + padding
    lanes = [0] * 25
    for start in range(0, len(padded), _RATE):
        for lane in range(_RATE // 8):
            at = start + 8 * lane
            lanes[lane] ^= int.from_bytes(padded[at : at + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _permuted(lanes: list[int]) -> list[int]:
    """The 24 rounds; the lane of column x and row y is at x + 5y."""
    for constant in _ROUND_CONSTANTS:
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        mixed = [columns[(x + 4) % 5] ^ _rotated(columns[(x + 1) % 5], 1) for x in range(5)]
        moved = [0] * 25
        for at, lane in enumerate(lanes):
            x, y = at % 5, at // 5
            moved[y + 5 * ((2 * x + 3 * y) % 5)] = _rotated(lane ^ mixed[x], _ROTATIONS[at])
        lanes = [
            moved[at] ^ (~moved[at - at % 5 + (at + 1) % 5] & moved[at - at % 5 + (at + 2) % 5] & _MASK)
            for at in range(25)
        ]
        lanes[0] ^= constant
    return lanes


def _rotated(lane: int, by: int) -> int:
    return (lane << by | lane >> 64 - by) & _MASK if by else lane
