"""The container: open to any safetensors reader, closed to everything that is not exactly as expected."""

import json
import tracemalloc

import numpy as np
import pytest
import safetensors
from hypothesis import given, settings
from hypothesis import strategies as st

from subnetlab.errors import PayloadRejected
from subnetlab.train.payload import container

PARTS = {"levels": container.Part("F32", 8, 8), "codes": container.Part("U8", 0, 64)}
GOOD = container.write(
    {"levels": np.arange(8, dtype="<f4").reshape(2, 4), "codes": np.arange(10, dtype=np.uint8)},
    {"form": "t/1"},
)


def forged(**changes: object) -> bytes:
    """The good container with header entries replaced (None removes)."""
    length = int.from_bytes(GOOD[:8], "little")
    header = json.loads(GOOD[8 : 8 + length])
    for name, entry in changes.items():
        if entry is None:
            del header[name]
        elif isinstance(header.get(name), dict) and isinstance(entry, dict):
            header[name] = header[name] | entry
        else:
            header[name] = entry
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + GOOD[8 + length :]


def test_what_was_written_is_read() -> None:
    arrays, metadata = container.read(GOOD, PARTS, "t/1")
    assert arrays["levels"].tolist() == list(range(8))
    assert arrays["codes"].tolist() == list(range(10))
    assert metadata == {"form": "t/1"}


def test_any_safetensors_reader_opens_it() -> None:
    found = dict(safetensors.deserialize(GOOD))
    assert found["levels"]["shape"] == [2, 4]
    assert bytes(found["codes"]["data"]) == bytes(range(10))


HOSTILE = {
    "empty": b"",
    "short": b"\1\0\0",
    "header longer than the file": (10**6).to_bytes(8, "little") + b"{}",
    "header above the limit": (1 << 62).to_bytes(8, "little") + b"{}" * 1000,
    "header is no JSON": (4).to_bytes(8, "little") + b"\xff{]}",
    "header is a list": (2).to_bytes(8, "little") + b"[]",
    "header nests": (1000).to_bytes(8, "little") + b"[" * 1000,
    "header is a huge number": (1000).to_bytes(8, "little") + b"9" * 1000,
    "twin names": (len(t := b'{"levels":1,"levels":2}')).to_bytes(8, "little") + t,
    "another form": forged(__metadata__={"form": "t/2"}),
    "no metadata": forged(__metadata__=None),
    "metadata is text": forged(__metadata__="form"),
    "a tensor missing": forged(codes=None),
    "a tensor more": forged(extra={"dtype": "U8", "shape": [0], "data_offsets": [42, 42]}),
    "entry is a number": forged(codes=7),
    "entry lacks a field": forged(codes=["dtype"]),
    "another type": forged(codes={"dtype": "I8"}),
    "floats as integers": forged(levels={"dtype": "U8"}),
    "shape is too large": forged(codes={"shape": [65]}),
    "shape overflows": forged(codes={"shape": [64, 1 << 60]}),
    "shape is negative": forged(codes={"shape": [-10]}),
    "shape is true": forged(codes={"shape": [True]}),
    "shape is deep": forged(codes={"shape": [1, 1, 10]}),
    "too few values": forged(levels={"shape": [1, 4], "data_offsets": [0, 16]}),
    "offsets overlap": forged(codes={"data_offsets": [0, 10]}),
    "offsets leave a gap": forged(codes={"data_offsets": [33, 43]}),
    "offsets are floats": forged(codes={"data_offsets": [32.0, 42.0]}),
    "offsets are far away": forged(codes={"data_offsets": [1 << 62, (1 << 62) + 10]}),
    "cut off": GOOD[:-1],
    "bytes follow": GOOD + b"\0",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_each_hostile_container_is_rejected(name: str) -> None:
    with pytest.raises(PayloadRejected) as caught:
        container.read(HOSTILE[name], PARTS, "t/1")
    assert caught.value.reason == "malformed"


@settings(max_examples=300)
@given(st.data())
def test_any_mutation_is_read_or_rejected_and_nothing_else(data: st.DataObject) -> None:
    raw = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    for hostile in (bytes(raw), bytes(raw[:cut])):
        try:
            arrays, _ = container.read(hostile, PARTS, "t/1")
        except PayloadRejected:
            continue
        assert len(arrays["levels"]) == 8
        assert len(arrays["codes"]) <= 64


def test_a_claim_of_gigabytes_allocates_nothing() -> None:
    bomb = forged(codes={"shape": [1 << 40], "data_offsets": [32, 32 + (1 << 40)]})
    tracemalloc.start()
    try:
        with pytest.raises(PayloadRejected):
            container.read(bomb, PARTS, "t/1")
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("value", "reason"), [(np.nan, "not_finite"), (-np.inf, "not_finite"), (-101.0, "huge")]
)
def test_values_must_be_finite_and_small(value: float, reason: str) -> None:
    with pytest.raises(PayloadRejected) as caught:
        container.finite(np.array([0.0, value], dtype=np.float32), 100)
    assert caught.value.reason == reason
