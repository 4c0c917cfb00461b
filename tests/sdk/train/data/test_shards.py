"""Proofs of single shards, and the list that tells which shard of a copy is wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.errors import ManifestInvalid, ObjectMissing
from subnetlab.store.objects import open_store
from subnetlab.train.data.corpus import SHARD_TOKENS, Corpus, in_memory
from subnetlab.train.data.shards import ShardProof, prove_shard, publish_shard_hashes, read_shard_hashes
from subnetlab.train.hashing import merkle_path, merkle_root, root_from, shard_hash
from subnetlab.train.object_paths import shard_hashes


def corpus(shards: int = 5) -> Corpus:
    draw = np.random.default_rng(shards)
    tokens = draw.integers(0, 256, SHARD_TOKENS * (shards - 1) - 100, dtype=np.uint8)
    return in_memory("drawn", tokens, draw.integers(0, 256, 500, dtype=np.uint8))


@given(st.integers(1, 40), st.data())
def test_every_leaf_is_proven_by_its_path_and_by_no_other(count: int, data: st.DataObject) -> None:
    leaves = [shard_hash(bytes([number])) for number in range(count)]
    root, index = merkle_root(leaves), data.draw(st.integers(0, count - 1))
    path = merkle_path(leaves, index)
    assert root_from(leaves[index], index, count, path) == root
    assert len(path) <= 6
    other = data.draw(st.integers(0, count - 1).filter(lambda number: number != index or count == 1))
    if other != index:
        assert root_from(leaves[other], index, count, path) != root
    with pytest.raises(ValueError, match="long"):
        root_from(leaves[index], index, count, [*path, root])
    if path:
        with pytest.raises(ValueError, match="short"):
            root_from(leaves[index], index, count, path[:-1])


def test_whoever_holds_one_shard_can_prove_it() -> None:
    whole = corpus()
    root = whole.manifest.root
    for index in range(5):
        proof = ShardProof.from_json(json.loads(json.dumps(prove_shard(whole, index).to_json())))
        part = whole.train if index < 4 else whole.validation
        start = index * SHARD_TOKENS if index < 4 else 0
        shard = part[start : start + SHARD_TOKENS].tobytes()
        assert proof.proves(shard, root)
        assert not proof.proves(shard[:-1] + bytes([shard[-1] ^ 1]), root)
        assert not proof.proves(shard, "00" * 32)
        assert not replace(proof, index=(index + 1) % 5).proves(shard, root)
        assert not replace(proof, path=("no hash",)).proves(shard, root)


def test_a_list_of_hashes_is_the_roots_or_none() -> None:
    whole, store = corpus(), open_store("memory")
    root = whole.manifest.root
    with pytest.raises(ObjectMissing):
        read_shard_hashes(store, root)
    publish_shard_hashes(store, whole)
    assert read_shard_hashes(store, root) == whole.shard_hashes()
    store.put(shard_hashes("ab" * 32), b"".join(whole.shard_hashes()))
    with pytest.raises(ManifestInvalid, match="do not have the manifest's root"):
        read_shard_hashes(store, "ab" * 32)


@pytest.mark.parametrize(
    "told", [{}, {"index": "0", "shards": 1, "path": []}, {"index": 0, "shards": 1, "path": [1]}]
)
def test_what_is_no_proof_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(ManifestInvalid):
        ShardProof.from_json(told)
