"""The places of a fleet read as one: whose name it is decides where it is looked for."""

from pathlib import Path

import pytest

from subnetlab.errors import ObjectMissing
from subnetlab.store.objects import open_store
from subnetlab.store.places import fleet_places, place_of
from subnetlab.train import object_paths
from subnetlab.train.every_place import EveryPlace

SEALED = object_paths.sealed(0, 1, bytes(32))


@pytest.fixture
def whole(tmp_path: Path) -> EveryPlace:
    return EveryPlace(open_store(tmp_path), (3, 1, 2))


def test_what_another_peer_puts_under_a_name_of_mine_is_not_mine(whole: EveryPlace) -> None:
    fleet_places(whole.root, 2).put(SEALED, b"squat")
    whole.root.put(SEALED, b"squat")
    with pytest.raises(ObjectMissing):
        whole.get(SEALED, limit=9)
    assert whole.names(object_paths.all_sealed(0, 1)) == []
    fleet_places(whole.root, 1).put(SEALED, b"mine")
    assert whole.get(SEALED, limit=9) == b"mine"
    assert whole.names(object_paths.all_sealed(0, 1)) == [SEALED]


def test_a_hash_is_looked_for_in_every_place_the_leads_first(whole: EveryPlace) -> None:
    name = object_paths.record("ab" * 32)
    with pytest.raises(ObjectMissing):
        whole.get(name, limit=9)
    fleet_places(whole.root, 2).put(name, b"second")
    assert whole.get(name, limit=9) == b"second"
    fleet_places(whole.root, 3).put(name, b"lead")
    assert whole.get(name, limit=9) == b"lead"
    assert place_of(whole, 2).get(name, limit=9) == b"second"
    assert whole.names("records") == [name]


def test_what_all_start_from_comes_from_what_they_have_in_common(whole: EveryPlace) -> None:
    name = object_paths.initial("cd" * 32)
    whole.put(name, b"start")
    assert whole.get(name, limit=9) == b"start"
    assert fleet_places(whole.root, 1).get(name, limit=9) == b"start"
    assert whole.root.names("initial") == [name]
