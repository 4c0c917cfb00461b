"""What a late joiner of a public run reads and how long it takes, from a checkpoint and from the first round.

A thousand rounds of the demonstration's model as eight miners of SparseLoCo leave them, in memory: what is
measured is reading, checking and replaying, not a network. The bytes say what a network would carry.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from subnetlab.network.memory import MemoryNet
from subnetlab.store.base import Store
from subnetlab.store.objects import open_store
from subnetlab.train import aggregate, data, object_paths, tasks
from subnetlab.train.anchors import Anchor
from subnetlab.train.manifest import Manifest
from subnetlab.train.models import TinyGPT
from subnetlab.train.payload.update import Update
from subnetlab.train.replica import Replica
from subnetlab.train.roster import FixedRoster, Seat
from subnetlab.train.round_record import Accepted, RoundRecord, aggregate_hash
from subnetlab.train.strategies import SparseLoCo
from tests.benchmarks.measure import Figure, median_of

EVERY, ROUNDS = 10, 1_000
MOVED = 0.1
"""Share of the parameters that eight payloads of two to three per cent move together."""
VALIDATOR = Seat(uid=1, hotkey="5Validator", role="validator")
ENTRY = Accepted(0, "5Miner", "0" * 64, "1" * 64, 4)


@dataclass(slots=True)
class Counted:
    """A store that counts what is read."""

    store: Store
    read: int = 0
    objects: int = 0

    def put(self, name: str, data: bytes) -> None:
        """See `Store.put`."""
        self.store.put(name, data)

    def get(self, name: str, limit: int) -> bytes:
        """See `Store.get`."""
        found = self.store.get(name, limit)
        self.read, self.objects = self.read + len(found), self.objects + 1
        return found

    def names(self, prefix: str, limit: int = 10_000) -> list[str]:
        """See `Store.names`."""
        return self.store.names(prefix, limit)


def past(rounds: int) -> tuple[Manifest, MemoryNet, Store]:
    """A run that has come to its last round; of its checkpoints only the newest are in the store."""
    corpus = data.text("The quick brown fox jumps over the lazy dog. " * 400, name="fox").read()
    model = TinyGPT("demo")
    manifest = Manifest(
        run_id="long", netuid=1, model=model, task=tasks.of_model(model), data=corpus.manifest,
        strategy=SparseLoCo(inner_steps=30), rounds=rounds, first_block=1, checkpoint_every=EVERY,
    )  # fmt: skip
    net, store = MemoryNet(), open_store("memory")
    author = Replica(manifest, FixedRoster((VALIDATOR,)), net.chain("author"), store)
    size, draw = author.layout.size, torch.Generator().manual_seed(1)
    for round_ in range(rounds):
        positions = torch.randperm(size, generator=draw)[: int(size * MOVED)].sort().values
        update = Update(positions, torch.randn(len(positions), generator=draw) * 1e-4)
        written = aggregate.write(update, author.layout)
        after = author.foresee(update, round_, aggregate_hash(written))
        kept = author.checkpoint()
        record = RoundRecord(
            run=author.run, round=round_, previous=author.previous, accepted=(ENTRY,),
            aggregate_hash=aggregate_hash(written), theta_before=author.hash, theta_after=after,
            checkpoint=kept.hash if kept else "",
        )  # fmt: skip
        store.put(object_paths.aggregate(round_, record.aggregate_hash), written)
        store.put(object_paths.record(record.hash), record.to_bytes())
        if kept is not None and round_ >= rounds - 2 * EVERY:
            store.put(object_paths.checkpoint(kept.hash), kept.data)
        net.seal(manifest.heights(round_).beacon - net.wait_for(0, 1).number)
        net.chain(VALIDATOR.hotkey).commit(Anchor("validator", round_, bytes.fromhex(record.hash)).to_bytes())
        net.seal(manifest.heights(round_).close - net.wait_for(0, 1).number)
        author.adopt(round_)
    return manifest, net, store


def joined(manifest: Manifest, net: MemoryNet, store: Store, *, whole: bool) -> tuple[float, Counted]:
    """Catch up as who joins now does; seconds, and what was read."""
    counted = Counted(store)
    replica = Replica(manifest, FixedRoster((VALIDATOR,)), net.chain("late"), counted)
    began = time.perf_counter()
    replica.adopt(manifest.rounds - 1, (lambda _: None) if whole else None)
    seconds = time.perf_counter() - began
    assert replica.round == manifest.rounds
    assert bool(replica.began_at) is not whole
    return seconds, counted


def measure(quick: bool) -> Iterator[Figure]:
    """Three rounds before the end a checkpoint is due no more, so a late joiner replays a few rounds."""
    torch.set_num_threads(1)
    rounds = (50 if quick else ROUNDS) - 3
    manifest, net, store = past(rounds)
    late = [joined(manifest, net, store, whole=False) for _ in range(1 if quick else 5)]
    slow, everything = joined(manifest, net, store, whole=True)
    yield median_of(
        f"from a checkpoint, after {rounds} rounds", [seconds for seconds, _ in late], "s",
        peer="every round replayed", peer_value=slow,
    )  # fmt: skip
    read = late[0][1]
    yield median_of(
        "read for it", [read.read / 1e6], "MB", peer="every round replayed", peer_value=everything.read / 1e6
    )
    yield median_of("objects", [read.objects], "", peer="every round replayed", peer_value=everything.objects)
