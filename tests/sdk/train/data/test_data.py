"""Data: the same root for the same bytes, mapped and not copied, nothing silently empty."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.errors import DataInvalid, DatasetEmpty, ManifestInvalid
from subnetlab.train import data
from subnetlab.train.data.corpus import DataManifest, in_memory, write
from subnetlab.train.hashing import merkle_root, shard_hash
from subnetlab.train.peer import checked_corpus

WORDS = [f"document {i} ".encode() * (i + 1) for i in range(30)]


def test_every_tenth_document_is_held_out() -> None:
    corpus = data.text(*WORDS).read()
    assert corpus.validation.tobytes() == WORDS[9] + WORDS[19] + WORDS[29]
    assert corpus.train.tobytes() == b"".join(w for i, w in enumerate(WORDS) if i % 10 != 9)


def test_of_few_documents_the_last_tenth_is_held_out() -> None:
    corpus = data.text("a" * 90 + "b" * 10).read()
    assert corpus.validation.tobytes() == b"b" * 10


def test_a_written_corpus_is_mapped_with_the_same_root(tmp_path: Path) -> None:
    corpus = data.text(*WORDS).materialise(tmp_path / "data")
    assert isinstance(corpus.train, np.memmap)
    again = data.Corpus.open(tmp_path / "data")
    again.verify()
    assert again.manifest == corpus.manifest == data.text(*WORDS).read().manifest


def test_one_changed_byte_changes_the_root_and_is_found(tmp_path: Path) -> None:
    root = data.text(*WORDS).materialise(tmp_path).manifest.root
    path = tmp_path / "train.bin"
    raw = bytearray(path.read_bytes())
    raw[7] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(ManifestInvalid, match=root[:12]):
        data.Corpus.open(tmp_path).verify()


@pytest.mark.parametrize("damage", ["no folder", "short file", "no json", "bad json"])
def test_a_broken_folder_is_no_corpus(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "data"
    if damage != "no folder":
        data.text(*WORDS).materialise(folder)
    if damage == "short file":
        (folder / "train.bin").write_bytes(b"abc")
    if damage == "no json":
        (folder / "data.json").unlink()
    if damage == "bad json":
        (folder / "data.json").write_text("{")
    with pytest.raises(DatasetEmpty):
        data.Corpus.open(folder)


@pytest.mark.parametrize("empty", [data.text(), data.text(b"", ""), data.dataset([]), data.text("a")])
def test_nothing_to_train_on_is_said(empty: data.DataSpec) -> None:
    with pytest.raises(DatasetEmpty):
        empty.read()


def test_sequences_are_followed_by_their_targets() -> None:
    x, y = data.sequences(np.arange(100, dtype=np.uint8), np.array([0, 50]), 4)
    assert x.tolist() == [[0, 1, 2, 3], [50, 51, 52, 53]]
    assert y.tolist() == [[1, 2, 3, 4], [51, 52, 53, 54]]
    assert x.dtype == torch.long


class MapStyle(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.full((5,), index), 0


def test_a_torch_data_set_is_read_item_by_item() -> None:
    corpus = data.dataset(MapStyle()).read()
    assert corpus.validation.tolist() == [9] * 5 + [19] * 5
    assert len(corpus.train) == 18 * 5


def test_items_may_be_text_bytes_or_lists() -> None:
    corpus = data.dataset(["ab", b"cd", [101, 102], np.array([103])] * 5).read()
    assert bytes(corpus.train[:7]) == b"abcdefg"


def test_larger_vocabularies_take_wider_tokens(tmp_path: Path) -> None:
    corpus = data.dataset([[0, 65_535]] * 10, vocab_size=65_536).materialise(tmp_path)
    assert corpus.train.dtype == np.uint16
    assert data.dataset([[70_000]] * 10, vocab_size=100_000).read().train.dtype == np.int32


@pytest.mark.parametrize("item", [[256], [-1], [0.5]])
def test_values_that_are_no_tokens_are_refused(item: list[float]) -> None:
    with pytest.raises(DataInvalid, match=r"no tokens|whole numbers"):
        data.dataset([item], vocab_size=256).read()


def test_the_standard_library_is_cached_and_real(home: Path) -> None:
    first = data.stdlib(limit_bytes=200_000).load()
    assert 150_000 < len(first.train) + len(first.validation) < 2_000_000
    assert isinstance(first.train, np.memmap)
    folder = next((home / "data").iterdir())
    written = (folder / "data.json").stat().st_mtime_ns
    assert data.stdlib(limit_bytes=200_000).load().manifest == first.manifest
    assert (folder / "data.json").stat().st_mtime_ns == written
    assert data.from_json(first.manifest.source) == data.stdlib(limit_bytes=200_000)


def test_a_run_takes_only_its_own_data(make_manifest, corpus: data.Corpus) -> None:
    manifest = make_manifest()
    assert checked_corpus(manifest, corpus) is corpus
    with pytest.raises(ManifestInvalid, match="not the data of this run"):
        checked_corpus(manifest, data.text(*WORDS, name="other").read())
    with pytest.raises(ManifestInvalid, match="cannot be made again"):
        checked_corpus(manifest, None)


def test_the_description_survives_json() -> None:
    manifest = data.text(*WORDS).read().manifest
    assert DataManifest.from_json(manifest.to_json()) == manifest


def test_two_writers_of_one_folder_do_no_harm(tmp_path: Path) -> None:
    corpus = data.text(*WORDS).read()
    for _ in range(2):
        write(corpus, tmp_path)
    data.Corpus.open(tmp_path).verify()
    assert {p.name for p in tmp_path.iterdir()} == {"train.bin", "validation.bin", "data.json"}


def test_floats_are_no_tokens() -> None:
    with pytest.raises(ValueError, match="uint8"):
        in_memory("floats", np.zeros(3), np.zeros(3))


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=9), st.integers(0, 8))
def test_the_root_depends_on_every_leaf_and_their_order(shards: list[bytes], at: int) -> None:
    leaves = [shard_hash(shard) for shard in shards]
    root = merkle_root(leaves)
    changed = list(leaves)
    changed[at % len(leaves)] = shard_hash(b"something else")
    assert merkle_root(changed) != root
    assert merkle_root([*leaves, leaves[-1]]) != root
    if leaves != leaves[::-1]:
        assert merkle_root(leaves[::-1]) != root


def test_a_node_is_no_leaf_and_no_leaves_no_tree() -> None:
    a, b = shard_hash(b"a"), shard_hash(b"b")
    assert merkle_root([a, b]) != shard_hash(a + b)
    with pytest.raises(ValueError, match="at least one"):
        merkle_root([])
