"""Compact integers survive the round trip, and no length is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.devnet.chain.scale import Reader, Truncated, compact, prefixed


@given(st.integers(0, 2**128 - 1))
def test_a_compact_integer_comes_back(value: int) -> None:
    reader = Reader(compact(value))
    assert reader.compact() == value
    assert reader.left == 0


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (63, "fc"), (64, "0101"), (16383, "fdff"), (16384, "02000100"), (2**30, "0300000040")],
)
def test_compact_integers_are_the_shortest_form(value: int, encoded: str) -> None:
    assert compact(value).hex() == encoded


@given(st.binary(max_size=200), st.integers(0, 199))
def test_bytes_cut_short_are_told(data: bytes, cut: int) -> None:
    whole = prefixed(data)
    with pytest.raises(Truncated):
        Reader(whole[: min(cut, len(whole) - 1)]).prefixed()


def test_a_huge_length_is_not_believed() -> None:
    with pytest.raises(Truncated):
        Reader(compact(2**67) + b"x").prefixed()
