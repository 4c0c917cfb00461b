"""Rice coding: every ascending list comes back, nothing but ascending lists comes out, and bytes are few."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.train.payload import rice


@st.composite
def chunked_offsets(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    chunks = draw(
        st.lists(st.sets(st.integers(0, 4095), min_size=1, max_size=40).map(sorted), min_size=1, max_size=5)
    )
    starts = np.zeros(sum(map(len, chunks)), dtype=bool)
    starts[np.cumsum([0] + [len(c) for c in chunks[:-1]])] = True
    return np.array([o for c in chunks for o in c], dtype=np.int64), starts


@given(chunked_offsets())
def test_offsets_survive(case: tuple[np.ndarray, np.ndarray]) -> None:
    offsets, starts = case
    gaps = rice.gaps_of(offsets, starts)
    assert (gaps >= 0).all()
    decoded = rice.decode(rice.encode(gaps), len(gaps))
    assert (decoded == gaps).all()
    assert (rice.offsets_of(decoded, starts) == offsets).all()


@given(st.lists(st.integers(0, 1 << 40), min_size=1, max_size=50), st.data())
def test_any_gaps_lead_to_strictly_ascending_offsets(gaps: list[int], data: st.DataObject) -> None:
    starts = np.array(
        [True, *data.draw(st.lists(st.booleans(), min_size=len(gaps) - 1, max_size=len(gaps) - 1))]
    )
    offsets = rice.offsets_of(np.array(gaps, dtype=np.int64), starts)
    assert (offsets >= 0).all()
    assert (np.diff(offsets)[~starts[1:]] > 0).all()


@pytest.mark.parametrize("parameter", range(rice.MAX_PARAMETER + 1))
def test_remainders_lie_lowest_bit_first_one_after_the_other(parameter: int) -> None:
    gaps = np.random.default_rng(parameter).geometric(0.7 / (1 << parameter), 43) - 1
    coded = rice.encode(gaps)
    bits = (gaps[:, None] >> np.arange(coded.parameter)) & 1
    assert coded.remainders.tolist() == np.packbits(bits.astype(np.uint8).reshape(-1)).tolist()
    cost = [int((gaps >> p).sum()) + len(gaps) * (1 + p) for p in range(rice.MAX_PARAMETER + 1)]
    assert coded.parameter == int(np.argmin(cost))
    assert (rice.decode(coded, len(gaps)) == gaps).all()


@given(st.binary(max_size=60), st.binary(max_size=60), st.integers(-2, 20), st.integers(0, 60))
def test_hostile_streams_decode_to_their_only_writing_or_fail(
    quotients: bytes, remainders: bytes, parameter: int, count: int
) -> None:
    coded = rice.Coded(
        parameter, np.frombuffer(quotients, dtype=np.uint8), np.frombuffer(remainders, dtype=np.uint8)
    )
    try:
        gaps = rice.decode(coded, count)
    except ValueError:
        return
    assert len(gaps) == count
    assert (gaps >= 0).all()


def test_sixty_four_of_4096_take_about_seven_and_a_half_bits() -> None:
    generator = np.random.default_rng(0)
    offsets = np.concatenate([np.sort(generator.choice(4096, 64, replace=False)) for _ in range(250)])
    starts = np.arange(len(offsets)) % 64 == 0
    coded = rice.encode(rice.gaps_of(offsets, starts))
    bits = 8 * (len(coded.quotients) + len(coded.remainders)) / len(offsets)
    assert 7.36 < bits < 7.55  # between the entropy bound and what the coder promises


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda c: rice.Coded(13, c.quotients, c.remainders), "parameter"),
        (lambda c: rice.Coded(c.parameter, c.quotients, c.remainders[:-1]), "remainders"),
        (lambda c: rice.Coded(c.parameter, c.quotients[:-1], c.remainders), "gaps"),
        (lambda c: rice.Coded(c.parameter, np.append(c.quotients, np.uint8(0)), c.remainders), "after"),
        (lambda c: rice.Coded(c.parameter, np.append(c.quotients, np.uint8(1)), c.remainders), "gaps"),
        (lambda c: rice.Coded(c.parameter, c.quotients, c.remainders | np.uint8(1)), "bits after"),
    ],
)
def test_each_malformed_stream_says_why(change, why: str) -> None:
    coded = rice.encode(np.array([3, 0, 77], dtype=np.int64))
    with pytest.raises(ValueError, match=why):
        rice.decode(change(coded), 3)


def test_the_unary_stream_never_passes_its_limit() -> None:
    worst = np.array([0] * 63 + [4032], dtype=np.int64)
    assert len(rice.encode(worst).quotients) <= rice.quotient_bytes_limit([(1, 4096, 64)])
