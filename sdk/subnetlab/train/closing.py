"""How a round ended, as the record says it: from the record of the round that a replica has just adopted."""

from subnetlab.record.events import RoundClosed
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.replica import Adopted, Replica
from subnetlab.train.scoring.losses import validation_loss


def round_closed(
    replica: Replica, adopted: Adopted, heights: RoundHeights, corpus: Corpus, *, aggregate_s: float
) -> RoundClosed:
    """The event of a round that closed; loads the model that it made, and measures it."""
    record, model = adopted.record, replica.model
    model.load(replica.theta_P)
    return RoundClosed(
        round=heights.round,
        lead=adopted.lead,
        heights=[heights.open, heights.commit, heights.beacon, heights.close],
        accepted=[[entry.uid, entry.payload_hash] for entry in record.accepted],
        aggregate_hash=record.aggregate_hash,
        theta_hash=record.theta_after,
        val_loss=validation_loss(model, replica.manifest, corpus),
        aggregate_s=aggregate_s,
    )
