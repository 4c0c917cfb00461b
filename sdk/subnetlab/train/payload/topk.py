"""The largest values of every chunk of θ, exactly, a few milliseconds per million parameters.

SparseLoCo (arXiv 2508.15706) keeps k of each chunk of 4096; as its released code does, matrices are
cut into blocks of at most 64 x 64. Tensors of other ranks are read as (first dimension, rest); vectors in
runs of at most 4096. Smaller chunks keep the same share, at least one value.
Shapes: C chunks, S values a chunk, K kept a chunk, N kept in all, P parameters.
"""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.train.payload.largest import divisor, largest_of
from subnetlab.train.theta import Layout

_SLAB = 1 << 19
"""Values looked at in one go, few enough to stay in the processor's cache."""


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

    def bands(self, start: int) -> "Iterator[_Band]":
        """The tensor, which begins at `start` in chunk order, as bands that fit into a slab if one can."""
        chunk, across = self.height * self.width, self.cols // self.width
        down = max(1, _SLAB // (self.height * self.cols))
        for first in range(0, self.rows // self.height, down):
            yield _Band(
                start + first * across * chunk,
                self.offset + first * self.height * self.cols,
                (min(down, self.rows // self.height - first), across, self.height, self.width),
                (across * chunk, chunk, self.width, 1),
                (self.height * self.cols, self.width, self.cols, 1),
            )


class _Band(NamedTuple):
    """The same parameters twice: where they lie in chunk order and in θ's, with torch's strides."""

    there: int
    here: int
    shape: tuple[int, int, int, int]
    there_strides: tuple[int, int, int, int]
    here_strides: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Slab:
    """Chunks of one group that are looked at in one go."""

    group: Group
    start: int
    rows: int
    bands: list[_Band]
    end: int
    """Behind the last of its parameters in θ."""

    def of(self, chunked_P: Tensor) -> Tensor:
        """The chunks, a row each."""
        size = self.group.size
        return chunked_P[self.start : self.start + self.rows * size].view(self.rows, size)


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
        self._slabs = _cut_slabs(blocks, self.groups)
        self._describe_chunks()

    def arrange(self, vector_P: Tensor) -> Tensor:
        """Copy θ-ordered values into chunk order."""
        return self.add_to(torch.zeros(self.size), vector_P)

    def add_to(self, chunked_P: Tensor, vector_P: Tensor) -> Tensor:
        """Add θ-ordered values in place to values in chunk order."""
        for slab in self._slabs:
            for there, here in _alike(slab.bands, chunked_P, vector_P):
                there.add_(here)
        return chunked_P

    def in_theta_order(self, chunked_P: Tensor) -> Tensor:
        """Copy values in chunk order into θ's order."""
        vector_P = torch.empty(self.size)
        for slab in self._slabs:
            for there, here in _alike(slab.bands, chunked_P, vector_P):
                here.copy_(there)
        return vector_P

    def largest(self, chunked_P: Tensor) -> NDArray[np.int64]:
        """Offsets inside their chunks of the kept values, ascending within each chunk, chunk after chunk."""
        return self._largest(lambda slab: slab.of(chunked_P).abs())

    def largest_with(self, vector_P: Tensor, share: float, added_P: Tensor) -> NDArray[np.int64]:
        """Shrink θ-ordered values to a share, add others, in place, and find the largest, as `largest` does.

        One slab after the other, so that each travels from memory once.
        """
        arranged, done = torch.empty(min(_SLAB, self.size)), 0

        def magnitudes(slab: _Slab) -> Tensor:
            nonlocal done
            if slab.end > done:
                vector_P[done : slab.end].mul_(share).add_(added_P[done : slab.end])
                done = slab.end
            rows_CS = _room(arranged, slab)
            for there, here in _alike(slab.bands, rows_CS, vector_P, -slab.start):
                torch.abs(here, out=there)
            return rows_CS

        return self._largest(magnitudes)

    def _largest(self, magnitudes: Callable[[_Slab], Tensor]) -> NDArray[np.int64]:
        found = (largest_of(magnitudes(slab), slab.group.keep) for slab in self._slabs)
        return np.concatenate([columns.reshape(-1) for columns in found])

    def in_chunk_order(self, offsets_N: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions of kept values in chunk order."""
        return self.first_N + offsets_N

    def in_theta(self, offsets_N: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions of kept values in θ."""
        return self.base_N + self._step[self._shape_N + offsets_N]

    def _describe_chunks(self) -> None:
        """Lay out, once, everything about kept value n that depends on its chunk alone."""
        first: list[NDArray[np.int64]] = []
        fields: list[NDArray[np.int64]] = []
        steps: dict[tuple[int, int, int], NDArray[np.int64]] = {}
        start = shapes = 0
        shape_of: dict[tuple[int, int, int], int] = {}
        for b in self.blocks:
            down, across = b.rows // b.height, b.cols // b.width
            i, j = np.divmod(np.arange(down * across, dtype=np.int64), across)
            chunk, shape = b.height * b.width, (b.height, b.width, b.cols)
            if shape not in steps:
                row, col = np.divmod(np.arange(chunk, dtype=np.int64), b.width)
                steps[shape], shape_of[shape] = row * b.cols + col, shapes
                shapes += chunk
            first.append(start + chunk * np.arange(down * across, dtype=np.int64))
            base = b.offset + i * b.height * b.cols + j * b.width
            same = np.ones_like(base)
            fields.append(np.stack([base, same * shape_of[shape], same * b.tensor, same * chunk]))
            start += b.rows * b.cols
        keep_of = {group.size: group.keep for group in self.groups}
        chunk_fields = np.concatenate(fields, axis=1)
        keeps = np.array([keep_of[size] for size in chunk_fields[3].tolist()], dtype=np.int64)
        self.first_N = np.repeat(np.concatenate(first), keeps)
        self._step = np.concatenate(list(steps.values()))
        """How far each place of a chunk lies from its first in θ, shape after shape."""
        self.base_N, self._shape_N, self.tensor_N, self.chunk_N = np.repeat(chunk_fields, keeps, axis=1)
        self.starts_N = np.zeros(self.kept, dtype=bool)
        self.starts_N[np.cumsum(keeps) - keeps] = True


def _alike(
    bands: list[_Band], chunked: Tensor, vector_P: Tensor, shift: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """Views of the same parameters in chunk order and in θ's; chunk order begins at `-shift`."""
    for band in bands:
        yield (
            chunked.as_strided(band.shape, band.there_strides, band.there + shift),
            vector_P.as_strided(band.shape, band.here_strides, band.here),
        )


def _room(arranged: Tensor, slab: _Slab) -> Tensor:
    """A place for a slab's values; one larger than others, of a tensor of one wide block, has its own."""
    count = slab.rows * slab.group.size
    room = arranged[:count] if count <= len(arranged) else torch.empty(count)
    return room.view(slab.rows, slab.group.size)


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


def _grouped(blocks: list[_Block], keep: int, chunk: int) -> list[Group]:
    groups: list[Group] = []
    start = 0
    for size in dict.fromkeys(block.height * block.width for block in blocks):
        count = sum(b.rows * b.cols // size for b in blocks if b.height * b.width == size)
        groups.append(Group(size, min(size, max(1, round(keep * size / chunk))), count, start))
        start += count * size
    return groups


def _cut_slabs(blocks: list[_Block], groups: list[Group]) -> list[_Slab]:
    """Bands of one group after the other, gathered up to the size of a slab."""
    slabs: list[_Slab] = []
    start = 0
    group_of = {group.size: group for group in groups}
    for block in blocks:
        group = group_of[block.height * block.width]
        for band in block.bands(start):
            rows, end = band.shape[0] * band.shape[1], band.here + math.prod(band.shape)
            last = slabs[-1] if slabs else None
            if last is not None and last.group is group and (last.rows + rows) * group.size <= _SLAB:
                bands = [*last.bands, band]
                slabs[-1] = _Slab(group, last.start, last.rows + rows, bands, max(last.end, end))
            else:
                slabs.append(_Slab(group, band.there, rows, [band], end))
        start += block.rows * block.cols
    return slabs
