"""Four-bit payloads of some of a model's tensors: a sign and three bits of exponent a value, no mantissa.

The format in which Streaming DiLoCo sends (arXiv 2501.18512, "E3M0"): a value is 0 or one of seven powers of
two below its tensor's largest magnitude. What rounding loses is not remembered. Sums are taken in fp32 by the
receiver. A sender chooses its scales; the decoder bounds them, and the strategy clips norms to the median.
Shapes: N values sent, T tensors sent, P parameters.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.errors import PayloadRejected
from subnetlab.train.payload import container
from subnetlab.train.payload.sparse import LARGEST_VALUE, State
from subnetlab.train.payload.update import Update
from subnetlab.train.theta import Layout

FORM: Final = "e3m0-4bit/1"
_SIGN: Final = 8
_MAGNITUDES: Final = np.array([0.0, *(2.0**power for power in range(-6, 1))], dtype=np.float32)
"""Of the exponent's eight codes, in shares of the largest value."""
_BOUNDS: Final = (_MAGNITUDES[:-1] + _MAGNITUDES[1:]) / 2
"""Halfway between neighbours: rounding is to the nearest."""


@dataclass(frozen=True, slots=True)
class Float4Codec:
    """Encoder and decoder for some tensors of one layout; it keeps no memory."""

    layout: Layout
    tensors: tuple[int, ...]
    """Which tensors travel, by their place in the layout, ascending."""

    @property
    def limit(self) -> int:
        """Most bytes an encoded payload can take."""
        scales, codes = self._parts().values()
        return 8 + container.HEADER_LIMIT + 4 * scales.most + codes.most

    def positions(self) -> Tensor:
        """Where the values lie in θ, ascending."""
        return torch.cat([torch.arange(start, end) for start, end in self._spans()])

    def encode(self, delta_P: Tensor, memory: State) -> bytes:  # noqa: ARG002 - the seam hands it to every codec
        """Code those tensors of a pseudo-gradient; the others stay behind."""
        values_N = torch.cat([delta_P[start:end] for start, end in self._spans()]).numpy()
        scale_T = np.array([np.abs(part).max(initial=0.0) for part in self._split(values_N)], dtype="<f4")
        scale_N = np.repeat(scale_T, self._sizes())
        share_N = np.divide(np.abs(values_N), scale_N, out=np.zeros_like(values_N), where=scale_N > 0)
        codes_N = np.searchsorted(_BOUNDS, share_N, side="right").astype(np.uint8)
        codes_N |= np.where((values_N < 0) & (codes_N > 0), _SIGN, 0).astype(np.uint8)
        even = np.append(codes_N, np.zeros(len(codes_N) % 2, dtype=np.uint8)).reshape(-1, 2)
        return container.write({"scales": scale_T, "codes": even[:, 0] | even[:, 1] << 4}, self._described())

    def decode(self, data: bytes) -> Update:
        """Read a payload that may be hostile.

        Raises:
            PayloadRejected: anything that `encode` would not write for these tensors.
        """
        arrays, described = container.read(data, self._parts(), FORM)
        if described != self._described():
            raise container.malformed("it holds other tensors than its round's")
        scale_T = container.finite(arrays["scales"], LARGEST_VALUE)
        if np.signbit(scale_T).any():
            raise PayloadRejected("The payload holds a scale below 0.", reason="malformed")
        packed = arrays["codes"]
        codes = np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)
        codes_N = codes[: self._count()]
        if codes[len(codes_N) :].any() or (codes_N == _SIGN).any():
            raise container.malformed("it holds codes that no value has")
        # A scale times a power of two is exact, so that every receiver reads the same bits.
        values_N = _MAGNITUDES[codes_N & 7] * np.repeat(scale_T, self._sizes())
        np.negative(values_N, out=values_N, where=codes_N >= _SIGN)
        return Update(self.positions(), torch.from_numpy(values_N))

    def _spans(self) -> list[tuple[int, int]]:
        spans = self.layout.spans()
        return [spans[index] for index in self.tensors]

    def _sizes(self) -> list[int]:
        return [end - start for start, end in self._spans()]

    def _count(self) -> int:
        return sum(self._sizes())

    def _split(self, values_N: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        return np.split(values_N, np.cumsum(self._sizes())[:-1])

    def _described(self) -> dict[str, str]:
        first, last = self.tensors[0], self.tensors[-1]
        return {"form": FORM, "tensors": f"{first}-{last}/{len(self.tensors)}"}

    def _parts(self) -> dict[str, container.Part]:
        scales, codes = len(self.tensors), -(-self._count() // 2)
        return {"scales": container.Part("F32", scales, scales), "codes": container.Part("U8", codes, codes)}
