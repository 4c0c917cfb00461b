"""A run's data in a store: every shard under its own hash, and the list of them under the manifest's root.

A stranger reads the list, proves it by the root, and each shard by its hash; what it keeps on disk is a
corpus like any other. Knows no chain.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from subnetlab.errors import DatasetEmpty, ManifestInvalid, ObjectExists, StoreUnreachable
from subnetlab.record.files import make_private, write_private
from subnetlab.record.lock import locked_folder
from subnetlab.store.base import Store
from subnetlab.train import object_paths
from subnetlab.train.data.corpus import Corpus, DataManifest, describe
from subnetlab.train.data.shards import publish_shard_hashes, read_shard_hashes
from subnetlab.train.data.spec import MOST_BYTES
from subnetlab.train.hashing import shard_hash

_MOST_SHARD_BYTES: Final = 1 << 26
_PARTS: Final[tuple[Literal["train"], Literal["validation"]]] = ("train", "validation")


def publish(corpus: Corpus, store: Store) -> None:
    """Put all shards of a corpus and the list of their hashes into a store; what is there already stays.

    Raises:
        StoreUnreachable: not everything was written; publishing again goes on.
    """
    for shard in _shards(corpus):
        with contextlib.suppress(ObjectExists):  # named by its hash: the same, or a reader refuses it
            store.put(object_paths.shard(shard_hash(shard).hex()), shard)
    with contextlib.suppress(ObjectExists):
        publish_shard_hashes(store, corpus)


def fetch(manifest: DataManifest, store: Store, folder: Path) -> Corpus:
    """Bring a corpus from a store into a folder, proving each shard, and map it.

    A folder that holds it whole is mapped as it is. Of several processes one brings it and the others wait.

    Raises:
        ObjectMissing: the store does not hold all of it.
        ManifestInvalid: what lies in the store is not the manifest's data.
        StoreUnreachable: the store did not answer, or the folder cannot be written.
    """
    if (found := _kept(manifest, folder)) is not None:
        return found
    _check_size(manifest)
    try:
        make_private(folder)
        with locked_folder(folder):
            if (found := _kept(manifest, folder)) is None:
                _bring(manifest, store, folder)
    except OSError as error:
        raise StoreUnreachable(
            f"The data of the run cannot be kept in {folder}: {error.strerror or error}.",
            hint="Make room on the disk, or let the folder be written, then run again.",
        ) from error
    return found or Corpus.open(folder)


def _kept(manifest: DataManifest, folder: Path) -> Corpus | None:
    """The data in a folder, if it is whole and the manifest's."""
    try:
        found = Corpus.open(folder)
    except DatasetEmpty:
        return None
    return found if found.manifest.root == manifest.root else None


def _bring(manifest: DataManifest, store: Store, folder: Path) -> None:
    """Write the files of a corpus, each put in its place whole: another may have mapped the old one."""
    counts = {part: -(-_items(manifest, part) // manifest.shard_tokens) for part in _PARTS}
    leaves = _leaves(manifest, store, sum(counts.values()))
    item = manifest.numpy_dtype.itemsize
    for part in _PARTS:
        draft, left = folder / f".{part}.bin", _items(manifest, part) * item
        with draft.open("wb") as file:
            for _ in range(counts[part]):
                size = min(left, manifest.shard_tokens * item)
                file.write(_shard(store, next(leaves), size))
                left -= size
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / f"{part}.bin")
    write_private(folder / "data.json", describe(manifest))


def _check_size(manifest: DataManifest) -> None:
    """Refuse data that no run can hold, before anything is read.

    Raises:
        ManifestInvalid: it says so of itself.
    """
    item, total = manifest.numpy_dtype.itemsize, manifest.train_tokens + manifest.validation_tokens
    if total * item > MOST_BYTES or manifest.shard_tokens * item > _MOST_SHARD_BYTES:
        raise ManifestInvalid(
            f"The run's data is larger than {MOST_BYTES >> 30} GB.", hint="Train on a part of it."
        )


def _leaves(manifest: DataManifest, store: Store, count: int) -> Iterator[bytes]:
    leaves = read_shard_hashes(store, manifest.root)
    if len(leaves) != count:
        raise ManifestInvalid("The list of the data's shards in the store is not the manifest's.")
    return iter(leaves)


def _shard(store: Store, leaf: bytes, size: int) -> bytes:
    data = store.get(object_paths.shard(leaf.hex()), size)
    if len(data) != size or shard_hash(data) != leaf:
        raise ManifestInvalid(f"The shard {leaf.hex()[:12]}… in the store is not the manifest's.")
    return data


def _items(manifest: DataManifest, part: Literal["train", "validation"]) -> int:
    return manifest.train_tokens if part == "train" else manifest.validation_tokens


def _shards(corpus: Corpus) -> Iterator[bytes]:
    """The bytes of all shards, in the order of the root's leaves."""
    for part in _PARTS:
        values: Any = corpus.part(part)
        for start in range(0, len(values), corpus.manifest.shard_tokens):
            yield np.ascontiguousarray(values[start : start + corpus.manifest.shard_tokens]).tobytes()
