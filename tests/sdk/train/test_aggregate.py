"""Aggregation: the two means, the clip, the same bits for everyone, and hostile aggregate objects."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.errors import PayloadRejected
from subnetlab.train import aggregate
from subnetlab.train.payload.update import Update
from subnetlab.train.theta import Layout

LAYOUT = Layout((("a", (2, 3)), ("b", (4,))))


def sparse(**values: float) -> Update:
    """Update from `p3=1.0` style keywords."""
    positions = [int(name[1:]) for name in values]
    return Update(torch.tensor(positions, dtype=torch.int64), torch.tensor(list(values.values())))


def test_contributors_share_only_what_they_sent() -> None:
    result = aggregate.average([sparse(p0=1.0, p2=4.0), sparse(p2=2.0, p9=-3.0)], 10, "contributors")
    assert result.dense(10).tolist() == [1, 0, 3, 0, 0, 0, 0, 0, 0, -3]


def test_the_mean_over_all_divides_by_everyone() -> None:
    result = aggregate.average([sparse(p0=1.0, p2=4.0), sparse(p2=2.0, p9=-3.0)], 10, "all")
    assert result.dense(10).tolist() == [0.5, 0, 3, 0, 0, 0, 0, 0, 0, -1.5]


def test_dense_updates_average_to_a_dense_one() -> None:
    updates = [Update(None, torch.arange(10.0)), Update(None, torch.ones(10))]
    result = aggregate.average(updates, 10, "all")
    assert result.positions_N is None
    assert result.values_N.tolist() == [(i + 1) / 2 for i in range(10)]


def test_a_value_of_zero_still_counts_as_sent() -> None:
    result = aggregate.average([sparse(p0=0.0), sparse(p0=4.0)], 10, "contributors")
    assert result.values_N.tolist() == [2.0]


def test_averaging_nothing_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="nothing"):
        aggregate.average([], 10, "all")


def test_the_clip_bounds_every_tensor_to_its_median_norm() -> None:
    honest = [sparse(p0=1.0, p7=2.0), sparse(p1=1.0, p8=2.0)]
    attack = sparse(p2=-1000.0, p9=1.0)
    clipped = aggregate.clip_to_median([*honest, attack], LAYOUT, "tensor")
    assert clipped[2].values_N.tolist() == pytest.approx([-1.0, 1.0])  # 1 of tensor b is below its median 2
    for before, after in zip(honest, clipped[:2], strict=True):
        assert torch.equal(before.values_N, after.values_N)


def test_the_clip_of_whole_payloads_keeps_their_direction() -> None:
    clipped = aggregate.clip_to_median(
        [sparse(p0=3.0), sparse(p1=3.0), sparse(p0=30.0, p9=40.0)], LAYOUT, "payload"
    )
    assert clipped[2].values_N.tolist() == pytest.approx([1.8, 2.4])


@pytest.mark.parametrize("clip", ["tensor", "payload", "none"])
def test_a_peer_by_itself_is_not_clipped(clip: aggregate.Clip) -> None:
    assert torch.equal(
        aggregate.clip_to_median([sparse(p0=9.0)], LAYOUT, clip)[0].values_N, torch.tensor([9.0])
    )


def test_silent_peers_do_not_make_infinities() -> None:
    clipped = aggregate.clip_to_median([sparse(p0=0.0), sparse(p0=0.0), sparse(p0=5.0)], LAYOUT, "tensor")
    assert [u.values_N.tolist() for u in clipped] == [[0.0], [0.0], [0.0]]


def test_dense_and_sparse_norms_agree() -> None:
    update = sparse(p0=3.0, p1=4.0, p9=2.0)
    dense = Update(None, update.dense(10))
    assert aggregate.tensor_norms(update, LAYOUT).tolist() == [5.0, 2.0]
    assert aggregate.tensor_norms(dense, LAYOUT).tolist() == [5.0, 2.0]
    assert aggregate.norm(update) == pytest.approx(29**0.5)


@given(st.integers(0, 2**31))
def test_the_result_is_the_same_bits_every_time(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    updates = [
        Update(torch.randperm(10, generator=generator)[:4], torch.randn(4, generator=generator))
        for _ in range(5)
    ]
    results = [
        aggregate.write(
            aggregate.average(aggregate.clip_to_median(updates, LAYOUT, "tensor"), 10, "contributors"), LAYOUT
        )
        for _ in range(2)
    ]
    assert results[0] == results[1]


@given(st.sets(st.integers(0, 9)), st.integers(0, 100))
def test_an_aggregate_survives_its_object(positions: set[int], seed: int) -> None:
    values = torch.randn(len(positions), generator=torch.Generator().manual_seed(seed))
    update = Update(torch.tensor(sorted(positions), dtype=torch.int64), values)
    data = aggregate.write(update, LAYOUT)
    assert len(data) <= aggregate.limit(LAYOUT)
    back = aggregate.read(data, LAYOUT)
    assert back.positions_N is not None
    assert torch.equal(back.positions_N, update.positions_N)
    assert torch.equal(back.values_N, values)


def test_a_dense_aggregate_survives_its_object() -> None:
    back = aggregate.read(aggregate.write(Update(None, torch.arange(10.0)), LAYOUT), LAYOUT)
    assert back.positions_N is None
    assert back.values_N.tolist() == list(range(10))


def hostile_aggregates() -> dict[str, bytes]:
    from subnetlab.train.payload import container

    values, mask = np.ones(2, dtype="<f4"), np.array([0b11000000, 0], dtype=np.uint8)
    some = {"form": aggregate.FORM, "moved": "some"}
    return {
        "more values than positions": container.write(
            {"values": np.ones(3, dtype="<f4"), "moved": mask}, some
        ),
        "positions after the end": container.write(
            {"values": values, "moved": np.array([128, 1], np.uint8)}, some
        ),
        "short mask": container.write({"values": values, "moved": mask[:1]}, some),
        "dense but short": container.write({"values": values}, {"form": aggregate.FORM, "moved": "all"}),
        "neither form": container.write(
            {"values": np.ones(LAYOUT.size, dtype="<f4")}, {"form": aggregate.FORM}
        ),
        "not finite": container.write({"values": values * np.inf, "moved": mask}, some),
        "cut": container.write({"values": values, "moved": mask}, some)[:-1],
        "empty": b"",
    }


@pytest.mark.parametrize("name", hostile_aggregates())
def test_a_hostile_aggregate_is_rejected(name: str) -> None:
    with pytest.raises(PayloadRejected):
        aggregate.read(hostile_aggregates()[name], LAYOUT)
