"""Payloads of DeMo: the largest coefficients of a discrete cosine transform, in SparseLoCo's two bits each.

Every tensor is cut as for `topk` and each piece transformed by an orthonormal DCT-II, vectors in runs of at
most 64. The momentum lives in the memory of the sparse codec as coefficients: the transform is linear, so
decaying it, adding a gradient and taking out what was sent are the same there as on parameters.
A receiver transforms back with whole numbers in float64, exact in any order of addition, so that every peer
and every replay reads the same bits on any processor.
Shapes: P parameters, N rows or columns of a piece.
"""

import functools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from subnetlab.train.payload.largest import divisor
from subnetlab.train.payload.quantise import Bins
from subnetlab.train.payload.sparse import SparseCodec, State
from subnetlab.train.payload.update import Update
from subnetlab.train.theta import Layout

_SIDE: Final = 64
_BASIS_BITS: Final = 11
_VALUE_BITS: Final = 18
"""A sum has at most 64 x 64 terms of 18 + 2 x 11 bits: 2^52, below the 2^53 up to which float64 counts."""


@dataclass(frozen=True, slots=True)
class CosineCodec:
    """Encoder and decoder for one layout."""

    layout: Layout
    keep: int
    chunk: int
    decay: float
    """Share of the momentum that a round keeps."""
    bins: Bins

    @property
    def limit(self) -> int:
        """Most bytes an encoded payload of this layout can take."""
        return self._sparse().limit

    def encode(self, delta_P: Tensor, memory: State) -> bytes:
        """Add a gradient to the momentum, take its largest coefficients out and code them."""
        coefficients_P = torch.empty_like(delta_P)
        for source, target in zip(self._pieces(delta_P), self._pieces(coefficients_P), strict=True):
            down, across = (_basis(length).float() for length in (source.shape[1], source.shape[3]))
            target.copy_((down.T @ source.transpose(1, 2) @ across).transpose(1, 2))
        return self._sparse().encode(coefficients_P, memory)

    def decode(self, data: bytes) -> Update:
        """Read a payload that may be hostile.

        Raises:
            PayloadRejected: anything that `encode` would not write for this layout.
        """
        coefficients_P = self._sparse().decode(data).dense(self.layout.size)
        values_P = torch.empty_like(coefficients_P)
        for source, target in zip(self._pieces(coefficients_P), self._pieces(values_P), strict=True):
            target.copy_(_restored(source))
        return Update(None, values_P)

    def _pieces(self, vector_P: Tensor) -> list[Tensor]:
        """Every tensor as a grid of pieces: pieces down, rows of one, pieces across, columns of one."""
        found: list[Tensor] = []
        side = min(_SIDE, math.isqrt(self.chunk))
        for (_, shape), (start, end) in zip(self.layout.tensors, self.layout.spans(), strict=True):
            if start == end:
                continue
            rows = shape[0] if len(shape) > 1 else 1
            height, width = divisor(rows, side), divisor((end - start) // rows, side)
            found.append(vector_P[start:end].view(rows // height, height, -1, width))
        return found

    def _sparse(self) -> SparseCodec:
        return SparseCodec(self.layout, self.keep, self.chunk, self.decay, self.bins)


@functools.lru_cache(maxsize=256)
def _cosines(length: int) -> Tensor:
    """The cosines of a DCT-II of so many values, NN in float64: a row for each value."""
    place, wave = np.arange(length)[:, None], np.arange(length)[None, :]
    return torch.from_numpy(np.cos(np.pi * (2 * place + 1) * wave / (2 * length)))


@functools.lru_cache(maxsize=256)
def _lengths(length: int) -> Tensor:
    """What makes a basis of cosines orthonormal, N in float64."""
    return torch.tensor(
        [math.sqrt((1 if wave == 0 else 2) / length) for wave in range(length)], dtype=torch.float64
    )


@functools.lru_cache(maxsize=256)
def _basis(length: int) -> Tensor:
    return _cosines(length) * _lengths(length)


@functools.lru_cache(maxsize=256)
def _whole_cosines(length: int) -> Tensor:
    return torch.round(_cosines(length) * 2**_BASIS_BITS)


def _restored(coefficients: Tensor) -> Tensor:
    """A grid of pieces transformed back; every sum in it is one of whole numbers."""
    height, width = coefficients.shape[1], coefficients.shape[3]
    scaled = coefficients.double() * _lengths(height)[:, None, None] * _lengths(width)
    largest = float(scaled.abs().max())
    if largest == 0:
        return torch.zeros_like(coefficients)
    whole = torch.round(scaled * (2**_VALUE_BITS / largest)).transpose(1, 2)
    summed = (_whole_cosines(height) @ whole @ _whole_cosines(width).T).transpose(1, 2)
    return (summed * (largest / 2 ** (_VALUE_BITS + 2 * _BASIS_BITS))).float()
