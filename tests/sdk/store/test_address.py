"""Addresses hold no secret, locators lead nowhere private, and both are refused in words that show no key."""

import ipaddress
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import S3Store

from subnetlab.errors import PlaceAway, StoreAddressInvalid
from subnetlab.store import address
from subnetlab.store.address import (
    LONGEST_LOCATOR,
    checked_announcement,
    checked_locator,
    is_public,
    parse,
)
from subnetlab.store.bucket import ObjectStore
from subnetlab.store.objects import open_store

READ_AT = {
    "s3://bucket/a/b?endpoint=https://e.example": "https://e.example/bucket/a/b",
    "s3://bucket?region=eu-central-1": "https://s3.eu-central-1.amazonaws.com/bucket",
    "gs://bucket/runs": "https://storage.googleapis.com/bucket/runs",
    "az://box/runs?account=me": "https://me.blob.core.windows.net/box/runs",
    "https://mirror.example:8443/x/": "https://mirror.example:8443/x",
    "memory": "",
}


@pytest.mark.parametrize("text", READ_AT)
def test_an_address_says_where_strangers_read(text: str) -> None:
    assert parse(text).locator == READ_AT[text]


def test_a_folder_is_read_where_it_is(tmp_path: Path) -> None:
    assert parse(tmp_path / "x").locator == f"file://{tmp_path}/x"
    assert parse(f"file://{tmp_path}") == parse(tmp_path)


def test_what_lies_below_an_address_keeps_its_options() -> None:
    below = parse("s3://bucket/a?region=x&endpoint=http://h:1").below("run")
    assert str(below) == "s3://bucket/a/run?region=x&endpoint=http://h:1"
    assert parse(str(below)) == below
    assert str(parse("/tmp/x").below("run")) == "/tmp/x/run"
    with pytest.raises(StoreAddressInvalid):
        parse("memory").below("run")


SECRET = "AKIAIOSFODNN7EXAMPLE"
REFUSED = {
    f"s3://bucket?access_key_id={SECRET}": "credentials",
    f"s3://bucket?secret_access_key={SECRET}": "credentials",
    f"s3://bucket?session_token={SECRET}": "credentials",
    f"az://box?sas={SECRET}": "credentials",
    f"https://user:{SECRET}@host/x": "credentials",
    f"s3://user:{SECRET}@bucket": "credentials",
    "s3://": "bucket",
    "s3://UPPER_CASE": "bucket",
    "ftp://host/x": "speaks",
    "s3://bucket?acl=public": "option",
    "s3://bucket/a/../b": "prefix",
    "s3://bucket/a b": "prefix",
    "https://": "bucket",
    "https://[::1": "read",
}


@pytest.mark.parametrize("text", REFUSED)
def test_an_address_that_is_none_is_refused_and_shows_no_key(text: str) -> None:
    with pytest.raises(StoreAddressInvalid, match=REFUSED[text]) as refused:
        open_store(text)
    assert SECRET not in str(refused.value)


def test_an_address_too_vague_to_be_read_by_others_is_refused() -> None:
    for text in ("s3://bucket", "az://box", f"https://e.example/{'x' * LONGEST_LOCATOR}"):
        with pytest.raises((StoreAddressInvalid, PlaceAway)):
            _ = parse(text).locator


PRIVATE = [
    "https://127.0.0.1/x",
    "https://localhost/x",
    "https://a.localhost./x",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/x",
    "https://192.168.1.1/x",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[fd00::1]/x",
    "https://[64:ff9b::7f00:1]/x",
    "https://[2002:7f00:1::]/x",
    "https://0.0.0.0/x",
    "https://224.0.0.1/x",
]
NEVER = [
    "",
    "https://",
    "https://user@host/x",
    "https://host/x?token=1",
    "https://host/x#y",
    "https://host/../x",
    "https://host/%2e%2e/x",
    "https://h\u00f6st/x",
    "https://host/x\n",
    "https://host:99999/x",
    "ftp://host/x",
    "s3://bucket/x",
    "https://host/" + "x" * LONGEST_LOCATOR,
    "file://etc",
]


@pytest.mark.parametrize("text", [*PRIVATE, *NEVER, "http://host.example/x", Path("/etc").as_uri()])
def test_a_locator_that_leads_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(PlaceAway):
        checked_locator(text)


@pytest.mark.parametrize("text", NEVER)
def test_among_ones_own_peers_too(text: str) -> None:
    with pytest.raises(PlaceAway):
        checked_locator(text, local=True)


@pytest.mark.parametrize(
    "text",
    [
        "/srv/store",
        "memory",
        "http://host.example/x",
        "https://169.254.169.254/x",
        "s3://bucket/x?endpoint=http://host.example",
        "s3://bucket/x?endpoint=https://10.0.0.7:9000",
        "s3://bucket/x?endpoint=file:" + "//" + "/etc",
        "az://box/x?account=me&endpoint=https://localhost",
    ],
)
def test_a_store_that_a_stranger_announced_is_no_address_of_this_machine(text: str) -> None:
    with pytest.raises(PlaceAway):
        checked_announcement(text)
    assert checked_announcement(text, local=True) == text


def test_a_public_store_may_be_announced() -> None:
    for text in (*READ_AT, "s3://bucket", "az://box/runs"):
        if text != "memory":
            assert checked_announcement(text) == text


def test_a_locator_of_ones_own_network_is_followed_where_that_is_allowed() -> None:
    for text in (*PRIVATE, "http://127.0.0.1:9000/bucket/7", Path("/srv/store").as_uri()):
        assert checked_locator(text, local=True) == text
    assert checked_locator("https://pub-1.r2.dev/runs/7") == "https://pub-1.r2.dev/runs/7"


@given(st.ip_addresses())
def test_only_what_the_registry_calls_global_is_public(found: ipaddress.IPv4Address) -> None:
    if is_public(str(found)):
        assert found.is_global
        assert not any((found.is_private, found.is_loopback, found.is_link_local, found.is_multicast))


@given(st.text(max_size=250))
def test_no_text_breaks_the_check(text: str) -> None:
    for check in (checked_locator, parse):
        try:
            check(text)
        except (PlaceAway, StoreAddressInvalid):
            continue


def test_a_profile_gives_credentials_and_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "credentials").write_text(
        f"[default]\naws_access_key_id = other\n[me]\naws_access_key_id = {SECRET}\naws_secret_access_key=s\n"
    )
    (tmp_path / "config").write_text("[profile me]\nregion = eu-west-1\nendpoint_url = http://h:1\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    store = cast("ObjectStore", open_store("s3://bucket/x", profile="me"))
    config = cast("S3Store", store.backend).config
    assert (config["access_key_id"], config["region"], config["endpoint"]) == (
        SECRET,
        "eu-west-1",
        "http://h:1",
    )
    assert SECRET not in store.where + repr(store)
    with pytest.raises(StoreAddressInvalid, match="absent"):
        open_store("s3://bucket", profile="absent")
    (tmp_path / "credentials").write_text(f"nonsense {SECRET}")
    with pytest.raises(StoreAddressInvalid) as refused:
        open_store("s3://bucket", profile="me")
    assert SECRET not in str(refused.value)


def test_every_scheme_has_a_way_to_be_read() -> None:
    assert set(address.OPTIONS) < set(address._READ_AT)
