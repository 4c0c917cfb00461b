"""The MEV shield's key and the opening of sealed extrinsics.

One deterministic ML-KEM-768 key serves the whole life of a devnet: its secret is public on purpose, because
there is no one here to front-run (fidelity table: keys do not rotate). Wire form:
`key hash 16 | length 2 | KEM ciphertext | nonce 24 | XChaCha20-Poly1305`. Source: `pallets/shield`.
"""

from functools import cache
from hashlib import blake2b

import xxhash
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as open_sealed
from nacl.exceptions import CryptoError

from subnetlab.devnet.chain.scale import Reader, Truncated

SEED = blake2b(b"SubnetLab devnet MEV shield", digest_size=64).digest()
KEY_HASH_BYTES, NONCE_BYTES = 16, 24


@cache
def _secret() -> MLKEM768PrivateKey:
    return MLKEM768PrivateKey.from_seed_bytes(SEED)


@cache
def public_key() -> bytes:
    """The encapsulation key that clients read from `MevShield.NextKey`, 1184 bytes."""
    return _secret().public_key().public_bytes_raw()


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
    reader = Reader(ciphertext)
    try:
        named = reader.take(KEY_HASH_BYTES)
        encapsulated = reader.take(reader.integer(2))
        nonce = reader.take(NONCE_BYTES)
        if named != key_hash():
            return None
        shared = _secret().decapsulate(encapsulated)
        return open_sealed(reader.rest(), b"", nonce, shared)
    except (Truncated, ValueError, InvalidTag, CryptoError):
        return None
