"""Bytes as the fields of an on-chain commitment and back. Source: pallet Commitments, type `CommitmentInfo`.

A field `RawN` holds exactly N bytes, N from 0 to 128; a commitment has at most three fields.
"""

from collections.abc import Iterable
from typing import Any

FIELD_BYTES = 128
MAX_FIELDS = 3
MAX_BYTES = FIELD_BYTES * MAX_FIELDS


def encode_fields(data: bytes) -> list[dict[str, str]]:
    """Split bytes into as few `RawN` fields as hold them.

    Raises:
        ValueError: more than 384 bytes.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"A commitment holds at most {MAX_BYTES} bytes, not {len(data)}.")
    parts = [data[start : start + FIELD_BYTES] for start in range(0, len(data), FIELD_BYTES)] or [b""]
    return [{f"Raw{len(part)}": f"0x{part.hex()}"} for part in parts]


def decode_fields(fields: Iterable[Any]) -> bytes:
    """The bytes of a commitment's raw fields; fields of other kinds (hashes, sealed ones) are left out."""
    data = b""
    for field in fields:
        if not isinstance(field, dict):
            continue
        for variant, value in field.items():
            if str(variant).startswith("Raw"):
                data += _as_bytes(value)
    return data


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x")) if value.startswith("0x") else value.encode()
    return bytes(value)
