"""The MEV shield's key and the opening of sealed extrinsics.

One deterministic ML-KEM-768 key serves the whole life of a devnet: its secret is public on purpose, because
there is no one here to front-run (fidelity table: keys do not rotate). Wire form:
`key hash 16 | length 2 | KEM ciphertext | nonce 24 | XChaCha20-Poly1305`. Source: `pallets/shield`.

Genesis publishes the key, so its public half is kept beside this file. Both libraries of cryptography are
loaded by the first sealed extrinsic: they take a tenth of the node's start and a sixth of its memory.
"""

from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import xxhash

from subnetlab.devnet.chain.scale import Reader, Truncated

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey

SEED = blake2b(b"SubnetLab devnet MEV shield", digest_size=64).digest()
KEY_HASH_BYTES, NONCE_BYTES = 16, 24


@cache
def secret() -> "MLKEM768PrivateKey":
    """The key that opens what is sealed."""
    from cryptography.hazmat.primitives.asymmetric.mlkem import (  # noqa: PLC0415 - see the module's text
        MLKEM768PrivateKey,
    )

    return MLKEM768PrivateKey.from_seed_bytes(SEED)


@cache
def public_key() -> bytes:
    """The encapsulation key that clients read from `MevShield.NextKey`, 1184 bytes."""
    return Path(__file__).with_name("shield_key.bin").read_bytes()


def key_hash() -> bytes:
    """twox-128 of the key: how a sealed extrinsic names it."""
    key = public_key()
    return b"".join(xxhash.xxh64_intdigest(key, seed).to_bytes(8, "little") for seed in (0, 1))


def is_well_formed(ciphertext: bytes) -> bool:
    """Whether the bytes have the parts of a sealed extrinsic, whatever they hold."""
    reader = Reader(ciphertext)
    try:
        reader.take(KEY_HASH_BYTES)
        reader.take(reader.integer(2))
        reader.take(NONCE_BYTES)
    except Truncated:
        return False
    return True


def unseal(ciphertext: bytes) -> bytes | None:
    """The extrinsic inside, or None where it is not sealed for this key or was damaged."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - see the module's text
    from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as opened  # noqa: PLC0415
    from nacl.exceptions import CryptoError  # noqa: PLC0415

    reader = Reader(ciphertext)
    try:
        named = reader.take(KEY_HASH_BYTES)
        encapsulated = reader.take(reader.integer(2))
        nonce = reader.take(NONCE_BYTES)
        if named != key_hash():
            return None
        shared = secret().decapsulate(encapsulated)
        return opened(reader.rest(), b"", nonce, shared)
    except (Truncated, ValueError, InvalidTag, CryptoError):
        return None
