"""The aggregate of a round, made again from the payloads that its record names instead of being read.

An aggregate is several times as large as a payload. Where a round passes beside its miners' steps, its
validators anchor the record first and upload the aggregate while the next round is trained; peers that
follow gather the payloads themselves, as Covenant's do (arXiv 2603.08163). An aggregate whose hash is not the
recorded one is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from subnetlab.errors import PayloadRejected
from subnetlab.network.chain import Chain, Commitment
from subnetlab.store.base import Store
from subnetlab.train import aggregate
from subnetlab.train.anchors import Anchor
from subnetlab.train.intake import Intake
from subnetlab.train.manifest import Manifest
from subnetlab.train.payload.update import Update
from subnetlab.train.roster import Roster, in_fleet_order
from subnetlab.train.round_record import RoundRecord, aggregate_hash
from subnetlab.train.theta import Layout


@dataclass(frozen=True, slots=True)
class Gathering:
    """The run, roster, chain and store that one peer gathers from."""

    manifest: Manifest
    roster: Roster
    chain: Chain
    store: Store

    def update(self, record: RoundRecord, layout: Layout) -> Update:
        """The aggregate of the payloads that a round's record accepted.

        Raises:
            PayloadRejected: a payload is not there any more, or they make another aggregate.
            StoreUnreachable: the store that all peers share did not answer.
        """
        manifest, heights = self.manifest, self.manifest.heights(record.round)
        codec = manifest.codec(layout, record.round)
        intake = Intake(manifest.hash, self.store, codec, self.chain.block_hash(heights.commit))
        commitments = self.chain.commitments()
        found = {
            entry.uid: intake.again(entry, heights, _locator(commitments, entry.hotkey)).update
            for entry in record.accepted
        }
        order = list(found)
        if manifest.deterministic:  # then a miner is known by its place in the fleet
            order = [seat.uid for seat in in_fleet_order(self.roster.at(heights.open)) if seat.uid in found]
        update = manifest.strategy.combine([found[uid] for uid in order], layout)
        if aggregate_hash(aggregate.write(update, layout)) != record.aggregate_hash:
            raise PayloadRejected("The payloads make another aggregate.", reason="wrong_hash")
        return update


def _locator(commitments: Mapping[str, Commitment], hotkey: str) -> str:
    """The newest locator of a miner's place; empty where the seat alone names the place."""
    commitment = commitments.get(hotkey)
    anchor = Anchor.from_bytes(commitment.data) if commitment else None
    return anchor.locator if anchor else ""
