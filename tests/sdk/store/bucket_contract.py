"""What any S3 server must let a store do; moto's and one from npm are both asked."""

import pytest

from subnetlab.errors import ObjectExists, ObjectMissing, ObjectTooLarge, StoreUnreachable
from subnetlab.store.base import Store
from subnetlab.store.objects import open_store
from subnetlab.store.places import fleet_places, open_places, place_of


def creates_once(store: Store) -> None:
    store.put("once/a", b"first")
    for data in (b"second", b"first", b""):
        with pytest.raises(ObjectExists):
            store.put("once/a", data)
    assert store.get("once/a", limit=5) == b"first"


def reads_so_much(store: Store) -> None:
    store.put("read/large", bytes(3_000_000))
    assert store.get("read/large", limit=3_000_000) == bytes(3_000_000)
    with pytest.raises(ObjectTooLarge, match="3000000"):
        store.get("read/large", limit=2_999_999)
    store.put("read/empty", b"")
    assert store.get("read/empty", limit=0) == b""
    with pytest.raises(ObjectMissing, match="nowhere"):
        store.get("read/nowhere", limit=1)


def lists_so_many(store: Store) -> None:
    names = [f"list/{number:02}" for number in range(12)]
    for name in (*names, "list/deeper/x", "listed/other"):
        store.put(name, b"")
    assert store.names("list") == [*names, "list/deeper/x"]
    assert len(store.names("list", limit=5)) == 5
    assert store.names("nothing") == []


def keeps_places_apart(address: str) -> None:
    root = open_store(address)
    mine, other = fleet_places(root, 1), fleet_places(root, 2)
    mine.put("rounds/x", b"mine")
    other.put("rounds/x", b"other")
    assert (mine.get("rounds/x", 9), other.get("rounds/x", 9)) == (b"mine", b"other")
    assert place_of(mine, 2).get("rounds/x", 9) == b"other"
    assert not hasattr(place_of(mine, 2), "put")
    assert root.names("1") == ["1/rounds/x"]


def says_what_is_wrong(address: str) -> None:
    bucket, _, rest = address.partition("?")
    gone = open_store(f"{bucket.rpartition('/')[0]}-gone/x?{rest}")
    with pytest.raises((StoreUnreachable, ObjectMissing)):
        gone.put("a", b"")


def is_read_by_its_locator(address: str) -> None:
    places = open_places(f"{address}", allow_local=True)
    places.put("rounds/located", b"found")
    assert places.of(7, places.locator).get("rounds/located", limit=5) == b"found"
    with pytest.raises(ObjectMissing):
        places.of(7, places.locator).get("rounds/absent", limit=5)


OF_A_STORE = (creates_once, reads_so_much, lists_so_many)
OF_AN_ADDRESS = (keeps_places_apart, says_what_is_wrong)
