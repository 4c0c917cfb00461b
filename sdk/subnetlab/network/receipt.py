"""What is left of a transaction once it is in a block."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from subnetlab.text import REASON, plain
from subnetlab.units import format_tao


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A successful extrinsic: where it stands and what it cost."""

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
