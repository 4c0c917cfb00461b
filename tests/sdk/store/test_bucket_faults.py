"""A bucket that is away, slow, endless or forgetful: tried again, cut off, and never written twice."""

import asyncio
import resource
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from subnetlab.errors import ObjectExists, ObjectTooLarge, StoreUnreachable
from subnetlab.store.base import Store
from subnetlab.store.objects import open_store
from subnetlab.store.patience import Away, Patience

from .faulty import serving

Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@dataclass(slots=True)
class Bucket:
    """A bucket that keeps objects by path, with If-None-Match, and plays the faults that wait in a row."""

    objects: dict[str, bytes] = field(default_factory=dict[str, bytes])
    faults: list[Fault] = field(default_factory=list[Fault])
    asked: list[str] = field(default_factory=list[str])

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        if self.faults:
            fault = await self.faults.pop(0)(request)
            if fault is not None:
                return fault
        return await self.plainly(request)

    async def plainly(self, request: web.Request) -> web.StreamResponse:
        data = self.objects.get(request.path)
        if request.method == "PUT":
            if data is not None and request.headers.get("If-None-Match") == "*":
                return web.Response(status=412)
            self.objects[request.path] = await request.read()
            return web.Response(headers={"ETag": '"1"'})
        if data is None:
            return web.Response(status=404)
        stamp = {"ETag": '"1"', "Last-Modified": "Sat, 28 Nov 2026 10:00:00 GMT"}
        return web.Response(body=data, headers=stamp)


def status(code: int) -> Fault:
    async def fault(request: web.Request) -> web.StreamResponse:
        await request.read()
        return web.Response(status=code)

    return fault


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


