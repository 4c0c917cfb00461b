"""Any bytes that fit a commitment come back as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.network.commitment_fields import MAX_BYTES, decode_fields, encode_fields


@given(st.binary(max_size=MAX_BYTES))
def test_bytes_come_back_as_they_were(data: bytes) -> None:
    fields = encode_fields(data)
    assert 1 <= len(fields) <= 3
    assert decode_fields(fields) == data


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 384 bytes"):
        encode_fields(bytes(MAX_BYTES + 1))


def test_fields_of_other_kinds_are_left_out() -> None:
    fields = [
        {"Raw2": "0x6162"},
        {"Sha256": "0x" + "00" * 32},
        "None",
        {"TimelockEncrypted": {"reveal_round": 1}},
    ]
    assert decode_fields(fields) == b"ab"
