"""Dense payloads: every parameter in fp32, as DiLoCo and synchronous data parallelism send them.

P parameters.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from subnetlab.train.payload import container
from subnetlab.train.payload.sparse import LARGEST_VALUE, State
from subnetlab.train.payload.update import Update
from subnetlab.train.theta import Layout

FORM: Final = "dense-fp32/1"


@dataclass(frozen=True, slots=True)
class DenseCodec:
    """Encoder and decoder for one layout; it keeps no memory."""

    layout: Layout

    @property
    def limit(self) -> int:
        """Most bytes an encoded payload of this layout can take."""
        return 8 + container.HEADER_LIMIT + self.layout.dense_bytes

    def encode(self, delta_P: Tensor, memory: State) -> bytes:  # noqa: ARG002 - the seam hands it to every codec
        """Code the pseudo-gradient as it is."""
        return container.write({"values": delta_P.numpy().astype("<f4", copy=False)}, {"form": FORM})

    def decode(self, data: bytes) -> Update:
        """Read a payload that may be hostile.

        Raises:
            PayloadRejected: anything that `encode` would not write for this layout.
        """
        size = self.layout.size
        arrays, _ = container.read(data, {"values": container.Part("F32", size, size)}, FORM)
        values_P = container.finite(arrays["values"], LARGEST_VALUE)
        return Update(None, torch.from_numpy(values_P.astype(np.float32)))
