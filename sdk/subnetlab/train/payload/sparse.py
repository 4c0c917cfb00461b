"""Top-k payloads: error feedback, the largest values of each chunk, two bits each, Rice-coded positions.

The sender keeps what it could not send and adds it to the next round (error feedback): after every encoding,
memory + what was sent = 0.95 * old memory + the new difference, exactly as the receiver reads it.
Shapes: P parameters, N kept values, T tensors.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from subnetlab.errors import PayloadRejected
from subnetlab.train.payload import container, quantise, rice
from subnetlab.train.payload.topk import Chunks, chunks_of
from subnetlab.train.payload.update import Update
from subnetlab.train.theta import Layout

FORM: Final = "topk-2bit/1"
LARGEST_VALUE: Final = 100.0
"""No parameter of a model moves by more in one round; a larger level is an attack."""

State = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class SparseCodec:
    """Encoder and decoder for one layout."""

    layout: Layout
    keep: int
    chunk: int
    feedback: float
    bins: quantise.Bins

    @property
    def limit(self) -> int:
        """Most bytes an encoded payload of this layout can take."""
        header = 8 + container.HEADER_LIMIT
        return header + sum(part.most * (4 if part.dtype == "F32" else 1) for part in self._parts().values())

    def encode(self, delta_P: Tensor, memory: State) -> bytes:
        """Code the pseudo-gradient plus what earlier rounds left over; `memory` keeps the new rest."""
        chunks = self._chunks()
        error_P = memory.get("error")
        if error_P is None:
            error_P = memory["error"] = torch.zeros(self.layout.size)
        offsets_N = chunks.largest_with(error_P, self.feedback, delta_P)
        places_N = chunks.in_theta(offsets_N)
        values_N = error_P.numpy()[places_N]
        codes_N, levels_T4 = quantise.quantise(values_N, chunks.tensor_N, len(self.layout.tensors), self.bins)
        sent_N = quantise.restore(codes_N, chunks.tensor_N, levels_T4)
        with np.errstate(invalid="ignore"):  # what is no number is refused by validators
            error_P.numpy()[places_N] = values_N - sent_N
        coded = rice.encode(rice.gaps_of(offsets_N, chunks.starts_N))
        arrays = {
            "levels": levels_T4,
            "codes": quantise.pack(codes_N),
            "quotients": coded.quotients,
            "remainders": coded.remainders,
        }
        return container.write(arrays, {"form": FORM, "rice": str(coded.parameter)})

    def rest(self, memory: State) -> Tensor | None:
        """What earlier rounds left over, in θ's order; None before the first."""
        return memory.get("error")

    def decode(self, data: bytes) -> Update:
        """Read a payload that may be hostile.

        Raises:
            PayloadRejected: anything that `encode` would not write for this layout.
        """
        arrays, metadata = container.read(data, self._parts(), FORM)
        chunks = self._chunks()
        parameter = metadata.get("rice")
        if not isinstance(parameter, str) or parameter not in _PARAMETERS:
            raise container.malformed("its Rice parameter is out of range")
        levels_T4 = container.finite(arrays["levels"], LARGEST_VALUE)
        coded = rice.Coded(int(parameter), arrays["quotients"], arrays["remainders"])
        try:
            codes_N = quantise.unpack(arrays["codes"], chunks.kept)
            gaps_N = rice.decode(coded, chunks.kept)
        except ValueError as error:
            raise container.malformed(str(error)) from None
        offsets_N = rice.offsets_of(gaps_N, chunks.starts_N)
        if (offsets_N >= chunks.chunk_N).any():
            raise PayloadRejected("The payload names a parameter outside its chunk.", reason="bad_index")
        values_N = quantise.restore(codes_N, chunks.tensor_N, levels_T4)
        return Update(torch.from_numpy(chunks.in_theta(offsets_N)), torch.from_numpy(values_N))

    def _chunks(self) -> Chunks:
        return chunks_of(self.layout, self.keep, self.chunk)

    def _parts(self) -> dict[str, container.Part]:
        chunks = self._chunks()
        levels = len(self.layout.tensors) * quantise.LEVELS
        codes = -(-chunks.kept // 4)
        quotients = rice.quotient_bytes_limit([(g.count, g.size, g.keep) for g in chunks.groups])
        remainders = rice.remainder_bytes(chunks.kept, rice.MAX_PARAMETER)
        return {
            "levels": container.Part("F32", levels, levels),
            "codes": container.Part("U8", codes, codes),
            "quotients": container.Part("U8", 0, quotients),
            "remainders": container.Part("U8", 0, remainders),
        }


_PARAMETERS: Final = frozenset(str(p) for p in range(rice.MAX_PARAMETER + 1))
