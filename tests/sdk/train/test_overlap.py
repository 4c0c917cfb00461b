"""A payload that is known before a round's last steps goes through its whole round while they are taken."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field
from typing import ClassVar, cast

import pytest

from subnetlab.errors import ObjectMissing, StoreUnreachable, TrainError
from subnetlab.fleet.messages import PeerStopped
from subnetlab.record.events import Event, Mined, RoundClosed, Stepped
from subnetlab.store.base import MOST_NAMES, Store
from subnetlab.store.objects import open_store
from subnetlab.train import object_paths, validator
from subnetlab.train.attackers import ATTACKERS
from subnetlab.train.data import Corpus
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.miner import Miner
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.replica import Adopted
from subnetlab.train.round_record import RoundRecord
from subnetlab.train.strategies import SparseLoCo, StreamingDiLoCo
from subnetlab.train.strategies.base import Strategy
from subnetlab.train.tasks.base import Batch
from subnetlab.train.validator import Validator

from .conftest import MakeManifest, keypair, seats_for

ROLES = ("miner", "miner", "validator")


@dataclass
class Watched:
    """A store in memory that says when a miner's first payload arrives."""

    store: Store = field(default_factory=lambda: open_store("memory"))
    arrived: dict[int, threading.Event] = field(
        default_factory=lambda: {uid: threading.Event() for uid in (0, 1)}
    )
    full: bool = False

    def put(self, name: str, data: bytes) -> None:
        for uid, arrived in self.arrived.items():
            if name.startswith(object_paths.all_sealed(0, uid)):
                arrived.set()
                if self.full:
                    raise StoreUnreachable("The disk is full.")
        self.store.put(name, data)

    def get(self, name: str, limit: int) -> bytes:
        return self.store.get(name, limit)

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        return self.store.names(prefix, limit)


class Waiting(Rehearsal):
    """Holds the last step of each miner's first round until its payload has arrived, or too long."""

    patience = 20.0
    overlapped: list[bool]

    def _report(self, event: Event) -> None:
        if isinstance(event, Stepped) and event.round == 0:
            assert isinstance(self.store, Watched)
            self.overlapped.append(self.store.arrived[event.uid].wait(self.patience))
        super()._report(event)


def played(
    make_manifest: MakeManifest, corpus: Corpus, strategy: Strategy, *, attack: str = "", full: bool = False,
    patience: float = 20.0,
) -> Waiting:  # fmt: skip
    manifest = make_manifest(data=corpus.manifest, strategy=strategy, rounds=2)
    seats = seats_for(*ROLES)
    roles = {seat.uid: ATTACKERS[attack].load() for seat in seats[:2]} if attack else {}
    run = Waiting(
        manifest, seats, corpus, lambda seat: lambda message: bytes(keypair(seat.uid).sign(message)),
        roles=roles, store=Watched(full=full),
    )  # fmt: skip
    run.overlapped, run.patience = [], patience
    run.run()
    return run


def test_the_payload_travels_while_the_last_steps_are_taken(
    make_manifest: MakeManifest, corpus: Corpus
) -> None:
    run = played(make_manifest, corpus, StreamingDiLoCo(inner_steps=4, overlap=2, fragments=2))
    assert run.overlapped == [True, True]
    assert len(run.of(Mined)) == 4


class Slow(Miner):
    """Takes the last step of its first round once it has adopted what the round came to, or much later."""

    adopted: ClassVar[list[bool]] = []

    def batches(self, heights: RoundHeights) -> Iterator[Batch]:
        for number, batch in enumerate(super().batches(heights)):
            if heights.round == 0 and number == self.manifest.strategy.inner_steps - 1:
                until = time.monotonic() + 20.0
                while self.replica.round == 0 and time.monotonic() < until:
                    time.sleep(0.01)
                self.adopted.append(self.replica.round == 1)
            yield batch


def test_the_whole_round_passes_while_the_last_steps_are_taken(
    make_manifest: MakeManifest, corpus: Corpus
) -> None:
    strategy = StreamingDiLoCo(inner_steps=4, overlap=2, fragments=2)
    manifest = make_manifest(data=corpus.manifest, strategy=strategy, rounds=3, deterministic=True)
    models: list[list[str]] = []
    Slow.adopted.clear()
    for roles in ({0: Slow, 1: Slow}, {}):
        run = Rehearsal(
            manifest, seats_for(*ROLES), corpus,
            lambda seat: lambda message: bytes(keypair(seat.uid).sign(message)), roles=dict(roles),
        )  # fmt: skip
        run.run()
        assert len(run.of(Mined)) == 6
        if roles:
            first = [each for each in run.of(Mined) if isinstance(each, Mined) and each.round == 0]
            assert [each.store_s + each.chain_s + each.wait_s for each in first] == [0.0, 0.0]
        models.append([each.theta_hash for each in run.of(RoundClosed) if isinstance(each, RoundClosed)])
    assert Slow.adopted == [True, True]
    assert models[0] == models[1], "when a round passes changes no bit of it"
    assert len(models[0]) == 3


