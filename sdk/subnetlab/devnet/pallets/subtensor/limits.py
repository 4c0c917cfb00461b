"""How often something may be done: the runtime's rate limits by kind of action.

A limit counts blocks since the last time; the first time always passes. Source: `utils/rate_limiting.rs`.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.pallets.subtensor.entries import number, write

SET_CHILDREN, SET_CHILDKEY_TAKE = 0, 1
WEIGHTS_VERSION_KEY = 4
MECHANISM_COUNT, MECHANISM_EMISSION, UIDS_TRIMMING = 7, 8, 9
TEMPO_UPDATE = 11
"""Numbers of the kinds kept per hotkey and subnet in `TransactionKeyLastBlock`."""
SET_CHILDREN_BLOCKS = 150
OWNER_HOTKEY_BLOCKS = 50_400
NETWORK_REGISTERED = "NetworkLastRegistered"


def _passes(ledger: Ledger, last_block: int, blocks: int) -> bool:
    return last_block == 0 or ledger.block_number - last_block >= blocks


def passes(ledger: Ledger, key: Any, blocks: int) -> bool:
    """Whether enough blocks have passed for a `RateLimitKey`."""
    return _passes(ledger, number(ledger, "LastRateLimitedBlock", key), blocks)


def mark(ledger: Ledger, key: Any) -> None:
    """Write down that something under a `RateLimitKey` was done now."""
    write(ledger, "LastRateLimitedBlock", key, value=ledger.block_number)


def passes_for(ledger: Ledger, account: str, netuid: int, kind: int, blocks: int) -> bool:
    """Whether enough blocks have passed for a kind of action by an account on a subnet."""
    return _passes(ledger, number(ledger, "TransactionKeyLastBlock", account, netuid, kind), blocks)


def mark_for(ledger: Ledger, account: str, netuid: int, kind: int) -> None:
    """Write down that an account did a kind of action on a subnet now."""
    write(ledger, "TransactionKeyLastBlock", account, netuid, kind, value=ledger.block_number)


def owner_key(netuid: int, hyperparameter: str) -> dict[str, Any]:
    """The `RateLimitKey` of one hyperparameter of a subnet's owner."""
    return {"OwnerHyperparamUpdate": (netuid, hyperparameter)}
