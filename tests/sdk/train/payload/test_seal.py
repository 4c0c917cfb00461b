"""Sealing: only the committed payload opens, for its run, round and hotkey alone, with the revealed key."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.errors import PayloadRejected
from subnetlab.train.payload import seal

BINDING = seal.Binding(run="a" * 64, round=3, hotkey="5Miner")


def revealed(sealed: seal.Sealed) -> seal.Reveal:
    return seal.Reveal(sealed.salt, sealed.key, bytes(seal.SIGNATURE_BYTES))


@given(st.binary(max_size=300))
def test_what_was_sealed_opens(payload: bytes) -> None:
    sealed = seal.seal(payload, BINDING)
    assert len(sealed.data) == len(payload) + seal.OVERHEAD
    assert seal.unseal(sealed.data, revealed(sealed), sealed.commitment, BINDING) == payload
    assert seal.hash_of(payload) == sealed.payload_hash


def test_the_same_payload_never_looks_the_same() -> None:
    first, second = seal.seal(b"payload", BINDING), seal.seal(b"payload", BINDING)
    assert first.data != second.data
    assert first.commitment != second.commitment
    assert b"payload" not in first.data


@pytest.mark.parametrize(
    "change", [{"run": "b" * 64}, {"round": 4}, {"hotkey": "5Thief"}], ids=["run", "round", "hotkey"]
)
def test_a_payload_opens_nowhere_else(change: dict[str, object]) -> None:
    sealed = seal.seal(b"payload", BINDING)
    with pytest.raises(PayloadRejected) as caught:
        seal.unseal(sealed.data, revealed(sealed), sealed.commitment, replace(BINDING, **change))
    assert caught.value.reason == "wrong_key"


def test_the_hotkey_is_part_of_the_commitment_itself() -> None:
    sealed = seal.seal(b"payload", BINDING)
    thief = replace(BINDING, hotkey="5Thief")
    assert seal.commitment_of(thief, sealed.salt, sealed.payload_hash) != sealed.commitment


def test_another_payload_under_the_same_key_is_not_the_committed_one() -> None:
    sealed, other = seal.seal(b"payload", BINDING), seal.seal(b"better", BINDING)
    with pytest.raises(PayloadRejected) as caught:
        seal.unseal(other.data, revealed(other), sealed.commitment, BINDING)
    assert caught.value.reason == "wrong_hash"


@given(st.integers(0, 200), st.integers(1, 255))
def test_an_altered_object_does_not_open(at: int, flip: int) -> None:
    sealed = seal.seal(bytes(169), BINDING)
    raw = bytearray(sealed.data)
    raw[at % len(raw)] ^= flip
    if at % len(raw) < 32:  # the token hash names the reveal and is checked there
        assert not seal.names_reveal(bytes(raw), sealed.token)
        return
    with pytest.raises(PayloadRejected) as caught:
        seal.unseal(bytes(raw), revealed(sealed), sealed.commitment, BINDING)
    assert caught.value.reason == "wrong_key"


def test_an_object_too_short_to_be_sealed_does_not_open() -> None:
    sealed = seal.seal(b"payload", BINDING)
    for short in (b"", sealed.data[:32], sealed.data[:47]):
        assert not seal.names_reveal(short, sealed.token)
        with pytest.raises(PayloadRejected):
            seal.unseal(short, revealed(sealed), sealed.commitment, BINDING)


def test_only_the_author_knows_the_name_of_the_reveal() -> None:
    sealed = seal.seal(b"payload", BINDING)
    assert seal.names_reveal(sealed.data, sealed.token)
    assert not seal.names_reveal(sealed.data, seal.seal(b"payload", BINDING).token)
    assert bytes.fromhex(sealed.token) not in sealed.data


def test_a_reveal_has_one_length() -> None:
    reveal = seal.Reveal(bytes(32), bytes(range(32)), bytes(64))
    assert seal.Reveal.from_bytes(reveal.to_bytes()) == reveal
    with pytest.raises(PayloadRejected):
        seal.Reveal.from_bytes(reveal.to_bytes() + b"\0")
