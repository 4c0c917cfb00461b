"""What is left of a transaction once it is in a block, and what it took from an account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from subnetlab.text import REASON, plain
from subnetlab.units import format_tao


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A successful extrinsic: its block, its index and what it cost."""

    tx: str
    """Hash of the extrinsic, `0x…`; of the decrypted one where the shield carried it."""
    block: int
    fee_rao: int
    """What the signer paid the chain for it, not what was moved; the shield's carrier included."""
    summary: str
    """What it did, in words."""
    events: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """The chain's own events of this extrinsic: `{"pallet", "name", "fields"}`, in order."""
    data: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """What the SDK adds, such as the `netuid` of a new subnet."""

    def event(self, pallet: str, name: str) -> Mapping[str, Any] | None:
        """The fields of the first event of this name, or None."""
        for event in self.events:
            if event["pallet"] == pallet and event["name"] == name:
                fields: Mapping[str, Any] = event["fields"]
                return fields
        return None

    def __str__(self) -> str:
        return f"{plain(self.summary, REASON)}: block {self.block}, fee {format_tao(self.fee_rao)}, {self.tx}"


_TAKEN = {"Withdraw": "who", "Transfer": "from", "Burned": "who", "Reserved": "who", "Slashed": "who"}
_GIVEN = {"Deposit": "who", "Transfer": "to", "Minted": "who", "Unreserved": "who"}
"""Events of the pallet Balances, and the field that names the account."""


def taken_from(receipt: Receipt, account: str) -> int:
    """The rao that an extrinsic took from an account beyond its fee, by the chain's own events.

    What was asked for may be more: a limit order fills in part. 0 where another account paid.
    """
    return max(0, moved_from(receipt, account))


def moved_from(receipt: Receipt, account: str) -> int:
    """The rao that an extrinsic took from an account beyond its fee; below 0 what it brought."""
    taken = 0
    for event in receipt.events:
        fields: Any = event["fields"]
        if event["pallet"] == "Balances" and isinstance(fields, Mapping):
            taken += _amount(fields, _TAKEN.get(event["name"]), account)
            taken -= _amount(fields, _GIVEN.get(event["name"]), account)
        elif event["name"] == "TransactionFeePaid" and isinstance(fields, Mapping):
            taken -= int(fields["actual_fee"]) if fields.get("who") == account else 0
    return taken


def _amount(fields: Mapping[str, Any], named_by: str | None, account: str) -> int:
    return int(fields["amount"]) if named_by is not None and fields.get(named_by) == account else 0
