"""Whatever a stranger's server answers, reading it ends: in so many bytes and so many seconds."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import pytest
from aiohttp import web

from subnetlab.errors import InvalidObjectName, ObjectMissing, ObjectTooLarge, PlaceAway, StoreUnreachable
from subnetlab.store.mirror import Mirror
from subnetlab.store.objects import open_store
from subnetlab.store.patience import Patience
from subnetlab.store.places import Absence, LocatedPlaces, Strangers, read_place

from .faulty import serving

PATIENT = Patience(request_s=20.0, total_s=40.0, first_wait_s=0.001, longest_wait_s=0.01)
HASTY = Patience(request_s=0.3, total_s=0.5, first_wait_s=0.001, longest_wait_s=0.01)
SEEN: list[web.Request] = []


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def poured(piece: bytes, pause_s: float) -> Answer:
    """A body that never ends."""

    async def answer(request: web.Request) -> web.StreamResponse:
        body = web.StreamResponse()
        body.enable_chunked_encoding()
        await body.prepare(request)
        while True:
            await body.write(piece)
            await asyncio.sleep(pause_s)

    return answer


def promised(size: int) -> Answer:
    """A body that ends before it has the length that was said."""

    async def answer(request: web.Request) -> web.StreamResponse:
        body = web.StreamResponse()
        body.content_length = size
        await body.prepare(request)
        await body.write(b"short")
        assert request.transport
        request.transport.abort()
        return body

    return answer


def plain(**answered: Any) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(**answered)

    return answer


async def twice(request: web.Request) -> web.StreamResponse:
    asked = sum(seen.path == request.path for seen in SEEN)
    return web.Response(body=b"late") if asked > 2 else web.Response(status=503)


async def silent(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


ANSWERS: dict[str, Answer] = {
    "good": plain(body=b"payload"),
    "twice": twice,
    "endless": poured(b"x" * (1 << 16), 0),
    "drip": poured(b"x", 0.01),
    "liar": promised(10),
    "giant": promised(1 << 50),
    "bomb": plain(body=b"\x1f\x8b" + bytes(20), headers={"Content-Encoding": "gzip"}),
    "away": plain(status=302, headers={"Location": "/good"}),
    "silent": silent,
    "broken": plain(status=500),
    "forbidden": plain(status=403),
    "nowhere": plain(status=404),
}


async def answer(request: web.Request) -> web.StreamResponse:
    SEEN.append(request)
    return await ANSWERS[request.path.rpartition("/")[2]](request)


@pytest.fixture(scope="module")
def where() -> Generator[str]:
    with serving(answer) as url:
        yield url


@pytest.fixture
def place(where: str) -> Mirror:
    SEEN.clear()
    return Mirror(f"{where}/runs", local=True, patience=PATIENT)


@pytest.fixture
def hasty(where: str) -> Mirror:
    """What is read through it is not meant to come."""
    SEEN.clear()
    return Mirror(f"{where}/runs", local=True, patience=HASTY)


def test_an_object_is_read_whole_and_without_a_key(place: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    assert place.get("good", limit=7) == b"payload"
    assert SEEN[0].path == "/runs/good"
    assert not {"Authorization", "Cookie"} & set(SEEN[0].headers)


def test_an_answer_of_503_is_asked_again(place: Mirror) -> None:
    assert place.get("twice", limit=4) == b"late"
    assert len(SEEN) == 3


@pytest.mark.parametrize("name", ["endless", "giant"])
def test_more_than_the_limit_is_not_read(place: Mirror, name: str) -> None:
    with pytest.raises(ObjectTooLarge):
        place.get(name, limit=1 << 20)
    assert len(SEEN) == 1


@pytest.mark.parametrize("name", ["drip", "silent", "liar", "broken"])
def test_what_never_comes_whole_ends_as_unreachable(hasty: Mirror, name: str) -> None:
    with pytest.raises(StoreUnreachable, match=r"did not serve '\w+', tried"):
        hasty.get(name, limit=1000)


@pytest.mark.parametrize("name", ["forbidden", "nowhere"])
def test_what_may_not_be_read_is_missing(place: Mirror, name: str) -> None:
    with pytest.raises(ObjectMissing):
        place.get(name, limit=1000)
    assert len(SEEN) == 1


def test_a_redirect_is_not_followed(place: Mirror) -> None:
    with pytest.raises(StoreUnreachable, match="302"):
        place.get("away", limit=1000)
    assert [seen.path for seen in SEEN] == ["/runs/away"]


def test_a_compressed_answer_is_not_inflated(place: Mirror) -> None:
    assert place.get("bomb", limit=100)[:2] == b"\x1f\x8b"


def test_a_name_that_could_escape_is_not_asked_for(place: Mirror) -> None:
    with pytest.raises(InvalidObjectName):
        place.get("../secret", limit=1)
    assert SEEN == []


def test_a_mirror_is_read_only_and_keeps_no_list(where: str) -> None:
    store = open_store(f"{where}/runs")
    assert store.get("good", limit=7) == b"payload"
    with pytest.raises(StoreUnreachable, match="read-only"):
        store.put("good", b"mine")
    with pytest.raises(StoreUnreachable, match="no list"):
        store.names("")


def test_a_server_that_is_not_there_is_said(place: Mirror) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    gone = Mirror(f"http://127.0.0.1:{port}", local=True, patience=HASTY)
    with pytest.raises(StoreUnreachable, match="tried"):
        gone.get("good", limit=7)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "named.example"])
def test_no_name_leads_into_this_machine(where: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a name resolves to, the socket itself is refused."""
    real = socket.getaddrinfo

    def resolved(name: str | bytes | None, *args: int, **kwargs: int) -> list[object]:
        return list(real("127.0.0.1" if name == "named.example" else name, *args, **kwargs))

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    SEEN.clear()
    port = where.rpartition(":")[2]
    with pytest.raises(StoreUnreachable, match=r"public internet|canonical"):
        Mirror(f"http://{host}:{port}/runs", local=False, patience=HASTY).get("good", limit=7)
    assert SEEN == []


