"""Whose word opens which store: an owner's address leads into no folder, network or credentials of others."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from subnetlab.errors import ObjectMissing, PlaceAway, StoreAddressInvalid, StoreUnreachable
from subnetlab.membership import FILE, folder_of
from subnetlab.public.found_run import Announced, read_manifest
from subnetlab.public.own_place import announceable, own_place

from .test_terms import found


@pytest.mark.parametrize(
    "where",
    [
        "/etc",
        Path("/etc").as_uri(),
        "http://169.254.169.254/latest",
        "https://127.0.0.1/run",
        "https://10.0.0.1",
    ],
)
def test_an_announced_address_does_not_lead_into_this_machine(where: str) -> None:
    store = Announced(where, allow_local=False)
    with pytest.raises(PlaceAway):
        store.get("hostname", 100)
    with pytest.raises(StoreUnreachable, match="cannot be read"):
        read_manifest(store, "ab" * 32, where)


def test_an_announced_bucket_is_read_at_its_public_address_and_never_signed_for(tmp_path: Path) -> None:
    with pytest.raises(StoreAddressInvalid, match="neither a region nor an endpoint"):
        Announced("s3://bucket/run", allow_local=False)
    with pytest.raises(StoreAddressInvalid):
        Announced("s3://key:secret@bucket/run", allow_local=False)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "greeting").write_bytes(b"hello")
    local = Announced(str(tmp_path / "run"), allow_local=True)
    assert local.get("greeting", 10) == b"hello"
    with pytest.raises(ObjectMissing):
        local.get("absent", 10)
    with pytest.raises(StoreUnreachable, match="only read"):
        local.put("mine", b"")
    with pytest.raises(ObjectMissing):
        Announced(str(tmp_path / "none"), allow_local=True).get("absent", 10)
    assert not (tmp_path / "none").exists()


def test_a_peer_writes_where_its_operator_says_and_not_where_the_owner_does(tmp_path: Path) -> None:
    theirs = replace(found(), where=str(tmp_path / "theirs"))
    with pytest.raises(StoreAddressInvalid, match="is its owner's and can be read only"):
        own_place(theirs, "5Peer")
    assert not (tmp_path / "theirs").exists()
    with pytest.raises(StoreAddressInvalid, match="Others could not read this store"):
        own_place(theirs, "5Peer", str(tmp_path / "mine"))
    place = own_place(theirs, "5Peer", str(tmp_path / "mine"), locator="https://example.com/mine")
    assert place.locator == "https://example.com/mine"
    place.put("rounds/1", b"work")
    assert (tmp_path / "mine" / "rounds" / "1").read_bytes() == b"work"
    named = own_place(replace(theirs, given=True), "5Peer", allow_local=True)
    assert named.locator.endswith("/theirs/peers/5Peer")


def test_what_is_read_only_is_not_announced_and_ones_place_in_a_class_is(home: Path) -> None:
    address = "http://127.0.0.1:8123/class"
    with pytest.raises(StoreAddressInvalid, match="can be read only"):
        announceable(f"{address}/objects/run", allow_local=True)
    member = {
        "address": address, "asked": address, "student": "class", "name": "class", "token": "t" * 32,
        "netuid": 2, "seed": 0, "wallet": "default",
    }  # fmt: skip
    folder = folder_of(address)
    folder.mkdir(parents=True)
    (folder / FILE).write_text(json.dumps(member))
    assert folder.is_relative_to(home)
    assert announceable(f"{address}/objects/run", allow_local=True) == f"{address}/objects/run"
    assert announceable(str(home), allow_local=True) == str(home.resolve())
    with pytest.raises(StoreAddressInvalid, match="Others could not read this store"):
        announceable(str(home), allow_local=False)
