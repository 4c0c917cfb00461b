"""MevShield: extrinsics that are unreadable until they are in a block.

The carrier only records that something sealed arrived; the node opens it and includes the inner extrinsic in
the same block. Keys do not rotate (fidelity table). Source: `pallets/shield`.
"""

from typing import Any

from subnetlab.devnet.chain import shield, transaction_error
from subnetlab.devnet.chain.codec import bytes_of
from subnetlab.devnet.chain.extrinsic import digest
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, admission, call, ensure_signed
from subnetlab.devnet.chain.scale import Reader

CARRIER = ("MevShield", "submit_encrypted")


MAX_ERA_PERIOD = 8


@admission(*CARRIER)
def well_formed(_ledger: Ledger, _signer: str, ciphertext: Any) -> None:
    """Refuse what cannot be a sealed extrinsic (`CheckShieldedTxValidity`)."""
    if not shield.is_well_formed(bytes_of(ciphertext)):
        raise transaction_error.custom("FailedShieldedTxParsing")


def genesis(ledger: Ledger) -> None:
    """Publish the key."""
    key = "0x" + shield.public_key().hex()
    for item in ("CurrentKey", "PendingKey", "NextKey"):
        ledger.put("MevShield", item, value=key)


def sealed_bytes(call: bytes) -> bytes:
    """The ciphertext in the SCALE bytes of a carrier call.

    Raises:
        Truncated: the call ends before its argument does.
    """
    return Reader(call, 2).prefixed()


@call(*CARRIER)
def submit_encrypted(ledger: Ledger, origin: Origin, ciphertext: Any) -> None:
    """Record that a sealed extrinsic arrived."""
    who = ensure_signed(origin)
    fields = {"id": "0x" + digest(bytes_of(ciphertext)).hex(), "who": who}
    ledger.deposit_event("MevShield", "EncryptedSubmitted", fields)
