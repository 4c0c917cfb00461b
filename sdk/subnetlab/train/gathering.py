"""The aggregate of a round, made again from the payloads that its record names instead of being read.

An aggregate is several times as large as a payload. Where a round passes beside its miners' steps, its
validators anchor the record first and upload the aggregate while the next round is trained; peers that
follow gather the payloads themselves, as Covenant's do (arXiv 2603.08163). An aggregate whose hash is not the
recorded one is refused.
"""

from dataclasses import dataclass

from subnetlab.errors import ObjectMissing, PayloadRejected
from subnetlab.network.chain import Chain, Commitment
from subnetlab.store.base import Store
from subnetlab.train import aggregate, object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.intake import Intake
from subnetlab.train.manifest import Manifest
from subnetlab.train.payload.update import Update
from subnetlab.train.roster import Roster, in_fleet_order
from subnetlab.train.round_record import RoundRecord, aggregate_hash
from subnetlab.train.stragglers import Until
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
            PayloadRejected: a payload is not there any more, they make another aggregate, or there are more
                than the subnet has hotkeys.
            StoreUnreachable: the store that all peers share did not answer.
        """
        manifest, heights = self.manifest, self.manifest.heights(record.round)
        commitments = self.chain.commitments()
        if len(record.accepted) > len(commitments):  # each of them takes time and memory
            raise PayloadRejected("It names more payloads than there are hotkeys.", reason="malformed")
        locators = {hotkey: _locator(commitment) for hotkey, commitment in commitments.items()}
        codec = manifest.codec(layout, record.round)
        intake = Intake(manifest.hash, self.store, codec, self.chain.block_hash(heights.commit))
        found = intake.again_all(record.accepted, heights, locators, Until.followed(self.chain, heights))
        order = list(found)
        if manifest.deterministic:  # then a miner is known by its place in the fleet
            order = [seat.uid for seat in in_fleet_order(self.roster.at(heights.open)) if seat.uid in found]
        update = manifest.strategy.combine([found[uid] for uid in order], layout)
        if aggregate_hash(aggregate.write(update, layout)) != record.aggregate_hash:
            raise PayloadRejected("The payloads make another aggregate.", reason="wrong_hash")
        return update


def keep(update: Update, record: RoundRecord, layout: Layout, store: Store) -> None:
    """Store the aggregate of a record if it is not: its validators may have been stopped before they did.

    Raises:
        StoreError: it cannot be.
    """
    name = object_paths.aggregate(record.round, record.aggregate_hash)
    try:
        store.get(name, aggregate.limit(layout))
    except ObjectMissing:
        store.put(name, aggregate.write(update, layout))


def _locator(commitment: Commitment) -> str:
    """The newest locator of a hotkey's place; empty where the seat alone names the place."""
    anchor = Anchor.from_bytes(commitment.data)
    return anchor.locator if anchor else ""
