"""Signed extrinsics taken apart by hand: the codec reads calls, but hides the bytes a signature is made over.

Format 4 with the thirteen signed extensions of spec 461, of which four carry bytes: mortality, nonce, tip and
the metadata-hash mode. Parsing never trusts a length. Source: Substrate's `UncheckedExtrinsic`.
"""

from hashlib import blake2b
from typing import NamedTuple

import bittensor_core as core

from subnetlab.devnet.chain.scale import Reader, Truncated, prefixed

SIGNED_V4 = 0x84
BARE_V5 = 0x05
SIGNATURE_BYTES = {0: 64, 1: 64, 2: 65}
"""By scheme: ed25519, sr25519, ecdsa."""
MIN_ERA_PERIOD = 4


class Malformed(ValueError):
    """These bytes are no signed extrinsic."""


class Era(NamedTuple):
    """Mortality: valid for `period` blocks from a block that equals `phase` modulo the period."""

    period: int
    phase: int

    def birth(self, current: int) -> int:
        """The first block of the life that covers `current`."""
        return (max(current, self.phase) - self.phase) // self.period * self.period + self.phase

    def death(self, current: int) -> int:
        """The first block after that life."""
        return self.birth(current) + self.period


class Extrinsic(NamedTuple):
    """A signed extrinsic: what it says, and the bytes that were signed."""

    raw: bytes
    """With the length prefix, as in a block."""
    hash: bytes
    signer: str
    scheme: int
    signature: bytes
    era: Era | None
    nonce: int
    tip: int
    metadata_mode: int
    extra: bytes
    """Era, nonce, tip and mode exactly as they were sent."""
    call: bytes

    @property
    def account(self) -> bytes:
        """The signer's public key."""
        return bytes(core.ss58_decode(self.signer))

    @property
    def tag(self) -> tuple[str, int]:
        """What no two extrinsics in a pool may share: signer and nonce."""
        return self.signer, self.nonce


def digest(data: bytes, size: int = 32) -> bytes:
    """blake2b, the chain's hash."""
    return blake2b(data, digest_size=size).digest()


def bare(call: bytes) -> bytes:
    """An unsigned extrinsic (an inherent) around a call."""
    return prefixed(bytes([BARE_V5]) + call)


def parse(raw: bytes) -> Extrinsic:
    """Take a signed extrinsic apart.

    Raises:
        Malformed: it is not one; the message says where it breaks.
    """
    try:
        return _parse(raw)
    except Truncated as error:
        raise Malformed(f"Not enough data to fill buffer: {error}") from error


def _parse(raw: bytes) -> Extrinsic:
    outer = Reader(raw)
    body = Reader(outer.prefixed())
    if outer.left:
        raise Malformed(f"{outer.left} bytes after the extrinsic's end")
    version = body.byte()
    if version != SIGNED_V4:
        raise Malformed(f"Invalid transaction version {version}")
    kind = body.byte()
    if kind != 0:
        raise Malformed(f"The signer's address is of kind {kind}, not an account id")
    signer = core.ss58_encode(body.take(32))
    scheme = body.byte()
    if scheme not in SIGNATURE_BYTES:
        raise Malformed(f"Unknown signature scheme {scheme}")
    signature = body.take(SIGNATURE_BYTES[scheme])
    start = body.offset
    era, nonce, tip, mode = _era(body), body.compact(), body.compact(), body.byte()
    if mode > 1:
        raise Malformed(f"Unknown metadata-hash mode {mode}")
    if nonce >= 1 << 32 or tip >= 1 << 64:
        raise Malformed("Nonce or tip out of range")
    extra = body.data[start : body.offset]
    return Extrinsic(
        raw=raw, hash=digest(raw), signer=signer, scheme=scheme, signature=signature, era=era,
        nonce=nonce, tip=tip, metadata_mode=mode, extra=extra, call=body.rest(),
    )  # fmt: skip


def _era(body: Reader) -> Era | None:
    first = body.byte()
    if first == 0:
        return None
    encoded = first | body.byte() << 8
    period = 2 << (encoded & 15)
    phase = (encoded >> 4) * max(period >> 12, 1)
    if period < MIN_ERA_PERIOD or phase >= period:
        raise Malformed("Invalid period and phase")
    return Era(period, phase)


def is_signature(signature: bytes, payload: bytes, signer: str, scheme: int) -> bool:
    """Whether an account's key signed exactly this payload.

    The codec also takes what a browser's wallet signs of a message, which is the message in `<Bytes>` marks;
    the runtime does not.
    """
    try:
        return core.verify(payload, signature, signer, scheme) and not core.verify(
            b"<Bytes>" + payload + b"</Bytes>", signature, signer, scheme
        )
    except (ValueError, TypeError):
        return False


def signed_payload(
    extrinsic: Extrinsic,
    *,
    spec_version: int,
    transaction_version: int,
    genesis_hash: bytes,
    birth_hash: bytes,
    metadata_hash: bytes | None,
) -> bytes:
    """The bytes the signature is made over."""
    implied = (
        spec_version.to_bytes(4, "little")
        + transaction_version.to_bytes(4, "little")
        + genesis_hash
        + birth_hash
        + (b"\x00" if metadata_hash is None else b"\x01" + metadata_hash)
    )
    payload = extrinsic.call + extrinsic.extra + implied
    return digest(payload) if len(payload) > 256 else payload
