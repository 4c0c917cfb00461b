"""System: nonces, remarks, and what every block leaves behind (events, hashes, digest).

Runtime upgrades and raw storage writes are answered `CallFiltered`, but for root's `set_storage` and
`kill_storage`. Source: Substrate's `frame-system`.
"""

from typing import Any

from subnetlab.devnet.chain.codec import bytes_of
from subnetlab.devnet.chain.extrinsic import digest
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call, ensure_root, ensure_signed
from subnetlab.devnet.chain.scale import compact

BLOCK_HASH_COUNT = 2400
"""How many block hashes, and how many blocks' state, the chain remembers."""


def nonce(ledger: Ledger, who: str) -> int:
    """The nonce of the account's next extrinsic."""
    return int(ledger.get("System", "Account", who)["nonce"])


def increment_nonce(ledger: Ledger, who: str) -> None:
    """Count one extrinsic of the account."""
    account = ledger.get("System", "Account", who)
    account["nonce"] = int(account["nonce"]) + 1
    ledger.put("System", "Account", who, value=account)


def add_sufficient(ledger: Ledger, who: str, count: int) -> None:
    """Count a reason for the account to exist without a balance, or one less."""
    account = ledger.get("System", "Account", who)
    account["sufficients"] = max(int(account["sufficients"]) + count, 0)
    ledger.put("System", "Account", who, value=account)


def open_block(ledger: Ledger, parent_hash: bytes) -> None:
    """Link the block being built to its parent and forget the oldest hash."""
    number = ledger.block_number
    ledger.put("System", "ParentHash", value="0x" + parent_hash.hex())
    ledger.put("System", "BlockHash", number - 1, value="0x" + parent_hash.hex())
    if number > BLOCK_HASH_COUNT:
        ledger.remove("System", "BlockHash", number - 1 - BLOCK_HASH_COUNT)


def close_block(ledger: Ledger) -> None:
    """Store the block's events."""
    encoded = [one.encoded for one in ledger.events]
    ledger.put_raw(ledger.codec.key("System", "Events"), compact(len(encoded)) + b"".join(encoded))
    ledger.put("System", "EventCount", value=len(ledger.events))


@call("System", "remark")
def remark(_ledger: Ledger, _origin: Origin, remark: Any) -> None:
    """Leave bytes in the block, and nothing else."""


@call("System", "remark_with_event")
def remark_with_event(ledger: Ledger, origin: Origin, remark: Any) -> None:
    """Leave bytes in the block and their hash in an event."""
    who = ensure_signed(origin)
    ledger.deposit_event("System", "Remarked", {"sender": who, "hash": "0x" + digest(bytes_of(remark)).hex()})


@call("System", "set_storage")
def set_storage(ledger: Ledger, origin: Origin, items: Any) -> None:
    """Write raw storage, as root."""
    ensure_root(origin)
    for key, value in items:
        ledger.state.put(bytes_of(key), bytes_of(value))


@call("System", "kill_storage")
def kill_storage(ledger: Ledger, origin: Origin, keys: Any) -> None:
    """Remove raw storage, as root."""
    ensure_root(origin)
    for key in keys:
        ledger.state.put(bytes_of(key), None)
