"""What validators' weights made of a miner over the epochs that paid: shares given, agreed on and earned.

Means over the same epochs that its pay is summed over, so that an explanation never sets the last epoch's
weights beside the whole run's pay. Everything is read from the record; shares are floats of one.
"""

from dataclasses import dataclass
from statistics import fmean, median

from subnetlab.record.events import EpochPaid
from subnetlab.record.view import RunView
from subnetlab.units import U16_MAX

_CUT = 1e-3
"""A validator gave more than was agreed on if by more than this: rows and consensus are rounded to u16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voting:
    """Of one miner, over the epochs in which weights became pay."""

    epochs: int
    given: dict[int, float]
    """By validator that may vote."""
    usual: float
    """The other miners' median."""
    agreed: float
    """By consensus."""
    cut: dict[int, int]
    """In how many epochs consensus cut a validator's weight for this miner."""
    incentive: float
    paid: int
    """In these epochs, alpha-rao."""
    paid_before: int
    """In epochs without weights, alpha-rao."""
    strongest: tuple[int, float] | None
    """The validator with the most stake among those that vote, and its share of it; newest epoch."""


def voting(view: RunView, uid: int) -> Voting | None:
    """How a miner was voted on; None before the first epoch in which weights became pay."""
    epochs = [epoch for epoch in view.pay.epochs if epoch.weights and sum(epoch.incentive) > 0]
    if not epochs:
        return None
    rows = [_rows(epoch) for epoch in epochs]
    others = [other for other in view.mining if other != uid]
    voters = sorted({voter for found in rows for voter in found})
    given = {v: fmean(found.get(v, {}).get(uid, 0.0) for found in rows) for v in voters}
    usual = [
        fmean(fmean(found.get(v, {}).get(other, 0.0) for found in rows) for v in voters)
        for other in others
        if voters
    ]
    cut = {
        voter: sum(
            found.get(voter, {}).get(uid, 0.0) > _agreed(epoch, uid) + _CUT
            for epoch, found in zip(epochs, rows, strict=True)
        )
        for voter in voters
    }
    paid = sum(_paid(epoch, uid) for epoch in epochs)
    return Voting(
        epochs=len(epochs),
        given=given,
        usual=median(usual) if usual else 0.0,
        agreed=fmean(_agreed(epoch, uid) for epoch in epochs),
        cut={voter: times for voter, times in cut.items() if times},
        incentive=fmean(_of(epoch, epoch.incentive, uid) for epoch in epochs),
        paid=paid,
        paid_before=view.pay.total(uid) - paid,
        strongest=_strongest(epochs[-1]),
    )


def _rows(epoch: EpochPaid) -> dict[int, dict[int, float]]:
    """The weight rows of validators that may vote, each summing to 1."""
    may_vote = dict(zip(epoch.uids, epoch.validator_permit, strict=True))
    found: dict[int, dict[int, float]] = {}
    for voter, row in epoch.weights.items():
        total = sum(row.values())
        if may_vote.get(int(voter)) and total:
            found[int(voter)] = {int(uid): weight / total for uid, weight in row.items()}
    return found


def _of(epoch: EpochPaid, column: list[int], uid: int) -> float:
    total = sum(column)
    return column[epoch.uids.index(uid)] / total if uid in epoch.uids and total else 0.0


def _agreed(epoch: EpochPaid, uid: int) -> float:
    """Consensus is a weight, as a share of a whole row."""
    return epoch.consensus[epoch.uids.index(uid)] / U16_MAX if uid in epoch.uids else 0.0


def _paid(epoch: EpochPaid, uid: int) -> int:
    return epoch.paid_to(uid)


def voting_stake(epoch: EpochPaid) -> dict[int, float]:
    """The share of the voting stake of each validator that has a permit and gave weights."""
    voters = set(_rows(epoch))
    staked = zip(epoch.uids, epoch.stake_alpha_rao, strict=True)
    stakes = {uid: stake for uid, stake in staked if uid in voters}
    total = sum(stakes.values())
    return {uid: stake / total for uid, stake in stakes.items()} if total else {}


def _strongest(epoch: EpochPaid) -> tuple[int, float] | None:
    shares = voting_stake(epoch)
    if not shares:
        return None
    uid = max(shares, key=lambda each: (shares[each], -each))
    return uid, shares[uid]