def pouring(piece: bytes, pause_s: float, size: int) -> Fault:
    async def fault(request: web.Request) -> web.StreamResponse:
        body = web.StreamResponse(headers={"ETag": '"1"', "Last-Modified": "Sat, 28 Nov 2026 10:00:00 GMT"})
        body.content_length = size
        await body.prepare(request)
        while True:
            await body.write(piece)
            await asyncio.sleep(pause_s)

    return fault


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def where(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anyone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
    with serving(bucket.answer) as endpoint:
        yield f"s3://runs/me?endpoint={endpoint}&region=x"


PATIENT = Patience(request_s=20.0, total_s=40.0, first_wait_s=0.001, longest_wait_s=0.01)
BRISK = Patience(request_s=0.4, total_s=40.0, first_wait_s=0.001, longest_wait_s=0.01)
"""Gives a request up soon, and asks again for long."""
HASTY = Patience(request_s=0.4, total_s=1.0, first_wait_s=0.001, longest_wait_s=0.01)


@pytest.fixture
def store(where: str) -> Store:
    return open_store(where, patience=PATIENT)


@pytest.fixture
def hasty(where: str) -> Store:
    """What is asked of it is not meant to come."""
    return open_store(where, patience=HASTY)


def test_503_and_429_are_asked_again(store: Store, bucket: Bucket) -> None:
    bucket.faults = [status(503)] * 3 + [status(429)]
    store.put("a", b"data")
    assert bucket.objects == {"/runs/me/a": b"data"}
    bucket.faults = [status(500)] * 4
    assert store.get("a", limit=4) == b"data"


def test_a_store_that_is_away_for_good_is_said_with_the_last_reason(hasty: Store, bucket: Bucket) -> None:
    bucket.faults = [status(503)] * 10_000
    with pytest.raises(StoreUnreachable, match=r"did not take 'a', tried \d+ times: .*503"):
        hasty.put("a", b"data")
    assert bucket.objects == {}


def test_a_put_whose_answer_was_lost_is_its_own(store: Store, bucket: Bucket) -> None:
    """The object is written, the answer is not heard: the next attempt meets its own object."""

    async def heard_not(request: web.Request) -> web.StreamResponse | None:
        await bucket.plainly(request)
        return web.Response(status=500)

    store.put("warm", b"")
    bucket.faults = [heard_not]
    store.put("a", b"data")
    assert store.get("a", limit=4) == b"data"
    with pytest.raises(ObjectExists):
        store.put("a", b"data")

    async def another_was_first(request: web.Request) -> web.StreamResponse | None:
        bucket.objects[request.path] = b"theirs"
        return web.Response(status=500)

    bucket.faults = [another_was_first]
    with pytest.raises(ObjectExists):
        store.put("b", b"data")
    assert store.get("b", limit=9) == b"theirs"


def test_a_silent_server_is_given_up_and_asked_again(
    store: Store, hasty: Store, where: str, bucket: Bucket
) -> None:
    store.put("a", b"data")
    bucket.faults = [hang]
    assert open_store(where, patience=BRISK).get("a", limit=4) == b"data"
    bucket.faults = [hang] * 100
    with pytest.raises(StoreUnreachable, match="did not serve 'a'"):
        hasty.get("a", limit=4)


def test_a_drip_is_cut_off(hasty: Store, bucket: Bucket) -> None:
    bucket.faults = [pouring(b"x", 0.01, 5000)] * 100
    with pytest.raises(StoreUnreachable, match="did not serve 'a'"):
        hasty.get("a", limit=5000)


def test_a_giant_is_refused_by_its_length(store: Store, bucket: Bucket) -> None:
    bucket.faults = [pouring(b"x" * 65536, 0, 1 << 50)]
    with pytest.raises(ObjectTooLarge):
        store.get("a", limit=1 << 20)


def test_a_lasting_refusal_is_not_asked_again(store: Store, bucket: Bucket) -> None:
    for code in (401, 403):
        bucket.asked.clear()
        bucket.faults = [status(code)] * 9
        with pytest.raises(StoreUnreachable, match="refuses 'a'"):
            store.get("a", limit=1)
        assert len(bucket.asked) == 1
        bucket.faults.clear()


def test_a_clock_that_is_wrong_is_named(store: Store, bucket: Bucket) -> None:
    async def fault(request: web.Request) -> web.StreamResponse:
        await request.read()
        said = (
            "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large.</Message></Error>"
        )
        return web.Response(status=403, text=said, content_type="application/xml")

    bucket.faults = [fault]
    with pytest.raises(StoreUnreachable, match=r"refuses 'a'.*Set the clock of this machine"):
        store.get("a", limit=1)
    assert len(bucket.asked) == 1


def test_a_store_without_room_is_asked_again_and_then_said(
    store: Store, hasty: Store, bucket: Bucket
) -> None:
    bucket.faults = [status(507)] * 3
    store.put("a", b"data")
    assert bucket.objects == {"/runs/me/a": b"data"}
    bucket.faults = [status(507)] * 10_000
    with pytest.raises(StoreUnreachable, match=r"did not take 'b', tried \d+ times: .*507"):
        hasty.put("b", b"data")


def test_a_server_that_is_not_there_is_tried_until_the_time_is_over(where: str) -> None:
    now, waits = [0.0], list[float]()

    def wait(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds + 1.0

    gone = f"{where.partition('?')[0]}?endpoint=http://127.0.0.1:1&region=x"
    patience = Patience(total_s=60.0, clock=lambda: now[0], wait=wait)
    with pytest.raises(StoreUnreachable, match="tried"):
        open_store(gone, patience=patience).put("a", b"")
    assert 50.0 < now[0] <= 61.0
    assert len(waits) > 10


def test_missing_credentials_are_said_at_once(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is none of a cloud has no credentials of its own; nothing is tried again for them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    waits: list[float] = []
    patience = Patience(request_s=2.0, total_s=1e6, wait=waits.append)
    with pytest.raises(StoreUnreachable, match=r"No credentials .* name a profile"):
        open_store(where, patience=patience).get("a", limit=1)
    assert waits == []


def test_waits_grow_and_are_drawn_and_bounded() -> None:
    now, waits = [0.0], list[float]()

    def wait(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    def attempt(number: int) -> str:
        if number < 400:
            raise Away("not yet")
        return "here"

    patience = Patience(total_s=1e9, first_wait_s=0.2, longest_wait_s=10.0, clock=lambda: now[0], wait=wait)
    assert patience.tried(attempt, "x") == "here"
    assert len(set(waits)) > 390
    assert all(0 <= pause <= min(10.0, 0.2 * 2**number) for number, pause in enumerate(waits))
    assert max(waits) > 9
    assert patience.for_bytes(250_000_000) - patience.for_bytes(0) == pytest.approx(1000)


def test_a_full_disk_is_said_and_leaves_no_half_object(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s")
    store.put("a", b"1")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        with pytest.raises(StoreUnreachable, match="did not serve 'rounds/b'"):
            store.put("rounds/b", bytes(1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert store.names("") == ["a"]
    assert [path.name for path in (tmp_path / "s").rglob("*") if path.is_file()] == ["a"]
    store.put("rounds/b", b"2")
