"""The hash of Ethereum is one, whichever library makes it."""

from hypothesis import given
from hypothesis import strategies as st

from subnetlab.devnet.evm import keccak


@given(st.binary(max_size=600))
def test_both_libraries_agree(data: bytes) -> None:
    assert keccak.keccak(data) == keccak.by_pycryptodome(data)


def test_no_code_has_the_known_hash() -> None:
    assert keccak.keccak(b"") == keccak.by_pycryptodome(b"") == keccak.EMPTY_CODE_HASH
