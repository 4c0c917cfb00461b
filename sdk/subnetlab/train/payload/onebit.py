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
from typing import Final

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
        error_P.mul_(self.feedback).add_(delta_P)
        means = [piece.abs().mean(1) for piece in self._rows(error_P)]
        scale_S = torch.cat(means).half()
        signs = np.packbits(error_P.numpy() >= 0)
        error_P.sub_(self._values(scale_S.float(), signs))
        return container.write({"scales": scale_S.numpy(), "signs": signs}, {"form": FORM})

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
        first = 0
        for piece in self._rows(values_P):
            piece.mul_(scale_S[first : first + len(piece), None])
            first += len(piece)
        return values_P

    def _rows(self, vector_P: Tensor) -> list[Tensor]:
        """Every tensor as rows that share a scale: those of a table, or one row of everything."""
        return [
            vector_P.as_strided((rows, length), (length, 1), start)
            for start, rows, length in _rows_of(self.layout)
        ]

    def _parts(self) -> dict[str, container.Part]:
        scales, signs = sum(rows for _, rows, _ in _rows_of(self.layout)), -(-self.layout.size // 8)
        return {"scales": container.Part("F16", scales, scales), "signs": container.Part("U8", signs, signs)}


@functools.lru_cache(maxsize=8)
def _rows_of(layout: Layout) -> tuple[tuple[int, int, int], ...]:
    """Where each tensor lies in θ, how many rows with a scale of their own it has, and how long they are."""
    tensors = layout.tensors
    return tuple(
        (start, rows, (end - start) // rows)
        for (_, shape), hidden, (start, end) in zip(
            tensors, matrices.hidden(tensors), layout.spans(), strict=True
        )
        for rows in (shape[0] if len(shape) == _TABLE and not hidden and prod(shape) else 1,)
    )
