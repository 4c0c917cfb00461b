"""JSON values of strangers: bounded, finite, and the same bytes for the same value."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subnetlab.answers import payload
from subnetlab.answers.payload import Answer
from subnetlab.answers.values import MOST_DEPTH, NotAValue, read, written
from subnetlab.errors import PayloadRejected

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=50)
@given(VALUES)
def test_a_value_comes_back_or_is_refused_and_has_one_form(value: Any) -> None:
    try:
        data = written(value, 10_000)
    except NotAValue:
        return
    assert read(data, 10_000) == value
    assert written(read(data, 10_000), 10_000) == data


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_hostile_bytes_are_answers_or_rejected(data: bytes) -> None:
    with pytest.raises(PayloadRejected) as raised:
        payload.decode(data, 2, 100)
    assert raised.value.reason in ("malformed", "too_large")


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"NaN", "NaN or infinity"),
        (b"[1e999]", "NaN or infinity"),
        (b"9" * 5000, "no JSON value"),
        (b"9" * 3000, "more than 1000 digits"),
        (b'"\\ud800"', "no UTF-8"),
        (b'{"\\ud800":1}', "no UTF-8"),
        (b"[" * 100_000, "no JSON value"),
        (json.dumps(nested(MOST_DEPTH + 1)).encode(), "nested deeper"),
        (b"\xff", "no JSON value"),
    ],
)
def test_what_is_no_value_is_said(data: bytes, said: str) -> None:
    with pytest.raises(NotAValue, match=said):
        read(data, 1 << 20)


def test_one_byte_more_than_allowed_is_too_much() -> None:
    assert read(written("x" * 8, 10), 10) == "x" * 8
    with pytest.raises(NotAValue, match="has 11 bytes, and 10 are allowed"):
        written("x" * 9, 10)
    with pytest.raises(NotAValue, match="has 11 bytes"):
        read(b'"xxxxxxxxx"', 10)


def test_answers_of_a_round_come_back() -> None:
    answers = [Answer({"a": 1}), Answer(why_not="it was tired"), Answer(None)]
    assert payload.decode(payload.encode(answers, 100), 3, 100) == answers


@pytest.mark.parametrize("letter", ["x", "ü", "\U0001f600", "\x00", '"'])
def test_why_there_is_no_answer_fits_whatever_it_is_written_in(letter: str) -> None:
    data = payload.encode([Answer(why_not=letter * 1000)] * 3, 1)
    assert payload.decode(data, 3, 1) == [Answer(why_not=letter * 400)] * 3


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ([], "malformed"),
        ({"answers": []}, "malformed"),
        ({"answers": [{"answer": 1}]}, "malformed"),
        ({"answers": [{"answer": 1}, {"answer": 2, "why_not": "both"}]}, "malformed"),
        ({"answers": [{"answer": 1}, {}]}, "malformed"),
        ({"answers": [{"answer": 1}, {"why_not": ""}]}, "malformed"),
        ({"answers": [{"answer": 1}, {"answer": "x" * 100}]}, "too_large"),
    ],
)
def test_answers_that_no_miner_writes_are_rejected(told: Any, reason: str) -> None:
    with pytest.raises(PayloadRejected) as raised:
        payload.decode(json.dumps(told).encode(), 2, 100)
    assert raised.value.reason == reason