def test_anothers_place_that_fails_is_missing_and_never_an_error_of_the_store(where: str) -> None:
    for locator in ("", "s3://bucket", "https://127.0.0.1/x", f"{where}/runs"):
        with pytest.raises(PlaceAway):
            read_place(locator).get("good", limit=7)
    mine = read_place(f"{where}/runs", allow_local=True, patience=PATIENT)
    assert mine.get("good", limit=7) == b"payload"
    with pytest.raises(PlaceAway, match="tried"):
        read_place(f"{where}/runs", allow_local=True, patience=HASTY).get("broken", limit=7)
    with pytest.raises(PlaceAway):
        mine.names("rounds")
    with pytest.raises(ObjectTooLarge):
        mine.get("good", limit=6)


class Moment(float):
    """A time that, where it is compared, lets another thread find the place back first."""

    absence: Absence

    def __lt__(self, other: float) -> bool:
        now = float(self)
        self.absence.clock = lambda: now + 60
        assert self.absence.asked(lambda: b"back") == b"back"
        return now < other


def test_a_place_that_another_thread_finds_back_meanwhile_is_away_once_more() -> None:
    """Two hotkeys may have one place, and their objects are read side by side."""
    times = iter([0.0, 30.0])
    absence = Absence(clock=lambda: next(times))
    with pytest.raises(PlaceAway):
        absence.asked(raise_unreachable)
    moment = Moment(31.0)
    moment.absence, absence.clock = absence, lambda: moment
    with pytest.raises(PlaceAway, match="tried"):
        absence.asked(lambda: b"not asked")


def raise_unreachable() -> bytes:
    raise StoreUnreachable("It did not serve 'a', tried 9 times.")


def test_a_place_that_was_tried_in_vain_counts_as_away_for_as_long_again(where: str) -> None:
    now, asked = [0.0], list[float]()

    def in_vain() -> bytes:
        asked.append(now[0])
        now[0] += 30
        raise StoreUnreachable("It did not serve 'a', tried 9 times.")

    absence = Absence(clock=lambda: now[0])
    for at in (0.0, 31.0, 59.0, 61.0):
        now[0] = max(now[0], at)
        with pytest.raises(PlaceAway, match="tried 9 times"):
            absence.asked(in_vain)
    assert asked == [0.0, 61.0]
    now[0] = 200.0
    assert absence.asked(lambda: b"back") == b"back"
    places = LocatedPlaces(allow_local=True, patience=HASTY)
    one, again, other = (places(1, f"{where}/{name}") for name in ("runs", "runs", "walks"))
    assert isinstance(one, Strangers)
    assert isinstance(again, Strangers)
    assert isinstance(other, Strangers)
    assert one.absence is again.absence is not other.absence
