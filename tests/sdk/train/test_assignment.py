"""Assignment: reproducible from the block, different for everyone, always inside the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.errors import DatasetEmpty
from subnetlab.train import assignment
from subnetlab.train.data.corpus import SHARD_TOKENS, in_memory
from subnetlab.train.tasks import Items, NextToken

KEYS = {"run": "r", "round_": 3, "uid": 7, "block_hash": "0xabc"}


@pytest.fixture(scope="module")
def long_items() -> Items:
    tokens = np.arange(SHARD_TOKENS * 20 + 999, dtype=np.int64).astype(np.uint8)
    return NextToken(seq_len=64).items(in_memory("long", tokens, tokens[:5000]), "train")


def test_the_same_block_gives_the_same_work(long_items: Items) -> None:
    first = assignment.work(long_items, (15, 4), **KEYS)
    assert first.shape == (15, 4)
    assert (first == assignment.work(long_items, (15, 4), **KEYS)).all()


@pytest.mark.parametrize("change", [{"run": "s"}, {"round_": 4}, {"uid": 8}, {"block_hash": "0xabd"}])
def test_anything_else_gives_other_work(long_items: Items, change: dict[str, object]) -> None:
    first = assignment.work(long_items, (15, 4), **KEYS)
    assert (first != assignment.work(long_items, (15, 4), **{**KEYS, **change})).any()


def test_work_lies_in_the_assigned_shards(long_items: Items) -> None:
    shards = assignment.shards(long_items, "r", 3, 7, "0xabc")
    offsets = assignment.work(long_items, (50, 8), **KEYS)
    assert set((offsets // SHARD_TOKENS).reshape(-1).tolist()) == set(shards)
    assert 1 <= len(shards) <= assignment.SHARDS


GOLDEN = [[646083, 256574, 616281, 552221]]


def test_the_stream_is_fixed_for_all_versions(long_items: Items) -> None:
    offsets = assignment.work(long_items, (1, 4), **KEYS)
    assert offsets.tolist() == GOLDEN


@given(st.integers(18, 400), st.integers(1, 16), st.integers(0, 10**6))
def test_every_sequence_fits_into_any_corpus(length: int, seq_len: int, round_: int) -> None:
    corpus = in_memory("short", np.zeros(length, dtype=np.uint8), np.zeros(length, dtype=np.uint8))
    task = NextToken(seq_len=seq_len)
    train, validation = task.items(corpus, "train"), task.items(corpus, "validation")
    keys = {"run": "r", "round_": round_}
    work = assignment.work(train, (3, 2), uid=1, block_hash="0x", **keys)
    held_out = assignment.held_out(train, 5, beacon="0x", **keys)
    for offsets in (work, held_out, assignment.validation(validation, 5, seed=round_)):
        assert offsets.min() >= 0
        x, y = task.batch(corpus, "train", offsets.reshape(-1))
        assert x.shape == y.shape == (offsets.size, seq_len)


def test_the_judged_sequences_are_some_of_the_work(long_items: Items) -> None:
    work = assignment.work(long_items, (15, 4), **KEYS)
    keys = {"run": "r", "round_": 3, "uid": 7}
    judged = assignment.judged(16, work, beacon="0x1", **keys)
    assert len(judged) == 16
    assert set(judged.tolist()) <= set(work.reshape(-1).tolist())
    assert judged.tolist() == assignment.judged(16, work, beacon="0x1", **keys).tolist()
    assert judged.tolist() != assignment.judged(16, work, beacon="0x2", **keys).tolist()
    assert len(assignment.judged(16, work[:1, :2], beacon="0x1", **keys)) == 2


def test_a_corpus_without_one_sequence_is_refused() -> None:
    corpus = in_memory("short", np.zeros(100, dtype=np.uint8), np.zeros(9, dtype=np.uint8))
    with pytest.raises(DatasetEmpty, match="validation data has 9 tokens"):
        NextToken(seq_len=16).items(corpus, "validation")


@pytest.mark.parametrize(
    "items",
    [
        Items.separate(5), Items.separate(360), Items.separate(70_001), Items.separate(200_000),
        Items.separate(900, most=1000),
    ],
)  # fmt: skip
def test_every_item_is_as_likely_as_the_last(items: Items) -> None:
    draws = [
        assignment.work(items, (64, 64), run="r", round_=number, uid=1, block_hash="0x1").reshape(-1)
        for number in range(8)
    ]
    drawn = np.concatenate(draws)
    assert drawn.min() >= 0
    assert drawn.max() < items.count
    expected = len(drawn) / items.count
    assert (drawn == items.count - 1).sum() < 3 * expected + 12
