"""MevShield: extrinsics that nobody can read until they are in a block.

The carrier only records that something sealed arrived; the node opens it and includes the inner extrinsic in
the same block. Keys do not rotate (fidelity table). Source: `pallets/shield`.
"""

from typing import Any

from subnetlab.devnet import shield
from subnetlab.devnet.extrinsic import digest
from subnetlab.devnet.ledger import Ledger
from subnetlab.devnet.registry import Origin, call, ensure_signed

CARRIER = ("MevShield", "submit_encrypted")


def genesis(ledger: Ledger) -> None:
    """Publish the key."""
    key = "0x" + shield.public_key().hex()
    for item in ("CurrentKey", "PendingKey", "NextKey"):
        ledger.put("MevShield", item, value=key)


def sealed_bytes(decoded_call: dict[str, Any]) -> bytes:
    """The ciphertext a carrier call brings."""
    value = decoded_call["call_args"][0]["value"]
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)


@call(*CARRIER)
def submit_encrypted(ledger: Ledger, origin: Origin, ciphertext: Any) -> None:
    """Record that a sealed extrinsic arrived."""
    who = ensure_signed(origin)
    raw = bytes.fromhex(ciphertext.removeprefix("0x")) if isinstance(ciphertext, str) else bytes(ciphertext)
    fields = {"id": "0x" + digest(raw).hex(), "who": who}
    ledger.deposit_event("MevShield", "EncryptedSubmitted", fields)
