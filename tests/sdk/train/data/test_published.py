"""A corpus in a store: brought whole, proven shard by shard, and nothing of a hostile store believed."""

import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from subnetlab.errors import ManifestInvalid, ObjectMissing, StoreUnreachable
from subnetlab.store.base import MOST_NAMES
from subnetlab.store.objects import open_store
from subnetlab.train import object_paths
from subnetlab.train.data import Corpus, of
from subnetlab.train.data.corpus import in_memory
from subnetlab.train.data.published import fetch, publish
from subnetlab.train.data.shards import publish_shard_hashes


def corpus(seed: int = 0) -> Corpus:
    """Three shards of training tokens, the last one short, and one of validation tokens."""
    drawn = np.random.default_rng(seed).integers(0, 256, 150_000, dtype=np.uint8)
    return in_memory("drawn", drawn[:140_000], drawn[140_000:])


def test_what_was_published_is_fetched_to_the_bit_and_not_twice(tmp_path: Path) -> None:
    store, wanted = open_store("memory"), corpus()
    publish(wanted, store)
    publish(wanted, store)
    found = fetch(wanted.manifest, store, tmp_path / "data")
    found.verify()
    assert np.array_equal(found.train, wanted.train)
    assert np.array_equal(found.validation, wanted.validation)
    again = fetch(wanted.manifest, open_store("memory"), tmp_path / "data")
    assert again.manifest == wanted.manifest


def test_rows_of_a_table_travel_too(tmp_path: Path) -> None:
    made = of((np.arange(300, dtype=np.float32).reshape(100, 3), np.arange(100) % 3)).read()
    store = open_store("memory")
    publish(made, store)
    found = fetch(made.manifest, store, tmp_path / "rows")
    found.verify()
    assert found.train.tobytes() == made.train.tobytes()


def test_a_store_that_lies_or_lacks_a_shard_is_refused_and_nothing_counts_as_data(tmp_path: Path) -> None:
    wanted, other = corpus(), corpus(1)
    empty = open_store("memory")
    with pytest.raises(ObjectMissing):
        fetch(wanted.manifest, empty, tmp_path / "a")
    listed = open_store("memory")
    publish(other, listed)
    leaves = listed.get(object_paths.shard_hashes(other.manifest.root), 1 << 20)
    lying = open_store("memory")
    lying.put(object_paths.shard_hashes(wanted.manifest.root), leaves)
    with pytest.raises(ManifestInvalid, match="published hashes of the data's shards"):
        fetch(wanted.manifest, lying, tmp_path / "b")
    swapped, source = open_store("memory"), open_store("memory")
    publish(wanted, source)
    publish_shard_hashes(swapped, wanted)
    for name in source.names("data"):
        swapped.put(name, bytes(len(source.get(name, 1 << 20))))
    with pytest.raises(ManifestInvalid, match="shard"):
        fetch(wanted.manifest, swapped, tmp_path / "c")
    assert list(tmp_path.rglob("data.json")) == []


def test_two_peers_of_one_home_bring_it_once_and_none_spoils_what_another_reads(tmp_path: Path) -> None:
    wanted, source, began, go = corpus(), open_store("memory"), threading.Event(), threading.Event()
    publish(wanted, source)

    class Slow:
        """A store that serves its first shard once the test lets it."""

        asked = 0

        def put(self, name: str, data: bytes) -> None:
            source.put(name, data)

        def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
            return source.names(prefix, limit)

        def get(self, name: str, limit: int) -> bytes:
            self.asked += 1
            began.set()
            assert go.wait(300)
            return source.get(name, limit)

    store = Slow()
    with ThreadPoolExecutor(2) as peers:
        both = [peers.submit(fetch, wanted.manifest, store, tmp_path / "data")]
        assert began.wait(300)
        both.append(peers.submit(fetch, wanted.manifest, store, tmp_path / "data"))
        go.set()
        for peer in both:
            peer.result(300).verify()
    assert store.asked == 1 + 3 + 1  # the list, and each shard once


def test_a_fetch_that_was_killed_or_met_a_full_disk_is_made_again(tmp_path: Path) -> None:
    wanted, store, folder = corpus(), open_store("memory"), tmp_path / "data"
    publish(wanted, store)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 15, before[1]))
    try:
        with pytest.raises(StoreUnreachable, match=r"cannot be kept in .*Make room on the disk"):
            fetch(wanted.manifest, store, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    fetch(wanted.manifest, store, folder).verify()
    (folder / "train.bin").write_bytes(b"half")  # as by what wrote files in place
    fetch(wanted.manifest, store, folder).verify()


def test_data_that_no_run_can_hold_is_refused_before_it_is_read(tmp_path: Path) -> None:
    manifest = corpus().manifest
    for hostile in (replace(manifest, train_tokens=1 << 60), replace(manifest, shard_tokens=1 << 40)):
        with pytest.raises(ManifestInvalid, match="larger than"):
            fetch(hostile, open_store("memory"), tmp_path / "d")
