"""Bytes cost time: how long a link waits is added up, not waited for."""

import pytest

from subnetlab.errors import ObjectExists
from subnetlab.store.objects import open_store
from subnetlab.store.shaped import Link, ShapedStore, shaped


class Time:
    """A clock that moves by waiting alone."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Time:
    return Time()


def behind(clock: Time, *, uplink_mbps: float, rtt_ms: float = 0.0) -> ShapedStore:
    return ShapedStore(open_store("memory"), Link(uplink_mbps, rtt_ms, clock=clock, wait=clock.wait))


def test_an_upload_takes_its_bits_over_the_rate_and_a_way_there_and_back(clock: Time) -> None:
    store = behind(clock, uplink_mbps=8.0, rtt_ms=50.0)
    store.put("a", bytes(500_000))
    assert clock.waits == [pytest.approx(0.55)]
    assert store.get("a", 500_000) == bytes(500_000)
    assert store.names("") == ["a"]
    assert clock.waits[1:] == [pytest.approx(0.05)] * 2


def test_uploads_queue_in_the_uplink_and_an_idle_one_saves_nothing_up(clock: Time) -> None:
    link = Link(uplink_mbps=8.0, clock=clock, wait=clock.waits.append)
    for _ in range(3):
        link.send(1_000_000)
    assert clock.waits == [pytest.approx(1.0), pytest.approx(2.0), pytest.approx(3.0)]
    clock.now += 100.0
    link.send(1_000_000)
    assert clock.waits[-1] == pytest.approx(1.0)


def test_what_is_read_comes_through_the_downlink_beside_the_uplink(clock: Time) -> None:
    link = Link(uplink_mbps=1.0, rtt_ms=50.0, downlink_mbps=16.0, clock=clock, wait=clock.wait)
    store = ShapedStore(open_store("memory"), link)
    store.put("a", bytes(500_000))
    clock.waits.clear()
    assert store.get("a", 500_000) == bytes(500_000)
    assert clock.waits == [pytest.approx(0.05), pytest.approx(0.25)]


def test_a_name_that_is_taken_costs_its_upload_too(clock: Time) -> None:
    store = behind(clock, uplink_mbps=8.0)
    store.put("a", bytes(1_000_000))
    with pytest.raises(ObjectExists):
        store.put("a", bytes(1_000_000))
    assert sum(clock.waits) == pytest.approx(2.0)


def test_a_link_that_costs_nothing_is_no_link() -> None:
    store = open_store("memory")
    assert shaped(store, uplink_mbps=0.0, rtt_ms=0.0) is store
