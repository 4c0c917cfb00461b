"""Sorted offsets as Rice-coded gaps: about 7.5 bits for each of 64 offsets in 4096, where 12 would be plain.

A gap is the distance to the previous offset of the same chunk minus one, so equal or descending offsets
cannot even be written. Quotients travel as a unary bit stream, remainders as a stream of fixed-width fields,
which makes both directions vector operations. Golomb 1966, Rice 1979.
N offsets.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_PARAMETER: Final = 12
_BITS: Final = np.arange(MAX_PARAMETER, dtype=np.uint16)
_REVERSED: Final[NDArray[np.uint16]] = (
    (np.arange(1 << MAX_PARAMETER, dtype=np.uint16)[:, None] >> _BITS & 1) << _BITS[::-1]
).sum(axis=1, dtype=np.uint16)
"""Every remainder with its bits in the opposite order."""


@dataclass(frozen=True, slots=True)
class Coded:
    """Both streams, and the number of remainder bits."""

    parameter: int
    quotients: NDArray[np.uint8]
    remainders: NDArray[np.uint8]


def gaps_of(offsets_N: NDArray[np.int64], starts_N: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Gaps between ascending offsets; `starts_N` marks the first offset of every chunk."""
    gaps_N = offsets_N.copy()
    gaps_N[1:] -= offsets_N[:-1]
    gaps_N -= 1
    gaps_N[starts_N] = offsets_N[starts_N]
    return gaps_N


def offsets_of(gaps_N: NDArray[np.int64], starts_N: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The offsets that gaps lead to: strictly ascending in each chunk, however hostile the gaps."""
    running_N = np.cumsum(gaps_N + 1)
    first = np.flatnonzero(starts_N)
    before = running_N[first] - gaps_N[first]
    running_N -= np.repeat(before, np.diff(first, append=len(gaps_N)))
    return running_N


def encode(gaps_N: NDArray[np.int64]) -> Coded:
    """Code gaps with the parameter that takes the fewest bits."""
    parameter = _shortest(gaps_N)
    ends_N = np.cumsum((gaps_N >> parameter) + 1)
    unary = np.zeros(int(ends_N[-1]) + 1 if len(gaps_N) else 1, dtype=np.uint8)
    unary[ends_N] = 1  # one place late, because a sum counts and a place begins at 0
    return Coded(parameter, np.packbits(unary[1:]), _packed(gaps_N & ((1 << parameter) - 1), parameter))


def decode(coded: Coded, count: int) -> NDArray[np.int64]:
    """The `count` gaps of `encode`.

    Raises:
        ValueError: not the one way in which `encode` writes `count` gaps with this parameter.
    """
    parameter = coded.parameter
    if not 0 <= parameter <= MAX_PARAMETER:
        raise ValueError(f"{parameter} is no Rice parameter")
    if len(coded.remainders) != remainder_bytes(count, parameter):
        raise ValueError(f"{len(coded.remainders)} bytes do not hold {count} remainders")
    unary = np.unpackbits(coded.quotients)
    ends_N = np.flatnonzero(unary.view(np.bool_))
    if len(ends_N) != count:
        raise ValueError(f"{len(ends_N)} gaps where {count} belong")
    if count and len(unary) - int(ends_N[-1]) > 8:
        raise ValueError("bytes after the last gap")
    remainders = _unpacked(coded.remainders, parameter, count)
    if remainders[count:].any():
        raise ValueError("bits after the last remainder are set")
    gaps_N = ends_N.copy()
    gaps_N[1:] -= ends_N[:-1]
    gaps_N[1:] -= 1
    gaps_N <<= parameter
    gaps_N |= remainders[:count]
    return gaps_N


def remainder_bytes(count: int, parameter: int) -> int:
    """Exact size of the remainder stream."""
    return -(-count * parameter // 8)


def quotient_bytes_limit(chunks: list[tuple[int, int, int]]) -> int:
    """Most bytes the unary stream can take for `(count, size, keep)` groups of chunks, at any parameter."""
    return -(-sum(count * (size + keep) for count, size, keep in chunks) // 8)


def _shortest(gaps_N: NDArray[np.int64]) -> int:
    """The parameter with which gaps take the fewest bits, the smallest of several.

    A gap's quotient is the number of multiples of 2^p, from one on, that it reaches; so one histogram tells
    the sum of the quotients for every p.
    """
    count, span = len(gaps_N), 1 << MAX_PARAMETER
    beyond = int((gaps_N >> MAX_PARAMETER).sum())
    reach = count - np.cumsum(np.bincount(gaps_N & (span - 1), minlength=span))
    """How many of the lower bits are larger than 0, 1, 2, …"""
    cost = [
        int(reach[(1 << p) - 1 :: 1 << p].sum()) + (beyond << (MAX_PARAMETER - p)) + count * (1 + p)
        for p in range(MAX_PARAMETER + 1)
    ]
    return int(np.argmin(cost))


def _packed(fields_N: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """Fields of `width` bits one after the other, the lowest bit first; the rest of the last byte is zero.

    Eight fields fill `width` whole bytes, so each byte of eight is made for all of them at once.
    """
    eights = -(-len(fields_N) // 8)
    padded = np.zeros(8 * eights, dtype=np.uint16)
    padded[: len(fields_N)] = _REVERSED[fields_N] >> MAX_PARAMETER - width
    fields = np.ascontiguousarray(padded.reshape(eights, 8).T)
    octets = np.zeros((width, eights), dtype=np.uint8)
    for place, octet, shift in _overlaps(width):
        part = fields[place] << shift if shift >= 0 else fields[place] >> -shift
        octets[octet] |= part.astype(np.uint8)
    return octets.T.reshape(-1)[: remainder_bytes(len(fields_N), width)]


def _unpacked(packed: NDArray[np.uint8], width: int, count: int) -> NDArray[np.uint16]:
    """The `count` fields of `_packed`, and those that are left of the last eight."""
    eights = -(-count // 8)
    padded = np.zeros(eights * width, dtype=np.uint16)
    padded[: len(packed)] = packed
    octets = np.ascontiguousarray(padded.reshape(eights, width).T)
    fields = np.zeros((8, eights), dtype=np.uint16)
    for place, octet, shift in _overlaps(width):
        fields[place] |= octets[octet] >> shift if shift >= 0 else octets[octet] << -shift
    fields &= (1 << width) - 1
    return _REVERSED[fields.T.reshape(-1)] >> np.uint16(MAX_PARAMETER - width)


def _overlaps(width: int) -> list[tuple[int, int, int]]:
    """Which of eight fields lies in which of their bytes, and how far left of its lowest bit there."""
    return [
        (place, octet, 8 * (octet + 1) - width * (place + 1))
        for place in range(8 if width else 0)
        for octet in range(place * width // 8, -(-(place + 1) * width // 8))
    ]
