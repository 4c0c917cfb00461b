"""Sealing a payload until all have committed, against late copies, replay, squatted names and overwriting.

A miner draws a salt and a key, encrypts the payload (ChaCha20-Poly1305) and commits on chain to
blake2b(run, round, hotkey, salt, payload hash). After the deadline it reveals salt and key. The sealed object
lies under a name that contains the commitment, unknown to others before it is there; it carries the hash of
a token, derived from the salt, that will name the reveal, so that name cannot be squatted either.
The key encrypts one message only, hence the fixed nonce.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from bittensor_core import Keypair
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from subnetlab.errors import PayloadRejected
from subnetlab.train.hashing import SIZE, digest

SALT_BYTES: Final = 32
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
TAG_BYTES: Final = 16
OVERHEAD: Final = SIZE + TAG_BYTES
"""Bytes a sealed object has more than its payload."""
REVEAL_BYTES: Final = SALT_BYTES + KEY_BYTES + SIGNATURE_BYTES
_NONCE: Final = bytes(12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What a payload is sealed for; it opens nowhere else."""

    run: str
    """The manifest's hash."""
    round: int
    hotkey: str

    @property
    def context(self) -> bytes:
        """The binding as associated data of the encryption."""
        return digest("binding", self.run, self.round, self.hotkey)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A payload ready to travel, and what its author keeps until the reveal."""

    data: bytes
    commitment: bytes
    payload_hash: bytes
    salt: bytes
    key: bytes

    @property
    def token(self) -> str:
        """The name of the reveal, unknown to others before it is there."""
        return token_of(self.salt)


@dataclass(frozen=True, slots=True)
class Reveal:
    """What opens a sealed payload; the signature says that the hotkey wants it opened."""

    salt: bytes
    key: bytes
    signature: bytes

    def to_bytes(self) -> bytes:
        """Fixed layout: salt, key, signature."""
        return self.salt + self.key + self.signature

    @staticmethod
    def from_bytes(data: bytes) -> "Reveal":
        """Read it back.

        Raises:
            PayloadRejected: not exactly as long as a reveal.
        """
        if len(data) != REVEAL_BYTES:
            raise PayloadRejected(f"A reveal has {REVEAL_BYTES} bytes, not {len(data)}.", reason="malformed")
        end = SALT_BYTES + KEY_BYTES
        return Reveal(data[:SALT_BYTES], data[SALT_BYTES:end], data[end:])


def seal(payload: bytes, binding: Binding) -> Sealed:
    """Encrypt a payload under a fresh key and compute its commitment."""
    salt, key = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(KEY_BYTES)
    payload_hash = hash_of(payload)
    ciphertext = ChaCha20Poly1305(key).encrypt(_NONCE, payload, binding.context)
    data = _token_hash(token_of(salt)) + ciphertext
    return Sealed(data, commitment_of(binding, salt, payload_hash), payload_hash, salt, key)


def unseal(data: bytes, reveal: Reveal, commitment: bytes, binding: Binding) -> bytes:
    """Open a sealed object and prove that it is what was committed.

    Raises:
        PayloadRejected: it does not decrypt, or the commitment is to something else.
    """
    try:
        payload = ChaCha20Poly1305(reveal.key).decrypt(_NONCE, data[SIZE:], binding.context)
    except InvalidTag:
        raise PayloadRejected("The revealed key does not open the payload.", reason="wrong_key") from None
    if commitment_of(binding, reveal.salt, hash_of(payload)) != commitment:
        raise PayloadRejected("The payload is not what was committed.", reason="wrong_hash")
    return payload


def names_reveal(data: bytes, token: str) -> bool:
    """Whether a token is the one whose hash the sealed object carries."""
    return len(data) >= OVERHEAD and data[:SIZE] == _token_hash(token)


def hash_of(payload: bytes) -> bytes:
    """The hash of a payload before sealing."""
    return digest("payload", payload)


def commitment_of(binding: Binding, salt: bytes, payload_hash: bytes) -> bytes:
    """What goes on chain."""
    return digest("commitment", binding.run, binding.round, binding.hotkey, salt, payload_hash)


def token_of(salt: bytes) -> str:
    """The reveal's name, from the salt."""
    return digest("reveal-token", salt).hex()


def signed_text(commitment: bytes, binding: Binding) -> bytes:
    """What the hotkey signs in a reveal."""
    return digest("reveal", binding.context, commitment)


def verify(hotkey: str, message: bytes, signature: bytes) -> bool:
    """Whether a hotkey (ss58) signed a message, sr25519 as on chain; False for anything malformed."""
    try:
        return bool(Keypair(ss58_address=hotkey).verify(message, signature))
    except (ValueError, TypeError):
        return False


def _token_hash(token: str) -> bytes:
    return digest("reveal-name", token)
