"""Top-k payloads: error feedback loses nothing, size is as promised, and an enemy's bytes are an error."""

import json
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from subnetlab.errors import PayloadRejected
from subnetlab.train.models import TinyGPT, build
from subnetlab.train.payload import container, quantise, rice
from subnetlab.train.payload.sparse import FORM, SparseCodec, State
from subnetlab.train.theta import Layout

BINS: list[quantise.Bins] = ["sigma", "sign"]


def codec(layout: Layout, bins: quantise.Bins = "sigma", feedback: float = 0.95) -> SparseCodec:
    return SparseCodec(layout, 64, 4096, feedback, bins)


def delta(layout: Layout, seed: int = 0) -> torch.Tensor:
    return torch.randn(layout.size, generator=torch.Generator().manual_seed(seed)) * 1e-2


@pytest.mark.parametrize("bins", BINS)
def test_what_was_sent_plus_what_is_kept_is_what_there_was(layout: Layout, bins: quantise.Bins) -> None:
    mine, memory = codec(layout, bins), State()
    before = torch.zeros(layout.size)
    for round_ in range(3):
        d = delta(layout, round_)
        sent = mine.decode(mine.encode(d, memory)).dense(layout.size)
        there_was = before * 0.95 + d
        torch.testing.assert_close(sent + memory["error"], there_was, rtol=0, atol=1e-7)
        before = memory["error"].clone()


def test_without_feedback_nothing_is_remembered_longer_than_a_round(layout: Layout) -> None:
    mine, memory = codec(layout, feedback=0.0), State()
    first = mine.encode(delta(layout), memory)
    mine.encode(delta(layout, 1), memory)
    assert mine.encode(delta(layout), memory) == first


def test_the_largest_parameters_of_each_chunk_are_sent(layout: Layout) -> None:
    d = torch.full((layout.size,), 1e-4)
    d[5], d[700] = 1.0, -1.0
    update = codec(layout).decode(codec(layout).encode(d, {}))
    assert update.positions_N is not None
    assert {5, 700} <= set(update.positions_N.tolist())
    dense = update.dense(layout.size)
    assert dense[5] > 0.5
    assert dense[700] < -0.5


def test_a_million_parameters_take_less_than_a_two_hundredth() -> None:
    small = Layout.of(build(TinyGPT("small"), 0))
    assert small.size == 1_025_408
    payload = codec(small).encode(delta(small), {})
    assert small.dense_bytes / len(payload) > 205  # the sealing adds 48 bytes


def test_zero_and_constant_differences_travel(layout: Layout) -> None:
    for value in (0.0, 1e-3):
        payload = codec(layout).encode(torch.full((layout.size,), value), {})
        update = codec(layout).decode(payload)
        torch.testing.assert_close(update.values_N, torch.full_like(update.values_N, value))


def parts_of(payload: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    length = int.from_bytes(payload[:8], "little")
    header = json.loads(payload[8 : 8 + length])
    body, types = payload[8 + length :], {"U8": np.uint8, "F32": np.dtype("<f4")}
    metadata = header.pop("__metadata__")
    arrays = {
        name: np.frombuffer(body[slice(*e["data_offsets"])], types[e["dtype"]]).reshape(e["shape"]).copy()
        for name, e in header.items()
    }
    return arrays, metadata


def edited(layout: Layout, name: str, change) -> bytes:
    arrays, metadata = parts_of(codec(layout).encode(delta(layout), {}))
    arrays[name] = change(arrays[name])
    return container.write(arrays, metadata)


def one(array: np.ndarray, value: float) -> np.ndarray:
    array.reshape(-1)[0] = value
    return array


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("levels", lambda a: one(a, np.nan), "not_finite"),
        ("levels", lambda a: one(a, np.inf), "not_finite"),
        ("levels", lambda a: one(a, 1e30), "huge"),
        ("levels", lambda a: a[:-1], "malformed"),
        ("codes", lambda a: a[:-1], "malformed"),
        ("codes", lambda a: np.append(a, np.uint8(0)), "malformed"),
        ("quotients", lambda a: a[:-1], "malformed"),
        ("quotients", lambda a: np.append(a, np.uint8(0)), "malformed"),
        ("quotients", np.zeros_like, "malformed"),
        ("quotients", lambda a: np.full(200_000, 255, np.uint8), "malformed"),
        ("remainders", lambda a: a[1:], "malformed"),
    ],
)
def test_each_altered_part_is_rejected(layout: Layout, name: str, change, reason: str) -> None:
    with pytest.raises(PayloadRejected) as caught:
        codec(layout).decode(edited(layout, name, change))
    assert caught.value.reason == reason


