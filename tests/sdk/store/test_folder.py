"""What lies below a folder store and is no object costs its own name, and no link is followed."""

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from subnetlab.errors import ObjectExists, ObjectMissing, ObjectTooLarge
from subnetlab.store.objects import open_store


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _socket(path: Path) -> None:
    # A socket's path is short; it is bound relative to its own folder.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(before)


FOREIGN: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a loop of links": _loop,
    "a link to a file": lambda path: path.symlink_to("/etc/passwd"),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "a link upwards": lambda path: path.symlink_to(".."),
    "a folder": lambda path: path.mkdir(),
    "a socket": _socket,
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_plain_file_is_no_object(tmp_path: Path, kind: str) -> None:
    store = open_store(tmp_path)
    (tmp_path / "mine").mkdir()
    FOREIGN[kind](tmp_path / "mine" / "object")
    with pytest.raises(ObjectMissing, match="mine/object"):
        store.get("mine/object", limit=10_000)
    assert store.names("mine") == []
    assert store.names("") == []


@pytest.mark.parametrize("kind", FOREIGN)
def test_an_object_is_put_whatever_occupies_its_name(tmp_path: Path, kind: str) -> None:
    store = open_store(tmp_path)
    (tmp_path / "mine").mkdir()
    FOREIGN[kind](tmp_path / "mine" / "object")
    store.put("mine/object", b"data")
    assert store.get("mine/object", limit=4) == b"data"
    assert store.names("mine") == ["mine/object"]
    with pytest.raises(ObjectExists):
        store.put("mine/object", b"other")
    assert store.get("mine/object", limit=4) == b"data"


@pytest.mark.parametrize("kind", [*FOREIGN, "a plain file"])
def test_a_folder_is_made_whatever_occupies_its_name(tmp_path: Path, kind: str) -> None:
    store = open_store(tmp_path / "store")
    act = FOREIGN.get(kind, lambda path: path.write_bytes(b"squat"))
    act(tmp_path / "store" / "aggregate")
    store.put("aggregate/abc", b"data")
    assert store.get("aggregate/abc", limit=4) == b"data"
    assert "aggregate/abc" in store.names("")
    assert store.names("aggregate") == ["aggregate/abc"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["store"]


def test_an_object_and_a_folder_may_have_one_name_as_in_a_bucket(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put("records/abc", b"record")
    store.put("records/abc/x", b"below")
    assert store.get("records/abc", limit=10) == b"record"
    assert store.get("records/abc/x", limit=10) == b"below"
    store.put("other/x", b"below")
    store.put("other", b"object")
    assert store.get("other", limit=10) == b"object"
    assert store.names("") == ["other", "other/x", "records/abc", "records/abc/x"]


def test_no_link_leads_a_write_out_of_the_store(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    store = open_store(tmp_path / "store")
    (tmp_path / "store" / "rounds").symlink_to(outside)
    (tmp_path / "store" / "object").symlink_to(outside / "made")
    store.put("rounds/000001/a", b"1")
    store.put("object", b"2")
    assert list(outside.iterdir()) == []


def test_names_that_no_object_has_are_passed_over(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put("mine/good", b"")
    for name in (b"\xff\xfe", b"line\nfeed", b"a b", b"-x", b".hidden"):
        Path(os.fsdecode(bytes(tmp_path / "mine") + b"/" + name)).write_bytes(b"")
    assert store.names("mine") == ["mine/good"]


def test_a_listing_looks_at_so_many_entries_and_at_no_depth_without_end(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for number in range(50):
        store.put(f"many/{number:02}", b"")
    assert len(store.names("many", limit=20)) == 20
    for _ in range(1200):
        (tmp_path / "deep").mkdir(exist_ok=True)
        (tmp_path / "outer").mkdir()
        (tmp_path / "deep").rename(tmp_path / "outer" / "d")
        (tmp_path / "outer").rename(tmp_path / "deep")
    assert store.names("deep") == []
    subprocess.run(["rm", "-r", tmp_path / "deep"], check=True)  # deeper than shutil.rmtree follows


def test_a_sparse_file_of_any_size_is_refused_by_its_size(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    (tmp_path / "huge").touch()
    os.truncate(tmp_path / "huge", 1 << 40)
    with pytest.raises(ObjectTooLarge):
        store.get("huge", limit=1000)


def test_a_memory_store_passes_over_the_same_names() -> None:
    store = open_store("memory")
    for number in range(9):
        store.put(f"a/{number}", b"")
    assert len(store.names("a", limit=4)) == 4
