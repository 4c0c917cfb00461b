"""Which account of the chain an Ethereum address is, and which Ethereum address an account may act for.

Source: pallet-evm's `HashedAddressMapping<BlakeTwo256>` and `EnsureAddressTruncated`.
"""

from functools import lru_cache
from hashlib import blake2b

import bittensor_core as core

from subnetlab.devnet.evm import rlp
from subnetlab.devnet.evm.keccak import keccak

ADDRESS_BYTES = 20
ZERO_ADDRESS = bytes(ADDRESS_BYTES)


@lru_cache(maxsize=4096)
def mirror(h160: bytes) -> str:
    """The account (ss58) that holds what an Ethereum address owns."""
    return core.ss58_encode(blake2b(b"evm:" + h160, digest_size=32).digest())


def truncated(account: str) -> bytes:
    """The Ethereum address that an account's key may act for: its first 20 bytes."""
    return bytes(core.ss58_decode(account))[:ADDRESS_BYTES]


def created(creator: bytes, nonce: int) -> bytes:
    """The address of a contract that an account creates with a nonce."""
    return keccak(rlp.encode([creator, rlp.number(nonce)]))[12:]


def created_by_salt(creator: bytes, salt: bytes, code: bytes) -> bytes:
    """The address of a contract that is named by a salt and its creation code (CREATE2)."""
    return keccak(b"\xff" + creator + salt + keccak(code))[12:]
