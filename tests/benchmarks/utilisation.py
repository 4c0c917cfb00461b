"""How much of the wall time a miner computes behind a slow link, at Covenant-72B's compute-to-payload ratio.

There 20 minutes of steps go with a payload of 72.7 billion parameters compressed 146 times, 1.99 GB, over
110 Mbit/s up, 500 down and 80 ms: 145 s for one way up (arXiv 2603.08163; they state 94.5 %). Here everything
is scaled by one factor, what this machine's steps of a round take over those 20 minutes: the link is made so
slow that a payload takes the same share of a round, and the way there and back so short. Beside the link is
what they state: steps, and what a miner waits for its upload. Of a round is all of the wall time: the other
miner, the validator and the aggregate's way back too, on this machine's cores. Blocks come as soon as all are
ready: what a chain's clock adds is not in it.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import subnetlab
from subnetlab.record.events import BlockSealed, Mined, Phase, RunEnded, RunStarted
from subnetlab.record.line import FILE_NAME, Entry
from subnetlab.record.reader import read
from subnetlab.train.strategies.base import Strategy
from tests.benchmarks.measure import Figure

STEPS_S: Final = 1200.0
PAYLOAD_BYTES: Final = 72.7e9 * 4 / 146
UP_BITS: Final = 110e6
DOWN_BITS: Final = 500e6
RTT_S: Final = 0.080
TRAVEL: Final = PAYLOAD_BYTES * 8 / UP_BITS / STEPS_S
"""What a payload's way up takes, as a share of the steps it came from: 0.12."""
STATED: Final = 0.945
MINERS: Final = 2


PARTS: Final = {
    "steps": "inner steps",
    "begin": "from the open block to the first step, and the reveal",
    "compress": "encoding and sealing",
    "upload": "waiting for its payload's way up",
    "submit": "handing its commitment to the node",
    "deadline": "waiting for the block of the deadline",
    "beacon": "waiting for the block of the beacon",
    "judging": "waiting for the validator: payloads down, trials, aggregate up",
    "close": "waiting for the block that closes",
    "adopt": "reading and applying the round",
    "open": "waiting for the others and for the next open block",
}
"""What a miner does or waits for in a round, and what of it no step is taken beside."""


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of one miner's round, from its open block to the next, by part."""

    wire_bytes: int
    parts: dict[str, float]

    @property
    def wall_s(self) -> float:
        """All of them."""
        return sum(self.parts.values())


def measure(quick: bool) -> Iterator[Figure]:
    """A strategy whose payload waits for the last step, and one whose round passes beside its last steps."""
    rounds, steps = (3, 12) if quick else (8, 200)
    for name, strategy, downlink in (
        ("SparseLoCo", subnetlab.strategies.SparseLoCo(inner_steps=steps), True),
        ("StreamingDiLoCo, no overlap", streaming(steps, 0), True),
        ("StreamingDiLoCo", streaming(steps, steps // 2), True),
    ):
        with tempfile.TemporaryDirectory() as home:
            os.environ["SUBNETLAB_HOME"] = home
            free = played(strategy, rounds=3)
            steps_s = mean(each.parts["steps"] for each in free)
            scale = steps_s / STEPS_S
            # The way up of this payload takes the same share of these steps.
            mbps = mean(each.wire_bytes for each in free) * 8 / (TRAVEL * steps_s) / 1e6
            link = {"uplink_mbps": mbps, "rtt_ms": RTT_S * scale * 1e3}
            if downlink:
                link["downlink_mbps"] = mbps * DOWN_BITS / UP_BITS
            linked = played(strategy, rounds=rounds, **link)
        wall_s = sum(each.wall_s for each in linked)
        shares = {part: sum(each.parts[part] for each in linked) / wall_s for part in PARTS}
        yield Figure(
            name=f"{name}: computing, of a whole round", value=shares["steps"], unit="",
            samples=len(linked), peer="Covenant-72B states", peer_value=STATED, limit=0.97, at_least=True,
            note=f"a round takes {wall_s / len(linked):.2f} s",
        )  # fmt: skip
        for part, share in shares.items():
            if part != "steps" and share >= 0.0005:
                yield Figure(name=f"  {PARTS[part]}", value=100 * share, unit="% of a round")


def streaming(steps: int, overlap: int) -> Strategy:
    """Streaming DiLoCo whose payload leaves so many steps before the last."""
    return subnetlab.strategies.StreamingDiLoCo(inner_steps=steps, overlap=overlap, fragments=2)


def played(strategy: Strategy, *, rounds: int, **link: float) -> list[Round]:
    """A run of two miners and a validator; every miner's rounds but the first and the last."""
    fleet = subnetlab.LocalFleet(miners=MINERS, validators=1, baseline=False, **link)  # type: ignore[arg-type]
    with subnetlab.connect() as net:
        run: Any = net.create_subnet("linked").train(
            subnetlab.models.TinyGPT("small"), rounds=rounds, strategy=strategy, fleet=fleet
        )
        run.wait(progress=False)
    entries = list(read(run.folder / FILE_NAME))
    assert isinstance(entries[-1].event, RunEnded)
    return list(rounds_of(entries))


def rounds_of(entries: Sequence[Entry]) -> Iterator[Round]:
    """Every miner's rounds of a record that have a round before and after them."""
    started = next(entry.event for entry in entries if isinstance(entry.event, RunStarted))
    first, length = (int(started.manifest[name]) for name in ("first_block", "blocks_per_round"))
    sealed = {e.event.number: e.time for e in entries if isinstance(e.event, BlockSealed)}
    phases = {
        (e.event.uid, e.event.round, e.event.name): e.time for e in entries if isinstance(e.event, Phase)
    }
    for entry in entries:
        event = entry.event
        if not isinstance(event, Mined) or not 0 < event.round < int(started.manifest["rounds"]) - 1:
            continue
        open_, next_open = (sealed[first + length * (event.round + more)] for more in (0, 1))
        beacon, close = (sealed[first + length * event.round + offset] for offset in (2, 3))
        scored = max(at for key, at in phases.items() if key[1:] == (event.round, "scored"))
        synced = phases[event.uid, event.round, "synced"]
        told = {
            "steps": event.compute_s, "compress": event.compress_s, "upload": event.store_s,
            "submit": event.chain_s, "deadline": event.wait_s,
        }  # fmt: skip
        # What came before the miner was through with its steps has cost it nothing.
        times = [max(entry.time, at) for at in (beacon, scored, close, synced)]
        rest = [after - before for before, after in pairwise([entry.time, *times, next_open])]
        told |= dict(zip(("beacon", "judging", "close", "adopt", "open"), rest, strict=True))
        begin = max(0.0, next_open - open_ - sum(told.values()))
        yield Round(event.wire_bytes, {part: ({"begin": begin} | told)[part] for part in PARTS})


def mean(values: Iterator[float]) -> float:
    """Of at least one value."""
    held = list(values)
    return sum(held) / len(held)
