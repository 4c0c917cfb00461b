"""One-bit payloads: the sign of every value, and mean magnitudes as scales, with error feedback.

As signSGD with error feedback (Karimireddy et al. 2019) with one scale per tensor; tensors outside the hidden
layers (embedding tables above all) have one per row, because a byte pair that was not read must not move as
one that was. Scales are fp16. The sender keeps what signs and scales leave over: after every encoding,
memory + what was sent = 0.95 * old memory + the new difference, exactly as the receiver reads it.
A sender chooses its scales; the decoder bounds them, and the strategy clips norms to the median.
Shapes: P parameters, S scales.
"""

import functools
from dataclasses import dataclass
from math import prod
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.errors import PayloadRejected
from subnetlab.train import matrices
from subnetlab.train.payload import container
from subnetlab.train.payload.sparse import LARGEST_VALUE, State
from subnetlab.train.payload.update import Update
from subnetlab.train.theta import Layout

FORM: Final = "sign-1bit/1"
_TABLE: Final = 2
"""Dimensions of a tensor whose rows have scales of their own, outside the hidden layers."""
_STRETCH: Final = 1 << 18
"""Values looked at in one go; a multiple of eight."""
_EIGHT_SIGNS: Final = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) * np.float32(2) - 1
"""The signs that each byte stands for, as 1 and -1."""


@dataclass(frozen=True, slots=True)
class OneBitCodec:
    """Encoder and decoder for one layout."""

    layout: Layout
    feedback: float

    @property
    def limit(self) -> int:
        """Most bytes an encoded payload of this layout can take."""
        scales, signs = self._parts().values()
        return 8 + container.HEADER_LIMIT + 2 * scales.most + signs.most

    def encode(self, delta_P: Tensor, memory: State) -> bytes:
        """Code the pseudo-gradient plus what earlier rounds left over; `memory` keeps the new rest."""
        error_P = memory.get("error")
        if error_P is None:
            error_P = memory["error"] = torch.zeros(self.layout.size)
        means: list[Tensor] = []
        for group in _groups_of(self.layout):
            start, end = group[0].start, group[-1].end
            error_P[start:end].mul_(self.feedback).add_(delta_P[start:end])
            means += [rows.of(error_P).abs().mean(1) for rows in group]
        scale_S = torch.cat(means).half()
        signs = _signs(error_P.numpy())
        self._take_out(error_P, scale_S.float(), signs)
        return container.write({"scales": scale_S.numpy(), "signs": signs}, {"form": FORM})

    def _take_out(self, error_P: Tensor, scale_S: Tensor, signs: NDArray[np.uint8]) -> None:
        """Subtract what is sent, part by part: memory for all of it would come from the system each round."""
        for group in _groups_of(self.layout):
            start, end = group[0].start, group[-1].end
            sent = _EIGHT_SIGNS.take(signs[start // 8 : -(-end // 8)], axis=0).reshape(-1)
            sent_P = torch.from_numpy(sent)[start % 8 : start % 8 + end - start]
            for rows in group:
                rows.of(sent_P, start).mul_(scale_S[rows.first : rows.first + rows.scales, None])
            error_P[start:end].sub_(sent_P)

    def decode(self, data: bytes) -> Update:
        """Read a payload that may be hostile.

        Raises:
            PayloadRejected: anything that `encode` would not write for this layout.
        """
        arrays, _ = container.read(data, self._parts(), FORM)
        scale_S = container.finite(arrays["scales"].astype(np.float32), LARGEST_VALUE)
        if np.signbit(scale_S).any():
            raise PayloadRejected("The payload holds a scale below 0.", reason="malformed")
        if np.unpackbits(arrays["signs"][-1:])[self.layout.size % 8 or 8 :].any():
            raise container.malformed("bits after the last sign are set")
        return Update(None, self._values(torch.from_numpy(scale_S), arrays["signs"]))

    def _values(self, scale_S: Tensor, signs: NDArray[np.uint8]) -> Tensor:
        """Signs times their scales."""
        values_P = torch.from_numpy(_EIGHT_SIGNS.take(signs, axis=0).reshape(-1)[: self.layout.size])
        for rows in _rows_of(self.layout):
            rows.of(values_P).mul_(scale_S[rows.first : rows.first + rows.scales, None])
        return values_P

    def _parts(self) -> dict[str, container.Part]:
        scales, signs = sum(rows.scales for rows in _rows_of(self.layout)), -(-self.layout.size // 8)
        return {"scales": container.Part("F16", scales, scales), "signs": container.Part("U8", signs, signs)}


class _Rows(NamedTuple):
    """A tensor as rows that share a scale: those of a table, or one row of everything."""

    start: int
    """Where it lies in θ."""
    scales: int
    length: int
    first: int
    """The place of its first scale."""

    @property
    def end(self) -> int:
        """Behind its last value in θ."""
        return self.start + self.scales * self.length

    def of(self, vector: Tensor, begins: int = 0) -> Tensor:
        """Its values as a matrix; the vector begins at `begins` in θ."""
        place = vector.storage_offset() + self.start - begins
        return vector.as_strided((self.scales, self.length), (self.length, 1), place)


@functools.lru_cache(maxsize=8)
def _rows_of(layout: Layout) -> tuple[_Rows, ...]:
    """Every tensor of a layout, in order."""
    found: list[_Rows] = []
    tensors = layout.tensors
    for (_, shape), hidden, (start, end) in zip(
        tensors, matrices.hidden(tensors), layout.spans(), strict=True
    ):
        count = shape[0] if len(shape) == _TABLE and not hidden and prod(shape) else 1
        first = found[-1].first + found[-1].scales if found else 0
        found.append(_Rows(start, count, (end - start) // count, first))
    return tuple(found)


@functools.lru_cache(maxsize=8)
def _groups_of(layout: Layout) -> tuple[tuple[_Rows, ...], ...]:
    """Neighbouring tensors of a stretch together, larger ones by themselves."""
    groups: list[list[_Rows]] = []
    for rows in _rows_of(layout):
        if groups and rows.end - groups[-1][0].start <= _STRETCH:
            groups[-1].append(rows)
        else:
            groups.append([rows])
    return tuple(map(tuple, groups))


def _signs(values_P: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Which values are not negative, eight to a byte."""
    octets = np.empty(-(-len(values_P) // 8), dtype=np.uint8)
    for start in range(0, len(values_P), _STRETCH):
        stretch = values_P[start : start + _STRETCH]
        octets[start // 8 : -(-(start + len(stretch)) // 8)] = np.packbits(stretch >= 0)
    return octets
