"""A late joiner begins at a checkpoint that the records name; a wrong one costs it time and nothing else."""

from collections.abc import Callable

import pytest
import torch
from safetensors.torch import save

from subnetlab.errors import ManifestInvalid, ObjectMissing, PayloadRejected, TrainError
from subnetlab.record.events import RoundClosed
from subnetlab.train import aggregate, checkpoint, object_paths
from subnetlab.train.checkpoint import Checkpoint
from subnetlab.train.manifest import Manifest
from subnetlab.train.payload.update import Update
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.replica import Replica
from subnetlab.train.round_record import RoundRecord, aggregate_hash
from subnetlab.train.strategies import DDP, DeMo, DiLoCo, MuLoCo, SparseLoCo, StreamingDiLoCo
from subnetlab.train.strategies.base import Strategy

from .test_replica import ENTRY, LEAD, SECOND, World

EVERY = 3
ROUNDS = 8


def publish(world: World, round_: int, *, seed: int = 0, by: tuple[object, ...] = (LEAD, SECOND)) -> None:
    """One round as honest validators publish it, its checkpoint where one is due."""
    author = world.author
    values = torch.randn(author.layout.size, generator=torch.Generator().manual_seed(seed + round_)) * 1e-3
    update = Update(None, values)
    data = aggregate.write(update, author.layout)
    after = author.foresee(update, round_, aggregate_hash(data))
    kept = author.checkpoint()
    record = RoundRecord(
        run=author.run, round=round_, previous=author.previous, accepted=(ENTRY,),
        aggregate_hash=aggregate_hash(data), theta_before=author.hash, theta_after=after,
        checkpoint=kept.hash if kept else "",
    )  # fmt: skip
    world.put(object_paths.aggregate(round_, record.aggregate_hash), data)
    world.put(object_paths.record(record.hash), record.to_bytes())
    if kept is not None:
        world.put(object_paths.checkpoint(kept.hash), kept.data)
    for seat in by:
        world.publish(seat, record)
    world.close(round_)
    author.adopt(round_)


@pytest.fixture
def world(make_manifest: Callable[..., Manifest]) -> World:
    """Eight rounds with momentum, and checkpoints after the third and the sixth."""
    world = World(make_manifest(rounds=ROUNDS, strategy=DiLoCo(inner_steps=4), checkpoint_every=EVERY))
    for round_ in range(ROUNDS):
        publish(world, round_)
    return world


class Counted:
    """A store that keeps the names that were read, and holds something else under some of them."""

    def __init__(self, world: World) -> None:
        self.store, self.read, self.altered = world.store, list[str](), dict[str, bytes | None]()

    def put(self, name: str, data: bytes) -> None:
        self.store.put(name, data)

    def get(self, name: str, limit: int) -> bytes:
        self.read.append(name)
        if name in self.altered:
            found = self.altered[name]
            if found is None:
                raise ObjectMissing(name)
            return found
        return self.store.get(name, limit)

    def names(self, prefix: str, limit: int = 100) -> list[str]:
        return self.store.names(prefix, limit)


def late(world: World) -> tuple[Replica, Counted]:
    store = Counted(world)
    return Replica(world.manifest, world.author.roster, world.net.chain("late"), store), store


def test_a_late_joiner_reads_the_newest_checkpoint_and_what_came_after(world: World) -> None:
    replica, store = late(world)
    adopted = replica.adopt(ROUNDS - 1)
    assert adopted is not None
    assert (adopted.record.round, replica.began_at) == (ROUNDS - 1, 6)
    assert replica.hash == world.author.hash
    assert torch.equal(replica.outer["velocity"], world.author.outer["velocity"])
    kinds = [name.split("/")[-2] for name in store.read]
    assert sorted(kinds) == ["aggregate"] * 2 + ["checkpoints"] + ["records"] * 3


def test_the_round_of_the_checkpoint_itself_can_be_the_last_that_is_asked_for(world: World) -> None:
    replica, _ = late(world)
    adopted = replica.adopt(5)
    assert adopted is not None
    assert (adopted.record.round, replica.round, replica.began_at) == (5, 6, 6)
    assert replica.adopt(7) is not None
    assert replica.hash == world.author.hash


def test_who_needs_every_round_replays_every_round(world: World) -> None:
    replica, store = late(world)
    seen: list[int] = []
    replica.adopt(ROUNDS - 1, lambda adopted: seen.append(adopted.record.round))
    assert seen == list(range(ROUNDS))
    assert replica.hash == world.author.hash
    assert not any("checkpoints" in name for name in store.read)


ALTERED = {
    "gone": None, "no safetensors": b"\0" * 100, "another shape": save({"theta": torch.zeros(3)}),
}  # fmt: skip


@pytest.mark.parametrize("what", ALTERED)
def test_a_checkpoint_that_cannot_be_followed_costs_a_full_replay(world: World, what: str) -> None:
    replica, store = late(world)
    store.altered[object_paths.checkpoint(newest(world))] = ALTERED[what]
    replica.adopt(ROUNDS - 1)
    assert replica.began_at == 0
    assert replica.hash == world.author.hash


def newest(world: World) -> str:
    """The hash of the checkpoint that the newest record names."""
    current = world.author.previous
    while True:
        record = RoundRecord.from_bytes(world.store.get(object_paths.record(current), 1 << 18))
        if record.checkpoint:
            return record.checkpoint
        current = record.previous


