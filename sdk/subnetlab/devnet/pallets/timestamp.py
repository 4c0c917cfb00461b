"""Timestamp: the one inherent, which says what time the block was built at.

Source: Substrate's `pallet-timestamp`.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import NONE, DispatchError, Origin, call


@call("Timestamp", "set")
def set_now(ledger: Ledger, origin: Origin, now: int) -> None:
    """Set the block's time in milliseconds; only the block's builder may."""
    if origin != NONE:
        raise DispatchError("BadOrigin")
    ledger.put("Timestamp", "Now", value=now)
