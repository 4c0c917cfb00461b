"""How fast a client may ask."""

from subnetlab.classroom.rate_limit import Buckets, TokenBucket

from .test_join_codes import Clock


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    bucket = TokenBucket(rate=2.0, burst=3.0, clock=clock)
    assert [bucket.wait_s() for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    clock.now += 0.5
    assert [bucket.wait_s(), bucket.wait_s()] == [0.0, 0.5]
    clock.now += 100
    assert [bucket.wait_s() for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_more_than_a_burst_passes_alone_and_is_paid_back() -> None:
    clock = Clock()
    bucket = TokenBucket(rate=10.0, burst=20.0, clock=clock)
    assert bucket.wait_s(50.0) == 0.0
    assert bucket.wait_s(1.0) > 3.0
    assert bucket.take(10.0) == 4.0


def test_each_client_has_its_own_and_a_flood_of_clients_costs_no_memory() -> None:
    buckets = Buckets(1.0, 1.0, clock=Clock())
    assert buckets.of("a").wait_s() == 0.0
    assert buckets.of("a").wait_s() > 0.0
    assert buckets.of("b").wait_s() == 0.0
    for number in range(10_000):
        buckets.of(str(number)).wait_s()
    assert len(buckets._held) <= 4096
