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


@dataclass(frozen=True, slots=True)
class Coded:
    """Both streams, and the number of remainder bits."""

    parameter: int
    quotients: NDArray[np.uint8]
    remainders: NDArray[np.uint8]


def gaps_of(offsets_N: NDArray[np.int64], starts_N: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Gaps between ascending offsets; `starts_N` marks the first offset of every chunk."""
    previous_N = np.empty_like(offsets_N)
    previous_N[0] = -1
    previous_N[1:] = offsets_N[:-1]
    previous_N[starts_N] = -1
    return offsets_N - previous_N - 1


def offsets_of(gaps_N: NDArray[np.int64], starts_N: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The offsets that gaps lead to: strictly ascending in each chunk, however hostile the gaps."""
    running_N = np.cumsum(gaps_N + 1)
    first = np.flatnonzero(starts_N)
    before = running_N[first] - gaps_N[first] - 1
    lengths = np.diff(np.append(first, len(gaps_N)))
    return running_N - np.repeat(before, lengths) - 1


def encode(gaps_N: NDArray[np.int64]) -> Coded:
    """Code gaps with the parameter that takes the fewest bits."""
    count = len(gaps_N)
    cost = [int((gaps_N >> p).sum()) + count * (1 + p) for p in range(MAX_PARAMETER + 1)]
    parameter = int(np.argmin(cost))
    quotients_N = gaps_N >> parameter
    ends_N = np.cumsum(quotients_N + 1) - 1
    unary = np.zeros(int(ends_N[-1]) + 1 if count else 0, dtype=np.uint8)
    unary[ends_N] = 1
    remainders_N = gaps_N & ((1 << parameter) - 1)
    fields = (remainders_N[:, None] >> np.arange(parameter, dtype=np.int64)) & 1
    return Coded(parameter, np.packbits(unary), np.packbits(fields.astype(np.uint8).reshape(-1)))


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
    ends_N = np.flatnonzero(unary)
    if len(ends_N) != count:
        raise ValueError(f"{len(ends_N)} gaps where {count} belong")
    if count and len(unary) - int(ends_N[-1]) > 8:
        raise ValueError("bytes after the last gap")
    quotients_N = np.diff(ends_N, prepend=-1) - 1
    fields = np.unpackbits(coded.remainders)
    if fields[count * parameter :].any():
        raise ValueError("bits after the last remainder are set")
    bits = fields[: count * parameter].reshape(count, parameter).astype(np.int64)
    return (quotients_N << parameter) + bits @ (1 << np.arange(parameter, dtype=np.int64))


def remainder_bytes(count: int, parameter: int) -> int:
    """Exact size of the remainder stream."""
    return -(-count * parameter // 8)


def quotient_bytes_limit(chunks: list[tuple[int, int, int]]) -> int:
    """Most bytes the unary stream can take for `(count, size, keep)` groups of chunks, at any parameter."""
    return -(-sum(count * (size + keep) for count, size, keep in chunks) // 8)