@dataclass
class Late:
    """A store in memory that takes an aggregate once its round is closed, or that loses payloads before."""

    loses: bool
    store: Store = field(default_factory=lambda: open_store("memory"))
    over: dict[str, threading.Event] = field(default_factory=lambda: defaultdict(threading.Event))
    late: list[bool] = field(default_factory=list[bool])

    def put(self, name: str, data: bytes) -> None:
        if "/aggregate/" in name and not self.loses:
            self.late.append(self.over[name[:13]].wait(20.0))
        self.store.put(name, data)
        if name.startswith("records/"):  # every payload was judged
            round_ = RoundRecord.from_bytes(data).round
            self.over[f"lost {round_}"].set()

    def get(self, name: str, limit: int) -> bytes:
        if self.loses and "/sealed/" in name and self.over[f"lost {int(name[7:13])}"].is_set():
            raise ObjectMissing(f"{name} was taken away.")
        return self.store.get(name, limit)

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        return self.store.names(prefix, limit)


class Told(Rehearsal):
    """Tells its store when a round has closed."""

    def _report(self, event: Event) -> None:
        if isinstance(event, RoundClosed):
            cast("Late", self.store).over[f"rounds/{event.round:06}"].set()
        super()._report(event)


@pytest.mark.parametrize("loses", [False, True])
def test_a_round_is_followed_without_its_aggregate_or_without_its_payloads(
    make_manifest: MakeManifest, corpus: Corpus, *, loses: bool
) -> None:
    """Payloads are gathered where the aggregate is still on its way; where they are gone it is waited for."""
    strategy = StreamingDiLoCo(inner_steps=4, overlap=2, fragments=2)
    manifest = make_manifest(data=corpus.manifest, strategy=strategy, rounds=3)
    store = Late(loses)
    run = Told(
        manifest, seats_for(*ROLES), corpus,
        lambda seat: lambda message: bytes(keypair(seat.uid).sign(message)), store=store,
    )  # fmt: skip
    run.run()
    assert len(run.of(RoundClosed)) == 3
    assert {peer.replica.hash for peer in run.peers.values()} == {run.peers[2].replica.hash}
    assert store.late == ([] if loses else [True, True, True])
    assert len(store.names("rounds/000002/aggregate")) == 1, "the last one is stored before the run ends"


def test_a_validator_that_is_stopped_stores_its_last_aggregate(
    make_manifest: MakeManifest, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its peers have gathered the payloads; who looks at the run afterwards reads the aggregate."""

    class Stopped(Validator):
        def closed(self, heights: RoundHeights, adopted: Adopted | None) -> None:
            super().closed(heights, adopted)
            raise PeerStopped

    def waited(those: list[Future[None]], limit_s: float) -> object:
        store.over["rounds/000000"].set()
        return wait_for(those, limit_s + 20.0)

    monkeypatch.setattr(validator, "wait_for", waited)
    strategy = StreamingDiLoCo(inner_steps=4, overlap=2, fragments=2)
    store = Late(loses=False)
    run = Rehearsal(
        make_manifest(data=corpus.manifest, strategy=strategy, rounds=2), seats_for(*ROLES), corpus,
        lambda seat: lambda message: bytes(keypair(seat.uid).sign(message)), roles={2: Stopped}, store=store,
    )  # fmt: skip
    with pytest.raises(TrainError, match="uid 2 failed"):
        run.run()
    assert len(store.names("rounds/000000/aggregate")) == 1


@pytest.mark.parametrize(
    ("strategy", "attack"),
    [(SparseLoCo(inner_steps=4), ""), (StreamingDiLoCo(inner_steps=4, overlap=2, fragments=2), "sign_flip")],
)
def test_what_a_later_step_may_change_waits_for_it(
    make_manifest: MakeManifest, corpus: Corpus, strategy: Strategy, attack: str
) -> None:
    run = played(make_manifest, corpus, strategy, attack=attack, patience=0.2)
    assert not any(run.overlapped)


def test_a_store_that_takes_nothing_is_said_by_the_miner(make_manifest: MakeManifest, corpus: Corpus) -> None:
    strategy = StreamingDiLoCo(inner_steps=4, overlap=2, fragments=2)
    with pytest.raises(TrainError, match="The disk is full"):
        played(make_manifest, corpus, strategy, full=True)
