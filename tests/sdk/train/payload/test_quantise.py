"""Two bits a value: levels are the means of their bins, and packing is its own inverse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.train.payload import quantise

BINS: list[quantise.Bins] = ["sigma", "sign"]


@pytest.mark.parametrize("bins", BINS)
def test_every_level_is_the_mean_of_what_it_stands_for(bins: quantise.Bins) -> None:
    generator = np.random.default_rng(1)
    values = generator.normal(size=500).astype(np.float32)
    tensor = np.sort(generator.integers(0, 3, 500))
    codes, levels = quantise.quantise(values, tensor, 3, bins)
    restored = quantise.restore(codes, tensor, levels)
    for t in range(3):
        for code in range(4):
            mine = (tensor == t) & (codes == code)
            if mine.any():
                assert levels[t, code] == pytest.approx(values[mine].mean(), rel=1e-5)
    assert restored.sum() == pytest.approx(values.sum(), rel=1e-3)
    assert np.linalg.norm(values - restored) < np.linalg.norm(values)


def test_sigma_bins_are_one_and_a_half_deviations_wide_around_the_mean() -> None:
    values = np.array([-3, -1, 0, 0.1, 1, 3], dtype=np.float32)
    codes, _ = quantise.quantise(values, np.zeros(6, dtype=np.int64), 1, "sigma")
    width = 1.5 * values.std(ddof=1)
    expected = np.clip(np.rint((values - values.mean()) / width + 2), 0, 3)
    assert codes.tolist() == expected.tolist()


def test_sign_bins_never_turn_a_value_round() -> None:
    values = np.random.default_rng(2).standard_cauchy(400).astype(np.float32)
    tensor = np.zeros(400, dtype=np.int64)
    codes, levels = quantise.quantise(values, tensor, 1, "sign")
    assert (np.sign(quantise.restore(codes, tensor, levels)) == np.sign(values)).all()


@pytest.mark.parametrize("bins", BINS)
@pytest.mark.parametrize("values", [[0.0, 0.0], [2.0], [1e-30, -1e-30, 0.0]])
def test_degenerate_tensors_stay_finite(bins: quantise.Bins, values: list[float]) -> None:
    array = np.array(values, dtype=np.float32)
    codes, levels = quantise.quantise(array, np.zeros(len(values), dtype=np.int64), 2, bins)
    assert np.isfinite(levels).all()
    assert (levels[1] == 0).all()  # a tensor nothing was kept of
    assert codes.max() <= 3


@given(st.lists(st.integers(0, 3), max_size=50))
def test_packing_is_undone(codes: list[int]) -> None:
    array = np.array(codes, dtype=np.uint8)
    packed = quantise.pack(array)
    assert len(packed) == -(-len(codes) // 4)
    assert quantise.unpack(packed, len(codes)).tolist() == codes


def test_a_wrong_length_or_a_set_bit_after_the_end_is_refused() -> None:
    with pytest.raises(ValueError, match="two-bit codes"):
        quantise.unpack(np.zeros(2, dtype=np.uint8), 3)
    with pytest.raises(ValueError, match="last code"):
        quantise.unpack(np.array([0b01000000], dtype=np.uint8), 3)
