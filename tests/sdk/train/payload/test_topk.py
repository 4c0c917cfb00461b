"""Chunks: nothing lost in rearranging, exactly the largest kept, positions that lead back into θ."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from subnetlab.train.payload.largest import largest_of
from subnetlab.train.payload.topk import Chunks
from subnetlab.train.theta import Layout

SHAPES = Layout((
    ("matrix", (128, 192)), ("odd", (6, 35)), ("vector", (128,)), ("kernel", (8, 4, 3)), ("scalar", ()),
    ("prime", (67,)),
))  # fmt: skip


@pytest.fixture(scope="module")
def chunks() -> Chunks:
    return Chunks(SHAPES, 64, 4096)


def test_every_parameter_lies_in_one_chunk(chunks: Chunks) -> None:
    arranged = chunks.arrange(torch.arange(SHAPES.size, dtype=torch.float32))
    assert sorted(arranged.tolist()) == list(range(SHAPES.size))
    assert sum(g.size * g.count for g in chunks.groups) == SHAPES.size


def test_a_matrix_is_cut_into_square_blocks(chunks: Chunks) -> None:
    arranged = chunks.arrange(torch.arange(SHAPES.size, dtype=torch.float32))
    first = arranged[:4096].view(64, 64)
    assert first[1, 0] - first[0, 0] == 192  # one row further in the matrix
    assert first[0, 63] - first[0, 0] == 63


def test_kept_positions_lead_back_to_the_same_values(chunks: Chunks) -> None:
    theta = torch.randn(SHAPES.size, generator=torch.Generator().manual_seed(0))
    arranged = chunks.arrange(theta)
    offsets = chunks.largest(arranged)
    assert len(offsets) == chunks.kept
    there = torch.from_numpy(chunks.in_theta(offsets))
    assert torch.equal(theta[there], arranged[torch.from_numpy(chunks.in_chunk_order(offsets))])
    assert len(there.unique()) == chunks.kept


def test_each_kept_value_knows_its_tensor(chunks: Chunks) -> None:
    offsets = chunks.largest(chunks.arrange(torch.randn(SHAPES.size)))
    ends = np.cumsum([end - start for start, end in SHAPES.spans()])
    assert (np.searchsorted(ends, chunks.in_theta(offsets), side="right") == chunks.tensor_N).all()


def test_the_share_is_the_same_in_small_chunks() -> None:
    kept = {g.size: g.keep for g in Chunks(SHAPES, 64, 4096).groups}
    assert kept[4096] == 64
    assert kept[128] == 2
    assert kept[1] == 1  # a scalar is always sent


@settings(max_examples=60)
@given(
    st.integers(1, 6), st.sampled_from([16, 64, 100, 512, 4096]), st.integers(1, 16), st.integers(0, 2**31)
)
def test_the_largest_are_the_largest(count: int, size: int, keep: int, seed: int) -> None:
    matrix = torch.randn(count, size, generator=torch.Generator().manual_seed(seed))
    found = largest_of(matrix.abs(), keep)
    assert (np.diff(found, axis=1) > 0).all()
    expected = matrix.abs().topk(keep, dim=1).values.sort(dim=1).values
    assert torch.equal(matrix.abs().gather(1, torch.from_numpy(found)).sort(dim=1).values, expected)


@pytest.mark.parametrize("value", [0.0, 1.0, float("inf"), float("nan")])
def test_rows_of_equal_values_still_give_as_many_as_asked(value: float) -> None:
    found = largest_of(torch.full((3, 4096), value), 64)
    assert found.shape == (3, 64)
    assert (np.diff(found, axis=1) > 0).all()


def test_a_tie_in_one_row_leaves_the_others_as_they_are() -> None:
    matrix = torch.randn(40, 4096, generator=torch.Generator().manual_seed(3))
    matrix[7] = 1.0
    matrix[20, 5] = float("nan")
    found = largest_of(matrix.abs(), 64)
    assert (np.diff(found, axis=1) > 0).all()
    for row in (0, 6, 8, 39):
        assert set(found[row]) == set(matrix[row].abs().topk(64).indices.tolist())


@pytest.mark.parametrize("keep", [1, 64, 512, 2048, 4096])
def test_shares_of_every_size_are_found(keep: int) -> None:
    matrix = torch.randn(5, 4096, generator=torch.Generator().manual_seed(4))
    found = largest_of(matrix.abs(), keep)
    expected = matrix.abs().topk(keep, dim=1).indices.sort(dim=1).values
    assert torch.equal(torch.from_numpy(found), expected)


def test_adding_and_finding_in_one_go_is_both_one_after_the_other(chunks: Chunks) -> None:
    generator = torch.Generator().manual_seed(5)
    before, delta = (torch.randn(SHAPES.size, generator=generator) for _ in range(2))
    at_once, apart = before.clone(), before.clone().mul_(0.95).add_(delta)
    found = chunks.largest_with(at_once, 0.95, delta)
    assert torch.equal(at_once, apart)
    assert (found == chunks.largest(chunks.arrange(apart))).all()


def test_a_tensor_larger_than_a_slab_is_cut_like_a_small_one() -> None:
    wide = Layout((("wide", (256, 4096)), ("vector", (64,))))
    chunks = Chunks(wide, 64, 4096)
    theta = torch.arange(wide.size, dtype=torch.float32)
    arranged = chunks.arrange(theta)
    assert torch.equal(chunks.in_theta_order(arranged), theta)
    blocks = theta[: 256 * 4096].view(4, 64, 64, 64).permute(0, 2, 1, 3).reshape(-1)
    assert torch.equal(arranged[: 256 * 4096], blocks)
