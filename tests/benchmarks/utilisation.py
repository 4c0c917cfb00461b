"""How much of a whole round a miner takes steps, at the compute-to-payload ratio and link of Covenant-72B.

There 20 minutes of steps go with a payload of 72.7 billion parameters compressed 146 times, 1.99 GB, over
110 Mbit/s up, 500 down and 80 ms: 145 s for one way up (arXiv 2603.08163; they state 94.5 %). Here everything
is scaled by one factor, what the steps of a round take over those 20 minutes: each peer's link, the
validator's too, is made so slow that a payload takes the same share of a round, and the way there and back so
short.

A step waits for a device that is not this machine's processor, as a GPU is: the forward pass of the model
sleeps, by the token; where nothing is trained a third as long. So the processor is left to what is
measured: encoding, store, chain, judging, aggregating, following. Of a round is all of the time from its open
block to the next; each part is what no step is taken beside. In a local fleet blocks come as soon as all are
ready; the last figures are of a chain whose blocks come by its clock, 12 s each and 100 a round, scaled too.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import torch
from torch import Tensor, nn

import subnetlab
from subnetlab.record.events import BlockSealed, Event, Mined, Phase, RunEnded, RunStarted
from subnetlab.record.line import FILE_NAME, Entry
from subnetlab.record.reader import read
from subnetlab.train.manifest import Manifest, RoundHeights
from subnetlab.train.strategies.base import Strategy
from subnetlab.train.tasks import of_model
from tests.benchmarks.clocked import clocked
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
BATCH, LENGTH = 16, 32
TOKENS = BATCH * LENGTH
BLOCKS: Final = 100
"""Of a round by the chain's clock."""


