"""One round's data plane for eight miners at 1M parameters: from pseudo-gradients to the next model.

All of it on one core, one miner after another, as if nothing ran side by side; training, scoring and chain
are not in it. In a real fleet the miners' share runs in eight processes. Parts are in processor time, and the
budget is on the best of many rounds: what other programs do to the processor's cache is no part of it.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from subnetlab.store.objects import open_store
from subnetlab.train import aggregate, models, object_paths, strategies
from subnetlab.train.payload.seal import OVERHEAD, Binding, Reveal, seal, unseal
from subnetlab.train.payload.sparse import State
from subnetlab.train.payload.update import Update
from subnetlab.train.strategies.base import Progress, Strategy
from subnetlab.train.theta import Layout
from tests.benchmarks.measure import Figure, median_of

MINERS = 8


@dataclass(slots=True)
class Laps:
    """Milliseconds of processor time of each part, one entry per round, and the wall time of each round."""

    parts: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    wall: list[float] = field(default_factory=list[float])
    since: float = 0.0
    wall_since: float = 0.0

    def start(self) -> None:
        """Begin a round."""
        self.since, self.wall_since = time.process_time(), time.perf_counter()

    def lap(self, part: str) -> None:
        """Charge the time since the last call to a part."""
        now = time.process_time()
        self.parts.setdefault(part, []).append((now - self.since) * 1e3)
        self.since = now

    def end(self) -> None:
        """Close a round."""
        self.wall.append((time.perf_counter() - self.wall_since) * 1e3)


def measure(quick: bool) -> Iterator[Figure]:
    """Rounds over a folder store, error feedback included: top-k payloads, then one-bit ones."""
    torch.set_num_threads(1)
    warm, rounds = (1, 3) if quick else (5, 60)
    for name, strategy, limit in (
        ("top-k", strategies.SparseLoCo(), 40),
        ("one bit", strategies.MuLoCo(), None),
    ):
        laps = Laps()
        with tempfile.TemporaryDirectory() as folder:
            run(folder, strategy, warm + rounds, laps)
        parts = {part: values[warm:] for part, values in laps.parts.items()}
        totals = [sum(values) for values in zip(*parts.values(), strict=True)]
        yield Figure(
            name=f"8 miners' round, {name}: best",
            value=min(totals),
            unit="ms",
            samples=len(totals),
            limit=limit,
        )
        yield median_of(f"8 miners' round, {name}", totals, "ms")
        yield median_of("the same on the clock", laps.wall[warm:], "ms")
        for part, values in parts.items():
            yield median_of(f"{name}: {part}", values, "ms")


def run(folder: str, strategy: Strategy, rounds: int, laps: Laps) -> None:
    """The rounds; every round's differences are drawn before its clock starts."""
    layout = Layout.of(models.build(models.TinyGPT("small"), 0))
    codec = strategy.codec(layout)
    store = open_store(folder)
    memories: list[State] = [{} for _ in range(MINERS)]
    outer = State()
    theta_P = torch.zeros(layout.size)
    generator = torch.Generator().manual_seed(0)
    for round_ in range(rounds):
        deltas = [torch.randn(layout.size, generator=generator) * 1e-3 for _ in range(MINERS)]
        binding = Binding(run="", round=round_, hotkey="")
        laps.start()
        payloads = [codec.encode(delta, memory) for delta, memory in zip(deltas, memories, strict=True)]
        laps.lap("compress")
        sealed = [seal(payload, binding) for payload in payloads]
        for miner, each in enumerate(sealed):
            store.put(object_paths.sealed(round_, miner, each.commitment), each.data)
        laps.lap("seal and store")
        updates: list[Update] = []
        for miner, each in enumerate(sealed):
            data = store.get(object_paths.sealed(round_, miner, each.commitment), codec.limit + OVERHEAD)
            reveal = Reveal(each.salt, each.key, b"")
            updates.append(codec.decode(unseal(data, reveal, each.commitment, binding)))
        laps.lap("read, open and decode")
        combined = strategy.combine(updates, layout)
        laps.lap("clip and aggregate")
        store.put(object_paths.aggregate(round_, "hash"), aggregate.write(combined, layout))
        laps.lap("publish")
        strategy.apply(theta_P, combined, outer, Progress(round_, rounds, strategy.inner_steps))
        laps.lap("apply")
        laps.end()
