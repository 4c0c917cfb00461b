"""State overrides of `eth_call`: balances, nonces, code and storage as they would be.

They are written into the copy that one request runs on, in its turns. Source: Geth's `eth_call`, as Frontier
takes it.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.engine import Pause
from subnetlab.devnet.evm.fees import WEI_PER_RAO
from subnetlab.devnet.pallets import balances
from subnetlab.devnet.rpc.ethereum.parameters import ADDRESS_BYTES, HASH_BYTES, quantity, sized
from subnetlab.devnet.rpc.method import from_hex, invalid_params

MOST_ENTRIES = 4096
"""Accounts and words of storage that one request overrides; a block has gas to write some 3,400 words."""
_STORAGE = ("state", "stateDiff")


def read_overrides(value: Any, index: int) -> dict[str, dict[str, Any]]:
    """The accounts that a parameter names, so many that they may be changed."""
    accounts = _object(value, index)
    entries = sum(1 + sum(len(_object(_object(changes, index).get(name), index)) for name in _STORAGE)
                  for changes in accounts.values())  # fmt: skip
    if entries > MOST_ENTRIES:
        raise invalid_params(
            f"invalid length at position {index}: expected at most {MOST_ENTRIES} accounts and slots"
        )
    return accounts


def _object(value: Any, index: int) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_params(f"invalid type at position {index}: expected an object")
    return value


def override(ledger: Ledger, accounts: dict[str, dict[str, Any]], index: int, pause: Pause) -> None:
    """Change accounts; `pause` is asked before each of their entries."""
    for who, changes in accounts.items():
        pause()
        _account(ledger, sized(who, ADDRESS_BYTES, index), changes or {}, index, pause)


def _account(ledger: Ledger, address: bytes, changes: dict[str, Any], index: int, pause: Pause) -> None:
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
    for name in _STORAGE:
        for slot, word in (changes.get(name) or {}).items():
            pause()
            at = int.from_bytes(sized(slot, HASH_BYTES, index), "big")
            accounts.set_storage(address, at, int.from_bytes(sized(word, HASH_BYTES, index), "big"))
