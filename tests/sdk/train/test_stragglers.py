"""A place that answers drop by drop: validators and followers go on with those that arrived."""

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from tests.sdk.store.faulty import serving

from subnetlab.errors import ObjectMissing, PayloadRejected
from subnetlab.network.chain import Commitment
from subnetlab.network.memory import MemoryNet
from subnetlab.store.base import Store
from subnetlab.store.objects import open_store
from subnetlab.store.patience import Patience
from subnetlab.store.places import LocatedPlaces, OwnPlace
from subnetlab.train import object_paths, stragglers
from subnetlab.train.anchors import Anchor
from subnetlab.train.intake import Fetched, Intake
from subnetlab.train.manifest import Manifest
from subnetlab.train.stragglers import Until, read_all
from subnetlab.train.theta import Layout

from .conftest import seats_for
from .test_intake import DEADLINE, ROUND, Sender

MINERS = 4
PATIENT = Patience(request_s=300.0, total_s=300.0)
"""A test that waited so long for a place would fail by its own limit."""


@dataclass
class Places:
    """Four miners' places behind one server; those of `dripping` never answer whole."""

    senders: list[Sender]
    net: MemoryNet = field(default_factory=MemoryNet)
    dripping: set[int] = field(default_factory=set[int])
    seals: int = 0
    """Blocks that come once a place drips."""
    ended: threading.Event = field(default_factory=threading.Event)
    """Whether a reader of a place that drips has gone."""
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        uid, _, name = request.path.removeprefix("/u").partition("/")
        if int(uid) in self.dripping:
            return await self._drip(request)
        try:
            return web.Response(body=self.senders[int(uid)].store.get(name, 1 << 20))
        except ObjectMissing:
            return web.Response(status=404)

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        body = web.StreamResponse()
        body.enable_chunked_encoding()
        await body.prepare(request)
        if self.seals:
            self.net.seal(self.seals)
            self.seals = 0
        try:
            while True:
                await body.write(b"x")
                await asyncio.sleep(0.01)
        finally:
            self.ended.set()

    def locator(self, uid: int) -> str:
        return f"{self.url}/u{uid}"

    @property
    def reader(self) -> Store:
        find = LocatedPlaces(allow_local=True, patience=PATIENT)
        return OwnPlace(mine=open_store("memory"), find=find, own_backing=True)

    def commitments(self) -> dict[str, Commitment]:
        return {
            sender.seat.hotkey: Commitment(
                sender.seat.hotkey,
                Anchor(
                    "miner", ROUND, sender.sealed.commitment, locator=self.locator(sender.seat.uid)
                ).to_bytes(),
                sender.block,
            )
            for sender in self.senders
        }

    def intake(self) -> Intake:
        first = self.senders[0]
        return Intake(first.manifest.hash, self.reader, first.codec, DEADLINE)


@contextmanager
def served(manifest: Manifest, layout: Layout, *dripping: int) -> Generator[Places]:
    senders: list[Sender] = []
    for seat in seats_for(*["miner"] * MINERS):
        sender = Sender(manifest, seat, layout, open_store("memory"))
        commitment = sender.sealed.commitment
        sender.store.put(object_paths.sealed(ROUND, seat.uid, commitment), sender.sealed.data)
        name = object_paths.reveal(ROUND, seat.uid, DEADLINE, commitment.hex())
        sender.store.put(name, sender.reveal)
        senders.append(sender)
    places = Places(senders, dripping=set(dripping))
    with serving(places.answer) as url:
        places.url = url
        yield places


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stragglers are told apart at once here."""
    monkeypatch.setattr(stragglers, "_AT_LEAST_S", 0.0)
    monkeypatch.setattr(stragglers, "_LOOK_S", 0.01)


def test_a_payload_that_drips_counts_as_withheld_and_the_others_are_judged(
    make_manifest: Callable[..., Manifest], layout: Layout
) -> None:
    with served(make_manifest(), layout, 2) as places:
        heights = places.senders[0].heights
        places.net.seal(heights.beacon)
        places.seals = heights.close - heights.beacon
        intake, until = places.intake(), Until.judged(places.net.chain("reader"), heights)
        seats = [sender.seat for sender in places.senders]
        found = intake.fetch_all(seats, heights, places.commitments(), until)
        assert places.ended.wait(300), "the read that was given up goes on"
    late = found.pop(2)
    assert isinstance(late, PayloadRejected)
    assert late.reason == "unreachable"
    for seat in (seat for seat in seats if seat.uid != 2):
        sent = found[seat.uid]
        assert isinstance(sent, Fetched)
        assert intake.check(seat, heights, sent).entry.uid == seat.uid


def test_who_follows_gives_up_a_payload_that_drips_to_it_alone(
    make_manifest: Callable[..., Manifest], layout: Layout
) -> None:
    """Then the aggregate is read instead, which the validators store who were served."""
    with served(make_manifest(), layout) as places:
        heights, intake = places.senders[0].heights, places.intake()
        entries = [
            intake.receive(sender.seat, heights, places.commitments()).entry for sender in places.senders
        ]
        locators = {sender.seat.hotkey: places.locator(sender.seat.uid) for sender in places.senders}
        places.net.seal(heights.close)
        until = Until.followed(places.net.chain("reader"), heights)
        assert len(intake.again_all(entries, heights, locators, until)) == MINERS
        places.dripping, places.seals = {1}, heights.next_open - heights.close
        with pytest.raises(PayloadRejected, match="uid 1 had not answered whole"):
            places.intake().again_all(entries, heights, locators, until)
        assert places.ended.wait(300)


def test_nothing_is_given_up_before_the_block_has_come() -> None:
    """A slow place is read to its end where the round has time."""
    chain, going, looks = MemoryNet().chain("reader"), threading.Event(), list[int]()

    def read(name: str) -> str:
        if name == "slow":
            assert going.wait(300)
        return name

    class Looking(Until):
        """Lets the slow one arrive once it was asked a few times."""

        def is_over(self) -> bool:
            looks.append(self.height)
            if len(looks) == 3:
                going.set()
            return Until.is_over(self)

    both = read_all(read, ["quick", "slow"], Looking(chain, 5), arrived=lambda _: True)
    assert both == ["quick", "slow"]
    assert len(looks) >= 3


@pytest.mark.parametrize(("arrived", "pending", "may_end"), [(0, 1, False), (1, 2, False), (2, 2, True)])
def test_where_most_are_on_their_way_all_are_slow(arrived: int, pending: int, may_end: bool) -> None:
    reads = stragglers.Reads[str](None, lambda _: True)
    reads.took_s += [0.0] * arrived
    assert reads.may_end(pending) is may_end


def test_what_a_read_raises_ends_the_others() -> None:
    held = threading.Event()

    def read(name: str) -> str:
        if name == "bad":
            raise PayloadRejected("It is another.", reason="wrong_hash")
        held.wait(300)
        return name

    try:
        with pytest.raises(PayloadRejected, match="another"):
            read_all(read, ["slow", "bad"], None, arrived=lambda _: True)
    finally:
        held.set()
