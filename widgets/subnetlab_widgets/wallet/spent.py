"""The latest spends of a chain as rows of the wallet: from the ledger on disk, so no restart loses them."""

from typing import Any

from subnetlab.network.ledger import Ledger
from subnetlab.text import REASON, plain
from subnetlab.units import format_tao

_MOST = 8


def spent_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """The newest first, amounts in words; `outcome` is done, refused or unknown."""
    return [
        {
            "what": plain(entry.what, REASON), "to": entry.to, "wallet": entry.wallet,
            "amount": format_tao(entry.amount_rao, "").strip(), "fee": format_tao(entry.fee_rao, "").strip(),
            "outcome": entry.outcome, "block": entry.block, "tx": entry.tx,
        }
        for entry in reversed(ledger.entries()[-_MOST:])
    ]  # fmt: skip
