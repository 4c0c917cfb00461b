"""Objects are created once, read with a limit, and never leave their folder."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from subnetlab.errors import (
    InvalidObjectName,
    ObjectExists,
    ObjectMissing,
    ObjectTooLarge,
    StoreUnreachable,
)
from subnetlab.store.base import Store
from subnetlab.store.bucket import ObjectStore
from subnetlab.store.object_names import checked
from subnetlab.store.objects import open_store


@pytest.fixture(params=["memory", "folder", "file-url"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    where = {"memory": "memory", "folder": str(tmp_path / "s"), "file-url": f"file://{tmp_path}/u"}
    return open_store(where[request.param])


def test_what_was_put_is_got(store: Store) -> None:
    store.put("rounds/000001/a", b"payload")
    assert store.get("rounds/000001/a", limit=7) == b"payload"


def test_an_object_is_never_overwritten(store: Store) -> None:
    store.put("a/b", b"first")
    with pytest.raises(ObjectExists):
        store.put("a/b", b"second")
    assert store.get("a/b", limit=100) == b"first"


def test_of_many_that_create_one_name_one_wins(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    won: list[int] = []
    start = threading.Barrier(8)

    def create(i: int) -> None:
        start.wait()
        try:
            store.put("name", bytes([i]))
        except ObjectExists:
            return
        won.append(i)

    threads = [threading.Thread(target=create, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.get("name", limit=10) == bytes(won)


def test_a_missing_object_is_named(store: Store) -> None:
    with pytest.raises(ObjectMissing, match="nowhere"):
        store.get("nowhere", limit=1)


def test_a_larger_object_is_not_read(store: Store) -> None:
    store.put("large", bytes(1000))
    with pytest.raises(ObjectTooLarge, match="1000"):
        store.get("large", limit=999)


def test_names_are_those_below_a_prefix_sorted(store: Store) -> None:
    for name in ("a/2", "a/1", "ab/3", "a/c/4"):
        store.put(name, b"")
    assert store.names("a") == ["a/1", "a/2", "a/c/4"]
    assert store.names("") == ["a/1", "a/2", "a/c/4", "ab/3"]
    assert store.names("nothing") == []


BAD = [
    "",
    "/a",
    "a/",
    "a//b",
    "..",
    "a/../b",
    "./a",
    "a/.",
    ".hidden",
    "a\\b",
    "a b",
    "a\n",
    "x" * 257,
    "é",
    "a\0",
]


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_could_escape_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InvalidObjectName):
        store.put(name, b"")
    with pytest.raises(InvalidObjectName):
        store.get(name, limit=1)


@given(st.text(max_size=300))
def test_checked_names_stay_below_any_folder(name: str) -> None:
    try:
        checked(name)
    except InvalidObjectName:
        return
    folder = Path("/srv/store")
    assert (folder / name).resolve().is_relative_to(folder)
    assert not any(part.startswith(".") for part in name.split("/"))


def test_two_views_of_one_folder_see_the_same(tmp_path: Path) -> None:
    open_store(tmp_path).put("a", b"1")
    assert open_store(str(tmp_path)).get("a", limit=1) == b"1"


@pytest.mark.parametrize("where", ["ftp://host/x", "s3+evil://bucket"])
def test_an_unknown_scheme_is_refused(where: str) -> None:
    with pytest.raises(StoreUnreachable, match="speaks"):
        open_store(where)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnreachable, match="cannot be opened"):
        open_store(tmp_path / "file" / "store")


def test_a_folder_taken_away_is_an_unreachable_store(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s")
    (tmp_path / "s").rmdir()
    (tmp_path / "s").write_bytes(b"now a file")
    with pytest.raises(StoreUnreachable):
        store.put("a", b"1")


@pytest.mark.parametrize("url", ["s3://bucket/runs", "gs://bucket/runs", "az://container/runs"])
def test_buckets_open_without_speaking_to_them(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "nobody")
    assert open_store(url).where == url


def test_any_backend_serves() -> None:
    store = ObjectStore(MemoryStore(), "mine")
    store.put("a", b"1")
    with pytest.raises(ObjectExists, match="mine"):
        store.put("a", b"1")