def test_an_index_outside_its_chunk_is_rejected(layout: Layout) -> None:
    arrays, _ = parts_of(codec(layout).encode(delta(layout), {}))
    gaps = np.zeros(codec(layout)._chunks().kept, dtype=np.int64)
    gaps[0] = 4096
    coded = rice.encode(gaps)
    arrays |= {"quotients": coded.quotients, "remainders": coded.remainders}
    with pytest.raises(PayloadRejected) as caught:
        codec(layout).decode(container.write(arrays, {"form": FORM, "rice": str(coded.parameter)}))
    assert caught.value.reason == "bad_index"


@pytest.mark.parametrize("parameter", ["", "13", "-1", "5.0", "\u0665", "9" * 400])
def test_a_rice_parameter_out_of_range_is_rejected(layout: Layout, parameter: str) -> None:
    arrays, _ = parts_of(codec(layout).encode(delta(layout), {}))
    with pytest.raises(PayloadRejected) as caught:
        codec(layout).decode(container.write(arrays, {"form": FORM, "rice": parameter}))
    assert caught.value.reason == "malformed"


def test_a_payload_for_another_model_is_rejected(layout: Layout) -> None:
    other = Layout.of(build(TinyGPT("binder", n_embd=32, n_layer=2, n_head=2, seq_len=16), 0))
    with pytest.raises(PayloadRejected):
        codec(layout).decode(codec(other).encode(delta(other), {}))


@settings(max_examples=200)
@given(st.data())
def test_any_mutation_gives_a_sound_update_or_a_rejection(layout: Layout, data: st.DataObject) -> None:
    mine = codec(layout)
    raw = bytearray(mine.encode(delta(layout), {}))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        update = mine.decode(bytes(raw[: data.draw(st.sampled_from([len(raw), len(raw) - 1, 40]))]))
    except PayloadRejected:
        return
    assert update.positions_N is not None
    assert len(update.positions_N.unique()) == len(update.positions_N) == mine._chunks().kept
    assert int(update.positions_N.min()) >= 0
    assert int(update.positions_N.max()) < layout.size
    assert update.values_N.isfinite().all()


def test_decoding_never_needs_more_memory_than_the_limit_allows(layout: Layout) -> None:
    mine = codec(layout)
    hostile = [bytes(mine.limit), edited(layout, "quotients", lambda a: np.full(90_000, 255, np.uint8))]
    for payload in hostile:
        tracemalloc.start()
        try:
            with pytest.raises(PayloadRejected):
                mine.decode(payload)
            assert tracemalloc.get_traced_memory()[1] < 20 * mine.limit
        finally:
            tracemalloc.stop()


def test_an_honest_payload_stays_below_the_limit(layout: Layout) -> None:
    mine = codec(layout)
    spread = torch.zeros(layout.size)
    spread[::64] = 1.0  # regular gaps, the worst for no parameter in particular
    assert len(mine.encode(spread, {})) <= mine.limit
    assert len(mine.encode(delta(layout), {})) <= mine.limit


@pytest.mark.parametrize("bins", BINS)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_difference_that_is_no_number_is_sent_and_refused(
    layout: Layout, bins: quantise.Bins, value: float
) -> None:
    payload = codec(layout, bins).encode(torch.full((layout.size,), value), {})
    with pytest.raises(PayloadRejected) as caught:
        codec(layout, bins).decode(payload)
    assert caught.value.reason == "not_finite"
