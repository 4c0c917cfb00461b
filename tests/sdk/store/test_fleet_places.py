"""The places of a fleet below one store, as seen by peers with a seat and by those without one."""

from pathlib import Path

import pytest

from subnetlab.store.objects import open_store
from subnetlab.store.places import fleet_places


@pytest.mark.parametrize("uid", [3, 0, -1, -1_000])
def test_whoever_reads_a_fleets_store_finds_what_all_start_from(tmp_path: Path, uid: int) -> None:
    root = open_store(str(tmp_path / "store"))
    root.put("initial/weights", b"first")
    seen = fleet_places(root, uid)
    assert seen.get("initial/weights", 100) == b"first"
    seen.put("own/object", b"mine")
    assert seen.get("own/object", 100) == b"mine"
    assert fleet_places(root, 7).names("own") == []
