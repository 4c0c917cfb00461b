"""Both ways of hashing agree."""

from Crypto.Hash import keccak as library
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.devnet.evm import keccak


@given(st.binary(max_size=600))
def test_python_and_the_library_agree(data: bytes) -> None:
    assert keccak.by_python(data) == library.new(digest_bits=256, data=data).digest() == keccak.keccak(data)


def test_no_code_has_the_known_hash() -> None:
    assert keccak.by_python(b"") == keccak.EMPTY_CODE_HASH
