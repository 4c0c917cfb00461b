"""How much of the wall time a miner computes behind a slow link, at Covenant-72B's compute-to-payload ratio.

There 20 minutes of steps go with a payload of 72.7 billion parameters compressed 146 times, 1.99 GB, over
110 Mbit/s up, 500 down and 80 ms: 145 s for one way up (arXiv 2603.08163; they state 94.5 %). Here everything
is scaled by one factor, what this machine's steps of a round take over those 20 minutes: the link is made so
slow that a payload takes the same share of a round, and the way there and back so short. Blocks come as soon
as all are ready: what a chain's clock adds is not in it.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import subnetlab
from subnetlab.record.events import Mined, RoundClosed, RunEnded
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import read
from subnetlab.train.strategies.base import Strategy
from tests.benchmarks.measure import Figure

STEPS_S: Final = 1200.0
PAYLOAD_BYTES: Final = 72.7e9 * 4 / 146
UP_BITS: Final = 110e6
RTT_S: Final = 0.080
TRAVEL: Final = PAYLOAD_BYTES * 8 / UP_BITS / STEPS_S
"""What a payload's way up takes, as a share of the steps it came from: 0.12."""
STATED: Final = 0.945
MINERS: Final = 2


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of one miner's round."""

    wall_s: float
    compute_s: float
    store_s: float
    wire_bytes: int


def measure(quick: bool) -> Iterator[Figure]:
    """A strategy whose payload waits for the last step, and one whose payload leaves before."""
    rounds, steps = (4, 20) if quick else (10, 60)
    for name, strategy in (
        ("SparseLoCo", subnetlab.strategies.SparseLoCo(inner_steps=steps)),
        ("StreamingDiLoCo, no overlap", streaming(steps, 0)),
        ("StreamingDiLoCo", streaming(steps, steps // 4)),
    ):
        with tempfile.TemporaryDirectory() as home:
            os.environ["SUBNETLAB_HOME"] = home
            free = played(strategy, rounds=3, uplink_mbps=0.0, rtt_ms=0.0)
            steps_s = mean(each.compute_s for each in free)
            scale = steps_s / STEPS_S
            # The way up of this payload takes the same share of these steps.
            mbps = mean(each.wire_bytes for each in free) * 8 / (TRAVEL * steps_s) / 1e6
            linked = played(strategy, rounds=rounds, uplink_mbps=mbps, rtt_ms=RTT_S * scale * 1e3)
        share = sum(each.compute_s for each in linked) / sum(each.wall_s for each in linked)
        store_s = mean(each.store_s for each in linked)
        yield Figure(
            name=f"{name}: share of a round a miner computes", value=share, unit="", samples=len(linked),
            peer="Covenant-72B states", peer_value=STATED, limit=0.97, at_least=True,
            note=f"steps {mean(each.compute_s for each in linked):.2f} s, waits {store_s:.2f} s for the link",
        )  # fmt: skip


def streaming(steps: int, overlap: int) -> Strategy:
    """Streaming DiLoCo whose payload leaves so many steps before the last."""
    return subnetlab.strategies.StreamingDiLoCo(inner_steps=steps, overlap=overlap, fragments=2)


def played(strategy: Strategy, *, rounds: int, uplink_mbps: float, rtt_ms: float) -> list[Round]:
    """A run of two miners and a validator; every miner's rounds but the first."""
    fleet = subnetlab.LocalFleet(
        miners=MINERS, validators=1, baseline=False, uplink_mbps=uplink_mbps, rtt_ms=rtt_ms
    )
    with subnetlab.connect() as net:
        run: Any = net.create_subnet("linked").train(
            subnetlab.models.TinyGPT("small"), rounds=rounds, strategy=strategy, fleet=fleet
        )
        run.wait(progress=False)
    entries = list(read(run.folder / FILE_NAME))
    assert isinstance(entries[-1].event, RunEnded)
    closed = [(entry.event.round, entry.time) for entry in entries if isinstance(entry.event, RoundClosed)]
    walls = {number: end - start for (_, start), (number, end) in pairwise(closed)}
    return [
        Round(walls[event.round], event.compute_s, event.store_s, event.wire_bytes)
        for event in (entry.event for entry in entries)
        if isinstance(event, Mined) and event.round in walls
    ]


def mean(values: Iterator[float]) -> float:
    """Of at least one value."""
    held = list(values)
    return sum(held) / len(held)
