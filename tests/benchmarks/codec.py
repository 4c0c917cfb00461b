"""Gigabytes a second through both codecs: fp32 differences in, bytes, dense updates out, on one core.

Peer: Templar's compressor of the same method (the largest 64 of 4096, two bits, 12-bit indices) on the same
tensors. Its source is no part of this project: `--templar` names its `compress.py`, from a checkout of
github.com/tplr-ai/templar, and `einops`, which that imports, must be there. Ours adds error feedback and
Rice coding, and reads its bytes as a stranger's; the peer's figures have neither.
"""

import importlib.util
import logging
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from subnetlab.train import models, strategies
from subnetlab.train.payload.sparse import State
from subnetlab.train.strategies.base import Codec
from subnetlab.train.theta import Layout
from tests.benchmarks.measure import Figure, Unavailable, median_of
from tests.benchmarks.wire import LARGE

KEEP, BINS, SIGMAS = 64, 4, 6
"""What Templar's own run sets: values kept of a chunk, bins of a value, and how wide they are in all."""
WITHOUT_PEER = "Templar's compressor is beside it with --templar PATH_TO_ITS/compress.py"


@dataclass(slots=True)
class Seconds:
    """Processor seconds of each encoding and each decoding."""

    encode: list[float] = field(default_factory=list[float])
    decode: list[float] = field(default_factory=list[float])


def measure(quick: bool, *, templar: Path | None = None) -> Iterator[Figure]:
    """1M parameters, then 100M; contenders take turns."""
    torch.set_num_threads(1)
    small = Layout.of(models.build(models.TinyGPT("small"), 0))
    yield from figures(small, "1M parameters", 2 if quick else 20, templar)
    if not quick:
        yield from figures(LARGE, "100M parameters", 3, templar)


def figures(layout: Layout, size: str, times: int, templar: Path | None) -> Iterator[Figure]:
    """One layout with every contender."""
    delta_P = torch.randn(layout.size, generator=torch.Generator().manual_seed(0)) * 1e-3
    contenders: dict[str, Callable[[Seconds], None]] = {
        "top-k": ours(strategies.SparseLoCo().codec(layout), delta_P),
        "one bit": ours(strategies.MuLoCo().codec(layout), delta_P),
    }
    if templar is not None:
        contenders["Templar"] = Peer(imported(templar), layout).turn(delta_P)
    found = {name: Seconds() for name in contenders}
    for turn in range(times + 1):
        for name, go in contenders.items():
            go(Seconds() if turn == 0 else found[name])
    for name in ("top-k", "one bit"):
        yield from rates(name, size, layout.dense_bytes, found[name], found.get("Templar"))


def rates(name: str, size: str, dense_bytes: int, ours: Seconds, theirs: Seconds | None) -> Iterator[Figure]:
    """Encode, decode and both, in gigabytes of fp32 a second; the budget is on both of the same method."""

    def both(seconds: Seconds) -> list[float]:
        return [encode + decode for encode, decode in zip(seconds.encode, seconds.decode, strict=True)]

    ways: dict[str, Callable[[Seconds], list[float]]] = {
        "encode": lambda seconds: seconds.encode,
        "decode": lambda seconds: seconds.decode,
        "encode + decode": both,
    }
    for what, of in ways.items():
        beside = theirs if name == "top-k" else None
        peer = median_of("", [dense_bytes / s / 1e9 for s in of(beside)], "").value if beside else None
        yield median_of(
            f"{name}, {size}: {what}", [dense_bytes / s / 1e9 for s in of(ours)], "GB/s",
            peer="Templar" if beside else "", peer_value=peer, at_least=True, limits_ratio=True,
            limit=3 if beside and of is both else None,
            note=WITHOUT_PEER if of is both and name == "top-k" and beside is None else "",
        )  # fmt: skip


def ours(codec: Codec, delta_P: Tensor) -> Callable[[Seconds], None]:
    """A turn of one of our codecs, with error feedback from turn to turn, into a dense vector."""
    memory, dense_P = State(), torch.zeros_like(delta_P)

    def go(seconds: Seconds) -> None:
        start = time.process_time()
        payload = codec.encode(delta_P, memory)
        encoded = time.process_time()
        update = codec.decode(payload)
        if update.positions_N is not None:
            dense_P.zero_()
            dense_P[update.positions_N] = update.values_N
        seconds.encode.append(encoded - start)
        seconds.decode.append(time.process_time() - encoded)

    return go


def imported(source: Path) -> ModuleType:
    """Templar's `compress.py` as a module; of its package it needs a logger alone."""
    package: Any = ModuleType("tplr")
    package.logger = logging.getLogger("tplr")
    sys.modules["tplr"] = package
    spec = importlib.util.spec_from_file_location("tplr.compress", source)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(source)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        raise Unavailable(f"{source} needs {error.name}: pip install {error.name}") from error
    return module


class Peer:
    """Templar's compressor for the tensors of a layout."""

    def __init__(self, module: Any, layout: Layout) -> None:
        self.layout = layout
        model = nn.Module()
        for index, (_, shape) in enumerate(layout.tensors):
            model.register_parameter(f"p{index}", nn.Parameter(torch.empty(shape)))
        self.transformer = module.ChunkingTransformer(model, target_chunk=64)
        self.compressor = module.TopKCompressor(
            use_quantization=True, quantization_bins=BINS, quantization_range=SIGMAS
        )

    def turn(self, delta_P: Tensor) -> Callable[[Seconds], None]:
        """A turn over all tensors, as its miner does, without error feedback and without a wire."""
        tensors = list(self.layout.split(delta_P).values())

        def go(seconds: Seconds) -> None:
            start = time.process_time()
            packed = [self.compressor.compress(self.transformer.encode(tensor), KEEP) for tensor in tensors]
            encoded = time.process_time()
            for tensor, (index, value, shape, total, scale) in zip(tensors, packed, strict=True):
                blocks = self.compressor.decompress(tensor, index, value, shape, total, scale)
                self.transformer.decode(blocks)
            seconds.encode.append(encoded - start)
            seconds.decode.append(time.process_time() - encoded)

        return go
