"""What a run costs as it grows: in miners, in parameters, in rounds, each ladder by itself.

Every step is shown beside what it would cost if the first step's cost grew in proportion; a ratio above 1 is
work that grows faster than the run. Processor time, one thread, no chain, no network.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import torch
from bittensor_core import Keypair

from subnetlab.fleet.supervisor.resume_state import ResumeState
from subnetlab.frames.read import frames
from subnetlab.record.events import Event, RunStarted
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import read
from subnetlab.record.view import RunView
from subnetlab.record.writer import RecordWriter
from subnetlab.train import aggregate, data, models, strategies, tasks
from subnetlab.train.manifest import Manifest, RoundHeights, ScoringConfig
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.roster import Seat
from subnetlab.train.strategies.base import Progress
from subnetlab.train.theta import Layout, theta_hash
from subnetlab.train.validator import Validator
from subnetlab_widgets.dashboard.round_table import RoundTable
from tests.benchmarks.measure import Figure
from tests.widgets import recorded

MINERS, PARAMETERS, ROUNDS = (4, 8, 16, 32, 64), (1, 4, 24), (10, 100, 1_000, 4_000)
"""Parameters in matrices of 2048 x 2048: 4M, 17M and 101M."""
VALIDATED = 8
"""Rounds that a validator is watched for: the last is one in which it has tried every miner before."""
TRIED = 16
"""Updates that it tries on data in a round, of more a sample."""
SENDERS = 8
RECORDED_MINERS = 8
UNEVEN, UNCACHED = 1.25, 2.5
"""Times the proportional cost that still counts as proportional: clocks differ, and 4M parameters fit into a
processor's cache as 17M do not."""


def measure(quick: bool) -> Iterator[Figure]:
    """One ladder after another."""
    torch.set_num_threads(1)
    yield from ladder(validator_s, MINERS[:2] if quick else MINERS, "miners", UNEVEN)
    sizes = PARAMETERS[:1] if quick else PARAMETERS
    yield from ladder(data_plane_s, sizes, "matrices of 4M parameters", UNCACHED)
    yield from ladder(record_s, ROUNDS[:2] if quick else ROUNDS, "rounds", UNEVEN)


def ladder(
    cost: Callable[[int], dict[str, float]], sizes: tuple[int, ...], of: str, uneven: float
) -> Iterator[Figure]:
    """The cost of each part of some work, size by size."""
    first: dict[str, float] = {}
    for size in sizes:
        for part, seconds in cost(size).items():
            base = first.setdefault(part, seconds / size)
            yield Figure(
                name=f"{part}, {size:,} {of}", value=seconds * 1e3, unit="ms",
                peer="in proportion", peer_value=base * size * 1e3,
                limit=uneven if size > sizes[0] else None, limits_ratio=True,
            )  # fmt: skip


class Watched(Validator):
    """A validator that notes what its rounds cost."""

    spent: ClassVar[list[float]] = []

    def take_part(self, heights: RoundHeights) -> None:
        """Take part, on the clock of this thread."""
        began = time.thread_time()
        super().take_part(heights)
        self.spent.append(time.thread_time() - began)


def validator_s(miners: int) -> dict[str, float]:
    """A validator's round with so many miners: checks, trials of a sample, aggregate, record, votes."""
    corpus = data.stdlib(400_000).read()
    model = models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32)
    manifest = Manifest(
        run_id="growing", netuid=1, model=model, task=tasks.of_model(model), data=corpus.manifest,
        strategy=strategies.SparseLoCo(inner_steps=1), rounds=VALIDATED, first_block=3, batch_size=2,
        optimizer=AdamWConfig(lr=5e-3),
        scoring=ScoringConfig(validation_batches=2, validation_sequences=32, tried=TRIED),
    )  # fmt: skip
    keys = [Keypair.create_from_uri(f"//Growing//{uid}") for uid in range(miners + 1)]
    seats = [
        Seat.of(uid, key.ss58_address, "validator" if uid == miners else "miner")
        for uid, key in enumerate(keys)
    ]
    Watched.spent.clear()
    Rehearsal(
        manifest, seats, corpus, lambda seat: lambda message: bytes(keys[seat.uid].sign(message)),
        roles={miners: Watched}, patience_s=600,
    ).run()  # fmt: skip
    return {"a validator's round": min(Watched.spent[-3:])}


def data_plane_s(matrices: int) -> dict[str, float]:
    """The parts of one round's data plane by themselves."""
    layout = Layout(tuple((f"layer{index}", (2048, 2048)) for index in range(matrices)))
    strategy = strategies.SparseLoCo()
    codec, generator = strategy.codec(layout), torch.Generator().manual_seed(0)
    delta_P, theta_P = torch.randn(layout.size, generator=generator) * 1e-3, torch.zeros(layout.size)
    payload = codec.encode(delta_P, {})
    updates = [codec.decode(payload)] * SENDERS
    combined = strategy.combine(updates, layout)
    parts: dict[str, Callable[[], object]] = {
        "encode a payload": lambda: codec.encode(delta_P, {}),
        "decode a payload": lambda: codec.decode(payload),
        f"aggregate {SENDERS} payloads": lambda: strategy.combine(updates, layout),
        "write the aggregate": lambda: aggregate.write(combined, layout),
        "apply the aggregate": lambda: strategy.apply(theta_P, combined, {}, Progress(0, 1, 1)),
        "hash the model": lambda: theta_hash(theta_P),
    }
    return {part: min(spent(work) for _ in range(3)) for part, work in parts.items()}


def record_s(rounds: int) -> dict[str, float]:
    """What reads and writes the record of a run of so many rounds."""
    first, *events = recorded.run(RECORDED_MINERS, rounds)
    assert isinstance(first, RunStarted)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE_NAME
        parts: dict[str, Callable[[], object]] = {
            "append a record": lambda: append(path, [first, *events]),
            "read a record": lambda: sum(1 for _ in read(path)),
            "fold a record": lambda: fold(RunView(), [first, *events]),
            "fold it as a supervisor does": lambda: supervise([first, *events], rounds),
            "feed the dashboard": lambda: show(RoundTable(first), events),
            "read all frames": lambda: frames(path),
        }
        return {part: spent(work) for part, work in parts.items()}


def append(path: Path, events: list[Event]) -> None:
    """Write a record as its supervisor does."""
    with RecordWriter(path) as record:
        for event in events:
            record.append(event)


def fold(view: RunView, events: list[Event]) -> None:
    """Take a record in."""
    for event in events:
        view.add(event)


def supervise(events: list[Event], rounds: int) -> None:
    """Take a record in, asking after each event which rounds are still unreported."""
    resume, due = ResumeState(), 0
    for event in events:
        resume.note(event)
        due = min(rounds, max(due, getattr(event, "round", -1)))
        resume.unreported(due)


def show(table: RoundTable, events: list[Event]) -> None:
    """Take a record in row by row."""
    for event in events:
        table.apply(event)


def spent(work: Callable[[], object]) -> float:
    """Processor seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start
