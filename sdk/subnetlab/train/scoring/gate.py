"""The gate: which payloads of a round go into the aggregate, and why not, in words a student understands.

An update must remove, over all data on which it was tried, at least a set share of what the median update
removes, and do no harm on data not assigned to any miner. Noise removes nothing, whatever its norm; an honest
update removes some even in the first and last rounds, when all remove little. Measured on the small model,
8 miners, 20 rounds, on unseen data alone: honest updates from 0.38 of the median up in all but one of 140,
noise of honest norm at most 0.14. A run may let earlier rounds count: then a good miner's bad batch does not
shut it out, and noise needs more than one lucky round; and it may let a round count by what it can say beside
the noise of its measurement (`gate_by`), because late rounds remove less than that. A newcomer's short first
updates are judged for their length, and by down to half the share: with error feedback they carry the largest
part of one round where others' carry what many left over, and its optimizer's moments begin at nothing. To
shut someone out for one round is not to slash: ratings decide what lasts.
"""

from collections.abc import Mapping
from statistics import median
from typing import Final

from subnetlab.train.scoring.evidence import Evidence
from subnetlab.train.scoring.losses import Removed
from subnetlab.train.scoring.readings import Known, harm, readings

_LESS: Final = 0.5
"""By how much of the usual share a newcomer's update may fall short the shorter it is; noise reaches less."""


def gate(
    removed: Mapping[int, Removed],
    share: float,
    standing: Mapping[int, float] | None = None,
    weight: float = 0.0,
) -> dict[int, str]:
    """The uids that do not pass, each with the reason.

    Args:
        removed: what every well-formed update removed, by uid.
        share: of the median update's effect that one must reach.
        standing: the share that each miner reached in earlier rounds.
        weight: how much of the decision that is, from 0 to 1.
    """
    if not removed:
        return {}
    typical = max(0.0, median(r.effect for r in removed.values()))
    reasons: dict[int, str] = {}
    for uid, r in removed.items():
        known = standing.get(uid) if standing and weight > 0 and typical > 0 else None
        before = weight * known * typical if known is not None else 0.0
        if known is None:
            harms = r.effect <= 0 or r.held_out < -share * typical
        else:
            harms = min(r.effect, r.held_out) < 0 and (1 - weight) * r.held_out + before < 0
        if harms:
            reasons[uid] = _harmful(r)
        elif known is not None:
            if (1 - weight) * r.effect + before < share * typical:
                reasons[uid] = (
                    f"This update removed {r.effect:.3%} of the loss, the median miner {typical:.3%}, and"
                    f" earlier ones {known:.0%} of the median: together less than {share:.0%}"
                    " counts as noise."
                )
        elif r.effect < share * typical:
            reasons[uid] = (
                f"This update removed {r.effect:.3%} of the loss, the median miner {typical:.3%}: "
                f"less than {share:.0%} of that counts as noise."
            )
    return reasons


def gate_by(
    evidence: Evidence, removed: Mapping[int, Removed], share: float, weight: float
) -> dict[int, str]:
    """The uids that do not pass, each with the reason, where a round counts by what it can say.

    Args:
        evidence: what was known before the round.
        removed: what every well-formed update removed, by uid.
        share: of the median update's effect that one must reach.
        weight: how much of the decision earlier rounds are, from 0 to 1.
    """
    lengths = evidence.lengths(removed)
    found = readings(removed, evidence.certainty, lengths)
    reasons: dict[int, str] = {}
    for uid, r in removed.items():
        expected = evidence.known.get(uid, Known()).expected(found[uid], weight)
        least = share * (1 - _LESS * (1 - lengths.get(uid, 1.0)))
        if harm(r, evidence.certainty):
            reasons[uid] = _harmful(r)
        elif expected < least:
            reasons[uid] = (
                f"This update removed {r.effect:.3%} of the loss; by this and earlier rounds it removes"
                f" {expected:.0%} of what the median miner does: less than {least:.0%} counts as noise."
            )
    return reasons


def _harmful(removed: Removed) -> str:
    return (
        f"Tried on data, this update raised the loss by {-min(removed.effect, removed.held_out):.3%}: "
        "an update that does harm is left out."
    )
