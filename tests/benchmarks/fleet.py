"""A real local fleet: eight miners and two validators under their supervisor, on an embedded node.

From `subnet.train` to the last peer's report that it is up, what all processes of the run hold while they
train the 1M-parameter model, and what the chain adds. How others start miners is measured in `miners`.
"""

import os
import statistics
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

import subnetlab
from subnetlab.record.events import BlockSealed, PeerReady, RoundClosed, RunEnded
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import follow
from tests.benchmarks.measure import Figure, median_of, memory_mb

MINERS, VALIDATORS = 8, 2


@dataclass(slots=True)
class Seen:
    """What the record of the run said, and what its processes held whenever a round closed."""

    ready_s: list[float] = field(default_factory=list[float])
    blocks: list[BlockSealed] = field(default_factory=list[BlockSealed])
    memory: list[float] = field(default_factory=list[float])


def measure(quick: bool) -> Iterator[Figure]:
    """One run from start to end, on a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["SUBNETLAB_HOME"] = home
        with subnetlab.connect() as net:
            subnet = net.create_subnet("measured")
            others = {child.pid for child in psutil.Process().children(recursive=True)}
            run = subnet.train(
                model=subnetlab.models.TinyGPT("small"),
                rounds=2 if quick else 8,
                fleet=subnetlab.LocalFleet(miners=MINERS, validators=VALIDATORS, baseline=False),
            )
            seen = watch(run.folder / FILE_NAME, others)
    yield Figure(name="10 peers up since they were asked for", value=max(seen.ready_s), unit="s", limit=2)
    yield median_of("memory (PSS) of all of the run's processes", seen.memory, "MB", limit=800)
    chain = sum(block.chain_s for block in seen.blocks)
    yield median_of("chain: a block", [block.chain_s * 1e3 for block in seen.blocks], "ms")
    waited = sum(block.waited_s for block in seen.blocks)
    yield Figure(name="chain: share of the run's time", value=chain / (chain + waited), unit="")
    per_round = [4 * statistics.mean(block.waited_s + block.chain_s for block in seen.blocks)]
    yield median_of("a round, training included", per_round, "s")


def watch(record: Path, others: set[int]) -> Seen:
    """Follow the run to its end; `others` are processes of ours that do not belong to it."""
    seen = Seen()
    stop = threading.Event()
    for entry in follow(record, stop=stop):
        match entry.event:
            case PeerReady(seconds=seconds):
                seen.ready_s.append(seconds)
            case BlockSealed() as block:
                seen.blocks.append(block)
            case RoundClosed():
                seen.memory.append(held_by_run(others))
            case RunEnded(status=status, reason=reason):
                if status != "finished":
                    raise RuntimeError(f"the run {status}: {reason}")
                stop.set()
            case _:
                pass
    return seen


def held_by_run(others: set[int]) -> float:
    """Proportional memory of supervisor, fork server and peers, in MB."""
    children = {child.pid for child in psutil.Process().children(recursive=True)}
    return sum(memory_mb(pid)[1] for pid in children - others)
