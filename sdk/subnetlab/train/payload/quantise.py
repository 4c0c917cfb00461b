"""Kept values in two bits each: four levels per tensor, each level the mean of the values that it replaces.

Two ways to cut values into four bins. "sigma" is SparseLoCo's released one: bins of 1.5 standard deviations
around the mean. "sign" splits by sign and, within a sign, at the mean magnitude; kept values are large by
choice, so none lie near the middle bins of "sigma".
Shapes: N values, T tensors, 4 levels.
"""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

LEVELS: Final = 4
_FOUR_CODES: Final[NDArray[np.uint8]] = np.array(
    [[byte >> shift & 3 for shift in (0, 2, 4, 6)] for byte in range(256)], dtype=np.uint8
)
"""The codes in every byte."""
Bins = Literal["sigma", "sign"]


def quantise(
    values_N: NDArray[np.float32], tensor_N: NDArray[np.int64], tensors: int, bins: Bins
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Cut values into bins per tensor: codes_N in 0..3 and the levels_T4 that decode them."""
    values = values_N.astype(np.float64)
    codes_N = _by_sigma(values, tensor_N, tensors) if bins == "sigma" else _by_sign(values, tensor_N, tensors)
    cell_N = tensor_N * LEVELS + codes_N
    counts = np.bincount(cell_N, minlength=tensors * LEVELS)
    sums = np.bincount(cell_N, weights=values, minlength=tensors * LEVELS)
    levels = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    return codes_N, levels.astype(np.float32).reshape(tensors, LEVELS)


def restore(
    codes_N: NDArray[np.uint8], tensor_N: NDArray[np.int64], levels_T4: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The values that codes decode to."""
    return levels_T4.reshape(-1)[tensor_N * LEVELS + codes_N]


def pack(codes_N: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Four codes a byte, the first in the lowest bits; the rest of the last byte is zero."""
    padded = np.zeros(-(-len(codes_N) // 4) * 4, dtype=np.uint8)
    padded[: len(codes_N)] = codes_N
    four = padded.reshape(-1, 4)
    packed = four[:, 0] | four[:, 1] << 2 | four[:, 2] << 4 | four[:, 3] << 6
    return packed.astype(np.uint8, copy=False)


def unpack(packed: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """The `count` codes of `pack`.

    Raises:
        ValueError: the length does not fit `count`, or bits after the last code are set.
    """
    if len(packed) != -(-count // 4):
        raise ValueError(f"{len(packed)} bytes do not hold {count} two-bit codes")
    codes = _FOUR_CODES[packed].reshape(-1)
    if codes[count:].any():
        raise ValueError("bits after the last code are set")
    return codes[:count]


def _by_sigma(values: NDArray[np.float64], tensor_N: NDArray[np.int64], tensors: int) -> NDArray[np.uint8]:
    counts = np.maximum(np.bincount(tensor_N, minlength=tensors), 1)
    mean_T = np.bincount(tensor_N, weights=values, minlength=tensors) / counts
    with np.errstate(invalid="ignore"):  # what is no number is refused by validators
        centred = values - mean_T[tensor_N]
        squares = np.bincount(tensor_N, weights=centred**2, minlength=tensors)
        width_T = 6 * np.sqrt(squares / np.maximum(counts - 1, 1)) / LEVELS
        width_T[width_T == 0] = 1.0
        bins_N = np.rint(centred / width_T[tensor_N] + LEVELS / 2)
    return np.clip(np.nan_to_num(bins_N), 0, LEVELS - 1).astype(np.uint8)


def _by_sign(values: NDArray[np.float64], tensor_N: NDArray[np.int64], tensors: int) -> NDArray[np.uint8]:
    counts = np.maximum(np.bincount(tensor_N, minlength=tensors), 1)
    middle_T = np.bincount(tensor_N, weights=np.abs(values), minlength=tensors) / counts
    large_N = np.abs(values) >= middle_T[tensor_N]
    positive_N = values >= 0
    # 3 and 2 for large and small positive values, 0 and 1 for large and small negative ones.
    return positive_N.view(np.uint8) << 1 | (positive_N == large_N).view(np.uint8)
