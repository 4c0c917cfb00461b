"""The largest values of every row of a matrix, exactly, a millisecond per million values.

Shapes: C rows (chunks), S values a row, K kept a row, N candidates of all rows.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_GROUPS = 4
"""Groups of values for each that is kept: the first look takes only the maximum of every group."""


def largest_of(magnitude_CS: Tensor, keep: int) -> NDArray[np.int64]:
    """Columns of the `keep` largest of every row, ascending; values are 0 or more.

    The keep-th largest of the maxima of small groups is a bound that all wanted values reach and few others:
    only those few are compared exactly.
    """
    count, size = magnitude_CS.shape
    fold = divisor(size, max(1, size // (_GROUPS * keep)))
    maxima = magnitude_CS.view(count, fold, size // fold).amax(1).numpy()
    maxima.sort(axis=1)  # sorting short rows is faster than partitioning them
    magnitudes = magnitude_CS.numpy()
    place_N = _places(magnitudes >= maxima[:, size // fold - keep, None])
    starts_C = np.arange(count + 1) * size
    values_C = np.diff(np.searchsorted(place_N, starts_C))
    value_N = magnitudes.reshape(-1)[place_N]
    least_C, clear_C = _least(value_N, values_C, keep)
    chosen_N = value_N >= np.repeat(least_C, values_C)
    if clear_C.all():
        return place_N[chosen_N].reshape(count, keep) - starts_C[:-1, None]
    columns = np.empty((count, keep), dtype=np.int64)
    chosen_N &= np.repeat(clear_C, values_C)
    columns[clear_C] = place_N[chosen_N].reshape(-1, keep) - starts_C[:-1][clear_C, None]
    columns[~clear_C] = _exactly(magnitude_CS[torch.from_numpy(~clear_C)], keep)
    return columns


def divisor(number: int, at_most: int) -> int:
    """The largest divisor up to a bound."""
    return next(d for d in range(min(number, at_most), 0, -1) if number % d == 0)


def _least(
    value_N: NDArray[np.float32], values_C: NDArray[np.int64], keep: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The keep-th largest value of every row, and whether exactly `keep` values of the row reach it.

    They do not where the last place is tied, or where values are not finite.
    """
    count, widest = len(values_C), max(keep + 1, int(values_C.max()))
    # Left-aligned, padded with -1, which is below every magnitude.
    before_C = np.cumsum(values_C) - values_C
    place_N = np.arange(len(value_N)) + np.repeat(np.arange(count) * widest - before_C, values_C)
    aligned = np.full(count * widest, -1.0, dtype=np.float32)
    aligned[place_N] = value_N
    aligned = aligned.reshape(count, widest)
    aligned.sort(axis=1)
    least_C = aligned[:, widest - keep]
    return least_C, (least_C >= 0) & (aligned[:, widest - keep - 1] < least_C)


def _places(few: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where a mask is set of which few is: eight values of nothing are passed over at a time."""
    flat = few.reshape(-1)
    if len(flat) % 8:
        return np.flatnonzero(flat)
    eights = flat.view(np.uint64)
    eight_N = np.flatnonzero(eights != 0)
    place_N = np.flatnonzero(eights[eight_N].view(np.bool_))
    return (eight_N[place_N >> 3] << 3) + (place_N & 7)


def _exactly(magnitude_CS: Tensor, keep: int) -> NDArray[np.int64]:
    found = torch.topk(magnitude_CS, keep, dim=1, sorted=False).indices
    return np.sort(found.numpy(), axis=1)
