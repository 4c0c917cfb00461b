"""0x400 to 0x403: SHA3-256, recovering a public key, and checking ed25519 and sr25519 signatures.

Ethereum hashes with Keccak-256 and has no other signatures; these let a contract check a Substrate key's. The
selector of `verify` is not looked at. Source: `ed25519.rs`, `sr25519.rs`; `precompile-simple` and
`precompile-sha3fips` of Frontier.
"""

from hashlib import sha3_256

import bittensor_core as core
from coincurve import PublicKey

from subnetlab.devnet.chain.extrinsic import is_signature
from subnetlab.devnet.evm.engine import REF_TIME_PER_GAS
from subnetlab.devnet.evm.precompiles.frame import Failed, Frame

_SHA3_BASE, _SHA3_PER_BYTE = 516_915, 2_019
"""Benchmarked reference time."""
_RECOVER_GAS = 3_000
_VERIFY_GAS = 6_000
_VERIFY_BYTES = 4 + 4 * 32
_RECOVER_BYTES = 4 * 32
_V_OFFSET = 27
_TRUE, _FALSE = (1).to_bytes(32, "big"), bytes(32)


def sha3_fips_256(frame: Frame) -> bytes:
    """NIST's SHA3-256 of the call data."""
    frame.consume((_SHA3_BASE + _SHA3_PER_BYTE * len(frame.data)) // REF_TIME_PER_GAS)
    return sha3_256(frame.data).digest()


def recover_public_key(frame: Frame) -> bytes:
    """The 64 bytes of the public key that signed a hash: hash, v, r and s as `ecrecover` takes them.

    Raises:
        Failed: they are no signature.
    """
    frame.consume(_RECOVER_GAS)
    data = frame.data[:_RECOVER_BYTES].ljust(_RECOVER_BYTES, b"\0")
    parity = data[63] - _V_OFFSET if data[63] >= _V_OFFSET else data[63]
    try:
        signature = data[64:128] + bytes([parity])
        key = PublicKey.from_signature_and_message(signature, data[:32], hasher=None)
    except ValueError:
        raise Failed("Public key recover failed") from None
    return key.format(compressed=False)[1:]


def _verify(frame: Frame, scheme: int) -> bytes:
    frame.consume(_VERIFY_GAS)
    if len(frame.data) < _VERIFY_BYTES:
        raise Failed("input must contain 128 bytes")
    message, key, signature = frame.data[4:36], frame.data[36:68], frame.data[68:132]
    return _TRUE if is_signature(signature, message, core.ss58_encode(key), scheme) else _FALSE


def verify_ed25519(frame: Frame) -> bytes:
    """1 where an ed25519 key signed a 32-byte message, else 0."""
    return _verify(frame, core.CRYPTO_ED25519)


def verify_sr25519(frame: Frame) -> bytes:
    """1 where an sr25519 key signed a 32-byte message, else 0."""
    return _verify(frame, core.CRYPTO_SR25519)
