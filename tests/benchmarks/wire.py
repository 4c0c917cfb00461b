"""Bytes on the wire: a SparseLoCo payload as it is uploaded, sealed, against the same update in fp32.

Peer: the arithmetic of the method's first release, 12-bit indices and 2-bit values without any header. Random
differences have the most even indices, which are the longest to code, so the figures are lower bounds.
"""

from collections.abc import Iterator

import torch

from subnetlab.train import models, strategies
from subnetlab.train.payload.seal import Binding, seal
from subnetlab.train.theta import Layout
from tests.benchmarks.measure import Figure

FIXED_INDEX_BITS = 64 * (12 + 2) / 4096
LARGE = Layout(tuple((f"layer{index}", (2048, 2048)) for index in range(24)))
"""100,663,296 parameters in 24 matrices."""


def measure(quick: bool) -> Iterator[Figure]:
    """The 1M-parameter model, then a hundred times that."""
    torch.set_num_threads(1)
    small = Layout.of(models.build(models.TinyGPT("small"), 0))
    yield ratio(small, "fp32 over uploaded bytes, 1M parameters", 200)
    if not quick:
        yield ratio(LARGE, "fp32 over uploaded bytes, 100M parameters", 213)


def ratio(layout: Layout, name: str, limit: float) -> Figure:
    """Encode one random difference and decode it again, which proves that the bytes are enough."""
    generator = torch.Generator().manual_seed(0)
    delta_P = torch.randn(layout.size, generator=generator) * 1e-3
    codec = strategies.SparseLoCo().codec(layout)
    payload = codec.encode(delta_P, {})
    codec.decode(payload)
    data = seal(payload, Binding(run="0" * 64, round=0, hotkey="")).data
    return Figure(
        name=name, value=layout.dense_bytes / len(data), unit="×", peer="fixed 12-bit indices",
        peer_value=32 / FIXED_INDEX_BITS, limit=limit, at_least=True, note=f"{len(data):,} bytes",
    )  # fmt: skip
