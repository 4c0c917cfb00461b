"""Extrinsics are taken apart as they were made, and hostile bytes never get further than the parser."""

import pytest
from bittensor_core import Keypair
from hypothesis import example, given
from hypothesis import strategies as st
from tests.sdk.devnet.test_codec import GOLDEN, unhex

from subnetlab.devnet.chain.extrinsic import Era, Malformed, parse, signed_payload

ALICE = Keypair.from_uri("//Alice")


@pytest.mark.parametrize("vector", GOLDEN["extrinsics"], ids=["immortal", "mortal"])
def test_golden_extrinsics_come_apart(vector: dict) -> None:
    extrinsic = parse(unhex(vector["extrinsic_hex"]))
    assert "0x" + extrinsic.hash.hex() == vector["extrinsic_hash"]
    assert extrinsic.signer == vector["address"]
    assert (extrinsic.nonce, extrinsic.tip, extrinsic.scheme) == (vector["nonce"], vector["tip"], 1)
    assert extrinsic.call == unhex(vector["call_data_hex"])
    assert extrinsic.signature == unhex(vector["signature_hex"])
    if vector["era"] == "00":
        assert extrinsic.era is None
    else:
        assert extrinsic.era == Era(64, vector["era"]["current"] % 64)


def test_the_golden_payload_is_what_was_signed() -> None:
    vector, extrinsic = (
        GOLDEN["signature_payloads"][0],
        parse(unhex(GOLDEN["extrinsics"][0]["extrinsic_hex"])),
    )
    genesis = unhex(GOLDEN["network"]["genesis_hash"])
    payload = signed_payload(
        extrinsic, spec_version=461, transaction_version=1, genesis_hash=genesis, birth_hash=genesis,
        metadata_hash=None,
    )  # fmt: skip
    # The vector is for nonce 7, the extrinsic for nonce 0: one compact byte apart.
    assert payload == unhex(vector["payload_hex"]).replace(b"\x00\x1c\x00\x00", b"\x00\x00\x00\x00", 1)


def test_the_golden_receipts_signature_is_genuine() -> None:
    extrinsic = parse(unhex(GOLDEN["receipt_extrinsic_hex"]))
    assert extrinsic.signer == ALICE.ss58_address


@given(st.integers(0, 10**6), st.sampled_from([4, 8, 64, 128, 4096, 65536]), st.data())
def test_an_era_covers_the_block_it_was_made_at(current: int, period: int, data: st.DataObject) -> None:
    phase = data.draw(st.integers(0, period - 1))
    era = Era(period, phase)
    if current >= phase:
        assert era.birth(current) <= current < era.death(current)
    assert era.birth(current) % period == phase


WHOLE = unhex(GOLDEN["extrinsics"][1]["extrinsic_hex"])


@given(st.binary(max_size=300))
@example(b"")
@example(b"\xff" * 40)
@example(b"\x03\xff\xff\xff\xff" + b"\x84" * 200)
def test_random_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse(data)


@given(st.integers(0, len(WHOLE) - 1))
def test_an_extrinsic_cut_short_is_malformed(cut: int) -> None:
    with pytest.raises(Malformed):
        parse(WHOLE[:cut])


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_changed_byte_is_malformed_or_changes_what_is_read(place: int, change: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] ^= change
    try:
        extrinsic = parse(bytes(damaged))
    except Malformed:
        return
    whole = parse(WHOLE)
    assert extrinsic.raw != whole.raw
    assert extrinsic.hash != whole.hash