class Forging(Replica):
    """Names checkpoints whose momentum is twice the right one, from the second round on."""

    def _checkpoint_of(
        self, reached: tuple[torch.Tensor, dict[str, torch.Tensor], str], round_: int
    ) -> Checkpoint | None:
        if super()._checkpoint_of(reached, round_) is None:
            return None
        return Checkpoint.of(reached[0], {name: tensor * 2 for name, tensor in reached[1].items()})


def forge(world: World) -> None:
    """Have the lead publish what no other peer comes to."""
    world.author = Forging(world.manifest, world.author.roster, world.net.chain("lead"), world.store)


@pytest.fixture
def two_at_odds(make_manifest: Callable[..., Manifest]) -> World:
    """The lead forges the second round's checkpoint, and its records lead on from there."""
    return World(make_manifest(rounds=4, strategy=DiLoCo(inner_steps=4), checkpoint_every=2))


def test_peers_that_are_there_refuse_a_checkpoint_that_is_not_their_model(two_at_odds: World) -> None:
    world, present = two_at_odds, two_at_odds.replica()
    forge(world)
    publish(world, 0)
    present.adopt(0)
    publish(world, 1, by=(LEAD,))
    with pytest.raises(TrainError, match="names another checkpoint than the model's"):
        present.adopt(1)


def test_a_forged_momentum_does_not_lead_to_the_recorded_model(two_at_odds: World) -> None:
    """The checkpoint is the recorded one and its θ is right; the round after it shows what is not."""
    world = two_at_odds
    forge(world)
    for round_ in range(3):
        publish(world, round_)
    replica, _ = late(world)
    with pytest.raises(TrainError, match="names another checkpoint than the model's"):
        replica.adopt(2)
    assert replica.began_at == 0
    assert replica.round == 1, "all that could be proven was replayed"


def test_a_second_validator_that_names_another_past_has_every_round_replayed(two_at_odds: World) -> None:
    world, other = two_at_odds, World(two_at_odds.manifest)
    for round_ in range(3):
        publish(other, round_, seed=100, by=(SECOND,))
    for name in other.store.names(""):
        world.put(name, other.store.get(name, 1 << 22))
    tip = RoundRecord.from_bytes(world.store.get(object_paths.record(other.author.previous), 1 << 18))
    for round_ in range(2):
        publish(world, round_, by=(LEAD,))
    alone, _ = late(world)
    alone.adopt(1)
    assert alone.began_at == 2
    world.publish(SECOND, tip, at="beacon")
    publish(world, 2, by=(LEAD,))
    doubting, _ = late(world)
    doubting.adopt(2)
    assert doubting.began_at == 0
    assert doubting.hash == world.author.hash


def test_a_manifest_says_how_often_and_leaves_out_never(make_manifest: Callable[..., Manifest]) -> None:
    assert "checkpoint_every" not in make_manifest().to_json()
    manifest = make_manifest(checkpoint_every=7)
    assert Manifest.from_json(manifest.to_json()).checkpoint_every == 7
    for wrong in (-1, True, "2", 10**9):
        with pytest.raises(ManifestInvalid, match="checkpoint_every="):
            make_manifest(checkpoint_every=wrong)


STRATEGIES: list[Strategy] = [
    DDP(), DeMo(), DiLoCo(), MuLoCo(), SparseLoCo(), StreamingDiLoCo(inner_steps=4, fragments=2),
]  # fmt: skip


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: type(strategy).__name__)
def test_a_checkpoint_holds_what_a_strategy_keeps(
    make_manifest: Callable[..., Manifest], strategy: Strategy
) -> None:
    manifest = make_manifest(strategy=strategy)
    theta_P = torch.randn(50)
    expected = checkpoint.template(manifest, theta_P)
    outer = {name.removeprefix("outer."): tensor for name, tensor in expected.items() if name != "theta"}
    kept = Checkpoint.of(theta_P, outer)
    assert len(kept.data) <= checkpoint.limit(expected)
    found, state = checkpoint.read(kept.data, expected)
    assert torch.equal(found, theta_P)
    assert {name: tensor.shape for name, tensor in state.items()} == {
        name: tensor.shape for name, tensor in outer.items()
    }
    assert checkpoint.read(Checkpoint.of(theta_P, {}).data, expected)[1] == {}
    more, less = {"theta": theta_P, "more": torch.ones(50)}, {"theta": theta_P[:9].clone()}
    for wrong in (b"", b"\xff" * 99, save(more), save(less)):
        with pytest.raises(PayloadRejected):
            checkpoint.read(wrong, expected)


def test_validators_publish_checkpoints_that_all_peers_follow(
    rehearse: Callable[..., Rehearsal],
) -> None:
    run = rehearse("miner", "miner", "validator", "validator", rounds=4, checkpoint_every=2)
    run.run()
    closed = [event for event in run.events if isinstance(event, RoundClosed)]
    assert [bool(event.checkpoint) for event in closed] == [False, True, False, True]
    assert len(run.store.names("checkpoints")) == 2
    replica = Replica(run.manifest, run.peers[0].roster, run.net.chain("late"), run.store)
    replica.adopt(3)
    assert replica.began_at == 4
    assert replica.hash == closed[-1].theta_hash