class Paced(nn.Module):
    """A small language model whose every token waits for a device elsewhere."""

    def __init__(self, step_s: float, width: int = 64) -> None:
        super().__init__()
        self.step_s = step_s
        self.bytes = nn.Embedding(256, width)
        self.wide = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.head = nn.Linear(width, 256)

    def forward(self, tokens: Tensor) -> Tensor:
        """The logits; by the token, of whose step a forward pass is a third."""
        time.sleep(self.step_s * tokens.numel() / TOKENS / (1 if self.training else 3))
        x = self.bytes(tokens)
        return self.head(x + self.narrow(torch.relu(self.wide(x))))


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
    """Strategies whose payload waits for the last step, one whose round passes beside the last half."""
    rounds, steps = (4, 12) if quick else (8, 48)
    step_s = 0.1 if quick else 0.25
    for name, strategy in (
        ("SparseLoCo", subnetlab.strategies.SparseLoCo(inner_steps=steps)),
        ("StreamingDiLoCo, no overlap", streaming(steps, 0)),
        ("StreamingDiLoCo, overlap of half a round", streaming(steps, steps // 2)),
    ):
        with tempfile.TemporaryDirectory(prefix="sl") as home:
            os.environ["SUBNETLAB_HOME"] = home
            wire_bytes = played(strategy, step_s, rounds=3)[0].wire_bytes
            linked = played(strategy, step_s, rounds=rounds, **link(wire_bytes, steps * step_s))
        limit = {"limit": 0.97, "at_least": True} if "overlap of" in name else {}
        yield from figures(f"{name}: steps, of a whole round", linked, **limit)
    yield from by_the_clock(steps, step_s, rounds)


def figures(name: str, rounds: Sequence[Round], **limit: Any) -> Iterator[Figure]:
    """The share of the steps, and of everything that is not beside them."""
    wall_s = sum(each.wall_s for each in rounds)
    shares = {part: sum(each.parts[part] for each in rounds) / wall_s for part in PARTS}
    yield Figure(
        name=name, value=shares["steps"], unit="", samples=len(rounds),
        peer="Covenant-72B states", peer_value=STATED, note=f"a round takes {wall_s / len(rounds):.2f} s",
        **limit,
    )  # fmt: skip
    for part, share in shares.items():
        if part != "steps" and share >= 0.0005:
            yield Figure(name=f"  {PARTS[part]}", value=100 * share, unit="% of a round")


def link(wire_bytes: int, steps_s: float) -> dict[str, float]:
    """A link on which such a payload takes the same share of such steps as Covenant's does of its own."""
    mbps = wire_bytes * 8 / (TRAVEL * steps_s) / 1e6
    rtt_ms = RTT_S * steps_s / STEPS_S * 1e3
    return {"uplink_mbps": mbps, "downlink_mbps": mbps * DOWN_BITS / UP_BITS, "rtt_ms": rtt_ms}


def streaming(steps: int, overlap: int) -> Strategy:
    """Streaming DiLoCo whose payload leaves so many steps before the last."""
    return subnetlab.strategies.StreamingDiLoCo(inner_steps=steps, overlap=overlap, fragments=2)


def played(strategy: Strategy, step_s: float, *, rounds: int, **rates: float) -> list[Round]:
    """A run of two miners and a validator; every miner's rounds but the first and the last."""
    fleet = subnetlab.LocalFleet(miners=MINERS, validators=1, baseline=False, **rates)  # type: ignore[arg-type]
    model = subnetlab.models.source(lambda: Paced(step_s), seq_len=LENGTH, vocab_size=256)
    with subnetlab.connect() as net:
        run: Any = net.create_subnet("linked").train(
            model=model,
            data=subnetlab.data.stdlib(400_000),
            rounds=rounds,
            strategy=strategy,
            fleet=fleet,
            batch_size=BATCH,
        )
        run.wait(progress=False)
    entries = list(read(run.folder / FILE_NAME))
    assert isinstance(entries[-1].event, RunEnded)
    return list(recorded(entries))


def recorded(entries: Sequence[Entry]) -> Iterator[Round]:
    """Every miner's rounds of a local run's record."""
    started = next(entry.event for entry in entries if isinstance(entry.event, RunStarted))
    first, length, rounds = (
        int(started.manifest[name]) for name in ("first_block", "blocks_per_round", "rounds")
    )
    sealed = {e.event.number: e.time for e in entries if isinstance(e.event, BlockSealed)}
    opens = [first + length * number for number in range(rounds + 1)]
    heights = [
        RoundHeights(
            number, opens[number], opens[number] + 1, opens[number] + 2, opens[number] + 3, opens[number + 1]
        )
        for number in range(rounds)
    ]
    told = [(entry.time, entry.event) for entry in entries if entry.event is not None]
    return rounds_of(told, sealed, heights)


def rounds_of(
    told: Sequence[tuple[float, Event]], sealed: Mapping[int, float], heights: Sequence[RoundHeights]
) -> Iterator[Round]:
    """Every miner's rounds but the first and the last, from when what was told and which block came."""
    phases = {(e.uid, e.round, e.name): at for at, e in told if isinstance(e, Phase)}
    for at, event in told:
        if not isinstance(event, Mined) or not 0 < event.round < len(heights) - 1:
            continue
        of = heights[event.round]
        scored = max(done for key, done in phases.items() if key[1:] == (event.round, "scored"))
        synced = phases[event.uid, event.round, "synced"]
        parts = {
            "steps": event.compute_s, "compress": event.compress_s, "upload": event.store_s,
            "submit": event.chain_s, "deadline": event.wait_s,
        }  # fmt: skip
        # What came before the miner was through with its steps has cost it nothing.
        times = [max(at, done) for done in (sealed[of.beacon], scored, sealed[of.close], synced)]
        ends = [at, *times, max(synced, sealed[of.next_open])]
        rest = [after - before for before, after in pairwise(ends)]
        parts |= dict(zip(("beacon", "judging", "close", "adopt", "open"), rest, strict=True))
        begin = max(0.0, ends[-1] - sealed[of.open] - sum(parts.values()))
        yield Round(event.wire_bytes, {part: ({"begin": begin} | parts)[part] for part in PARTS})


def by_the_clock(steps: int, step_s: float, rounds: int) -> Iterator[Figure]:
    """What a miner waits for blocks that come every 12 s, a hundred a round, in time with its steps."""
    corpus = subnetlab.data.stdlib(400_000).read()
    model = subnetlab.models.source(lambda: Paced(step_s), seq_len=LENGTH, vocab_size=256)
    manifest = Manifest(
        run_id="clocked", netuid=1, model=model, task=of_model(model), data=corpus.manifest,
        strategy=streaming(steps, steps // 2), rounds=4, first_block=2, batch_size=BATCH,
    )  # fmt: skip
    measured = [event for _, event in clocked(manifest, corpus, MINERS).told if isinstance(event, Mined)]
    # As an owner's plan does: the round is as long as the slowest of its measured steps, and a block's share.
    work_s = max(event.compute_s + event.compress_s for event in measured if event.round > 0)
    block_s = work_s * (1 + 0.7 / BLOCKS) / BLOCKS
    timed = replace(manifest, rounds=rounds, blocks_per_round=BLOCKS, offsets=(66, 68, BLOCKS - 8))
    run = clocked(timed, corpus, MINERS, block_s=block_s, **link(measured[0].wire_bytes, work_s))
    heights = [timed.heights(number) for number in range(rounds)]
    found = list(rounds_of(run.told, run.sealed, heights))
    wall_s = sum(each.wall_s for each in found)
    waits = ("submit", "deadline", "beacon", "close", "open")
    yield Figure(
        name=f"by a clock, {BLOCKS} blocks a round: waiting for blocks", unit="% of a round",
        value=100 * sum(each.parts[part] for each in found for part in waits) / wall_s, limit=1.0,
        samples=len(found), note=f"a block of 12 s takes {block_s:.3f} s here",
    )  # fmt: skip
    yield from figures("  steps, of a whole round", found, limit=0.97, at_least=True)
