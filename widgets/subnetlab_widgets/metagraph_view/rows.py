"""A subnet's seats as rows for the page, and what of them changed since the page was last told.

A row is `FIELDS`; amounts are whole alpha, shares 0 to 1. A role is what the chain shows: one that may vote
and does is a validator, all others are miners, but for the owner. Nothing here knows about widgets.
"""

from dataclasses import dataclass, field
from typing import Any

from subnetlab.network.metagraph import MetagraphSnapshot, NeuronSnapshot
from subnetlab.network.pay_history import PaidEpoch
from subnetlab.network.watch import EPOCHS
from subnetlab.units import RAO_PER_TAO, U16_MAX

FIELDS = (
    "uid", "hotkey", "role", "stake", "vtrust", "incentive", "dividends", "pay", "wrote", "since", "unpaid",
)  # fmt: skip
UNPAID_EPOCHS = 2
"""A miner that was paid nothing for so many epochs in a row, while other miners were, is marked."""

Row = list[Any]


def role_of(row: NeuronSnapshot, graph: MetagraphSnapshot) -> str:
    """What a seat is used for, as far as the chain shows it: validator, owner or miner."""
    if row.validator_permit and (row.validator_trust or row.dividends):
        return "validator"
    return "owner" if row.hotkey == graph.owner_hotkey else "miner"


@dataclass(slots=True)
class MetagraphRows:
    """Everything the page knows of one subnet."""

    block: int = -1
    rows: list[Row] = field(default_factory=list[Row])
    epochs: list[PaidEpoch] = field(default_factory=list[PaidEpoch])
    _told: list[Row] = field(default_factory=list[Row])
    _told_block: int = -1
    _told_epoch: int = -1
    _fresh: bool = True

    def put(self, graph: MetagraphSnapshot, epochs: list[PaidEpoch]) -> None:
        """Take a newer metagraph, and epochs not seen before; an older one starts the table anew."""
        if graph.block < self.block:
            self.epochs, self._fresh = [], True
        self.block = graph.block
        self.epochs = [*self.epochs, *epochs][-EPOCHS:]
        earned = sum(neuron.incentive for neuron in graph.neurons)
        paid = earned or 1
        voted = sum(neuron.dividends for neuron in graph.neurons) or 1
        self.rows = [
            [
                neuron.uid,
                neuron.hotkey,
                role_of(neuron, graph),
                round(neuron.stake_alpha_rao / RAO_PER_TAO, 4),
                round(neuron.validator_trust / U16_MAX, 4),
                round(neuron.incentive / paid, 6),
                round(neuron.dividends / voted, 6),
                round(neuron.emission_alpha_rao / RAO_PER_TAO, 6),
                neuron.last_update,
                neuron.registered_at,
                earned > 0
                and not neuron.incentive
                and role_of(neuron, graph) == "miner"
                and self._unpaid(neuron),
            ]
            for neuron in graph.neurons
        ]

    def _unpaid(self, neuron: NeuronSnapshot) -> bool:
        """Whether a seat was paid nothing lately, although it was held and somebody was paid."""
        held = [epoch for epoch in self.epochs if epoch.block > neuron.registered_at]
        last = [epoch for epoch in held if sum(epoch.paid_alpha_rao)][-UNPAID_EPOCHS:]
        if len(held) <= UNPAID_EPOCHS or len(last) < UNPAID_EPOCHS:
            return False
        return not any(
            epoch.paid_alpha_rao[neuron.uid] for epoch in last if neuron.uid < len(epoch.paid_alpha_rao)
        )

    def forget(self) -> None:
        """Somebody new looks: the next news is everything."""
        self._fresh = True

    def news(self) -> dict[str, Any] | None:
        """What the page has not been told yet, as JSON types; None where there is nothing."""
        if self._fresh:
            self._told, self._told_block, self._told_epoch = [], -1, -1
        rows = [row for i, row in enumerate(self.rows) if i >= len(self._told) or self._told[i] != row]
        epochs = [epoch for epoch in self.epochs if epoch.block > self._told_epoch]
        if self.block < 0 or not (rows or epochs or self.block != self._told_block):
            return None
        news = {
            "block": self.block,
            "seats": len(self.rows),
            "rows": rows,
            "epochs": [
                [epoch.block, [round(paid / RAO_PER_TAO, 4) for paid in epoch.paid_alpha_rao]]
                for epoch in epochs
            ],
            "fresh": self._fresh,
        }
        self._told, self._told_block, self._fresh = self.rows, self.block, False
        if epochs:
            self._told_epoch = epochs[-1].block
        return news
