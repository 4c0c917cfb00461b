"""State overrides of `eth_call`: balances, nonces, code and storage as they would be.

They are written into the copy that one request runs on. Source: Geth's `eth_call`, as Frontier takes it.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.fees import WEI_PER_RAO
from subnetlab.devnet.pallets import balances
from subnetlab.devnet.rpc.ethereum.parameters import ADDRESS_BYTES, HASH_BYTES, quantity, sized
from subnetlab.devnet.rpc.method import from_hex, invalid_params


def override(ledger: Ledger, value: Any, index: int) -> None:
    """Change the accounts that a parameter names."""
    if value is None:
        return
    if not isinstance(value, dict):
        raise invalid_params(f"invalid type at position {index}: expected an object")
    for who, changes in value.items():
        if not isinstance(changes, dict):
            raise invalid_params(f"invalid type at position {index}: expected an object")
        _account(ledger, sized(who, ADDRESS_BYTES, index), changes, index)


def _account(ledger: Ledger, address: bytes, changes: dict[str, Any], index: int) -> None:
    from subnetlab.devnet.evm.accounts import AccountDatabase  # noqa: PLC0415 - it loads the engine

    accounts, who = AccountDatabase(ledger), mirror(address)
    if changes.get("balance") is not None:
        rao = quantity(changes["balance"], index) // WEI_PER_RAO + balances.EXISTENTIAL_DEPOSIT
        balances.set_free(ledger, who, min(rao, 2**64 - 1))
    if changes.get("nonce") is not None:
        account = ledger.get("System", "Account", who)
        account["nonce"] = quantity(changes["nonce"], index, 32)
        ledger.put("System", "Account", who, value=account)
    if changes.get("code") is not None:
        accounts.set_delegation(address, from_hex(changes["code"], index))
    if changes.get("state") is not None:
        accounts.delete_storage(address)
    for name in ("state", "stateDiff"):
        slots = changes.get(name) or {}
        if not isinstance(slots, dict):
            raise invalid_params(f"invalid type at position {index}: expected an object")
        for slot, word in slots.items():
            at = int.from_bytes(sized(slot, HASH_BYTES, index), "big")
            accounts.set_storage(address, at, int.from_bytes(sized(word, HASH_BYTES, index), "big"))
