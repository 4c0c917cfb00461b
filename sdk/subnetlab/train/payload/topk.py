"""The largest values of every chunk of θ, exactly, a few milliseconds per million parameters.

SparseLoCo (arXiv 2508.15706) keeps k of each chunk of 4096; as its released code does, matrices are
cut into blocks of at most 64 x 64. Tensors of other ranks are read as (first dimension, rest); vectors in
runs of at most 4096. Smaller chunks keep the same share, at least one value.
Shapes: C chunks, S values a chunk, K kept a chunk, N kept in all, P parameters.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.train.theta import Layout

_FOLD = 8
"""Chunk values per group of which the first look takes only the maximum."""
_SLAB = 1 << 17
"""Values looked at in one go, few enough to stay in a core's own cache."""


@dataclass(frozen=True, slots=True)
class Group:
    """Chunks of one size; they lie next to each other in chunk order."""

    size: int
    keep: int
    count: int
    start: int
    """Position of the first chunk in chunk order."""


@dataclass(frozen=True, slots=True)
class _Block:
    """How one tensor is cut: blocks of `height` x `width`."""

    tensor: int
    rows: int
    cols: int
    height: int
    width: int
    offset: int
    """Where the tensor begins in θ."""


class Chunks:
    """How θ of one layout is cut into chunks."""

    def __init__(self, layout: Layout, keep: int, chunk: int) -> None:
        """Cut for `keep` values of each `chunk` parameters."""
        side = math.isqrt(chunk)
        blocks = [
            _cut(index, shape, start, side, chunk)
            for index, ((_, shape), (start, _)) in enumerate(zip(layout.tensors, layout.spans(), strict=True))
        ]
        blocks.sort(key=lambda block: -block.height * block.width)
        self.blocks = blocks
        self.size = layout.size
        self.groups = _grouped(blocks, keep, chunk)
        self.kept = sum(group.keep * group.count for group in self.groups)
        self._describe_chunks()

    def arrange(self, vector_P: Tensor) -> Tensor:
        """Copy θ-ordered values into chunk order."""
        return self.add_to(torch.zeros(self.size), vector_P)

    def add_to(self, chunked_P: Tensor, vector_P: Tensor) -> Tensor:
        """Add θ-ordered values in place to values in chunk order."""
        for there, here in self._alike(chunked_P, vector_P):
            there.add_(here)
        return chunked_P

    def in_theta_order(self, chunked_P: Tensor) -> Tensor:
        """Copy values in chunk order into θ's order."""
        vector_P = torch.empty(self.size)
        for there, here in self._alike(chunked_P, vector_P):
            here.copy_(there)
        return vector_P

    def _alike(self, chunked_P: Tensor, vector_P: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Views of the same parameters in chunk order and in θ's."""
        start = 0
        for b in self.blocks:
            end = start + b.rows * b.cols
            there = chunked_P[start:end].view(b.rows // b.height, b.cols // b.width, b.height, b.width)
            here = vector_P[b.offset : b.offset + b.rows * b.cols]
            here = here.view(b.rows // b.height, b.height, b.cols // b.width, b.width)
            yield there, here.permute(0, 2, 1, 3)
            start = end

    def largest(self, chunked_P: Tensor) -> NDArray[np.int64]:
        """Offsets inside their chunks of the kept values, ascending within each chunk, chunk after chunk."""
        parts: list[NDArray[np.int64]] = []
        for g in self.groups:
            matrix_CS = chunked_P[g.start : g.start + g.size * g.count].view(g.count, g.size)
            rows = max(1, _SLAB // g.size)
            slabs = (matrix_CS[first : first + rows] for first in range(0, g.count, rows))
            parts += [largest_of_rows(slab_CS, g.keep).reshape(-1) for slab_CS in slabs]
        return np.concatenate(parts)

    def in_chunk_order(self, offsets_N: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions of kept values in chunk order."""
        return self.first_N + offsets_N

    def in_theta(self, offsets_N: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions of kept values in θ."""
        row_N, col_N = np.divmod(offsets_N, self.width_N)
        return self.base_N + row_N * self.cols_N + col_N

    def _describe_chunks(self) -> None:
        """Lay out, once, everything about kept value n that depends on its chunk alone."""
        first: list[NDArray[np.int64]] = []
        fields: list[NDArray[np.int64]] = []
        start = 0
        for b in self.blocks:
            down, across = b.rows // b.height, b.cols // b.width
            i, j = np.divmod(np.arange(down * across, dtype=np.int64), across)
            chunk = b.height * b.width
            first.append(start + chunk * np.arange(down * across, dtype=np.int64))
            base = b.offset + i * b.height * b.cols + j * b.width
            same = np.ones_like(base)
            fields.append(np.stack([base, same * b.cols, same * b.width, same * b.tensor, same * chunk]))
            start += b.rows * b.cols
        keep_of = {group.size: group.keep for group in self.groups}
        chunk_fields = np.concatenate(fields, axis=1)
        keeps = np.array([keep_of[size] for size in chunk_fields[4].tolist()], dtype=np.int64)
        self.first_N = np.repeat(np.concatenate(first), keeps)
        self.base_N, self.cols_N, self.width_N, self.tensor_N, self.chunk_N = np.repeat(
            chunk_fields, keeps, axis=1
        )
        self.starts_N = np.zeros(self.kept, dtype=bool)
        self.starts_N[np.cumsum(keeps) - keeps] = True


def largest_of_rows(matrix_CS: Tensor, keep: int) -> NDArray[np.int64]:
    """Columns of the `keep` largest magnitudes of every row, ascending.

    The keep-th largest of the maxima of small groups is a bound that all wanted values reach and few others:
    only those few are compared exactly.
    """
    count, size = matrix_CS.shape
    magnitude_CS = matrix_CS.abs().numpy()
    folds = size // _FOLD
    if size % _FOLD or folds < keep:
        return _exactly(magnitude_CS, keep)
    maxima = magnitude_CS.reshape(count, _FOLD, folds).max(axis=1)
    bound_C = np.partition(maxima, folds - keep, axis=1)[:, folds - keep]
    rows, cols = np.divmod(np.flatnonzero(magnitude_CS >= bound_C[:, None]), size)
    per_row = np.bincount(rows, minlength=count)
    most, fewest = int(per_row.max()), int(per_row.min())
    if most > size // 2 or fewest < keep:  # many equal values, or values that are not finite
        return _exactly(magnitude_CS, keep)
    # Left-aligned candidates in order of their columns, padded with -1, which is below every magnitude.
    place = np.arange(len(rows)) - np.repeat(np.cumsum(per_row) - per_row, per_row)
    candidates = np.full((count, most), -1.0, dtype=np.float32)
    candidates[rows, place] = magnitude_CS[rows, cols]
    least_C = np.partition(candidates, most - keep, axis=1)[:, most - keep]
    chosen = candidates >= least_C[:, None]
    if int(chosen.sum()) != count * keep:  # a tie at the last place
        return _exactly(magnitude_CS, keep)
    columns = np.zeros((count, most), dtype=np.int64)
    columns[rows, place] = cols
    return columns[chosen].reshape(count, keep)


def _exactly(magnitude_CS: NDArray[np.float32], keep: int) -> NDArray[np.int64]:
    found = torch.topk(torch.from_numpy(magnitude_CS), keep, dim=1, sorted=False).indices
    return np.sort(found.numpy(), axis=1)


@functools.lru_cache(maxsize=8)
def chunks_of(layout: Layout, keep: int, chunk: int) -> Chunks:
    """The chunks of a layout, laid out once per process."""
    return Chunks(layout, keep, chunk)


def _cut(index: int, shape: tuple[int, ...], offset: int, side: int, chunk: int) -> _Block:
    if len(shape) < 2:
        length = math.prod(shape)
        return _Block(index, 1, length, 1, divisor(length, chunk), offset)
    rows, cols = shape[0], math.prod(shape[1:])
    return _Block(index, rows, cols, divisor(rows, side), divisor(cols, side), offset)


def divisor(number: int, at_most: int) -> int:
    """The largest divisor of a number that is no larger than allowed."""
    return next(d for d in range(min(number, at_most), 0, -1) if number % d == 0)


def _grouped(blocks: list[_Block], keep: int, chunk: int) -> list[Group]:
    groups: list[Group] = []
    start = 0
    for size in dict.fromkeys(block.height * block.width for block in blocks):
        count = sum(b.rows * b.cols // size for b in blocks if b.height * b.width == size)
        groups.append(Group(size, min(size, max(1, round(keep * size / chunk))), count, start))
        start += count * size
    return groups
