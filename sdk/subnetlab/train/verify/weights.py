"""Votes and pay on record against the chain: what validators set, and what the epochs paid for it."""

from collections.abc import Iterable, Mapping, Sequence

from subnetlab.network.commit_history import ChainHistory, Epoch, Voted
from subnetlab.network.metagraph import NeuronSnapshot
from subnetlab.record.events import EpochPaid, WeightsSet
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.verify.findings import Report
from subnetlab.train.verify.log import Log
from subnetlab.train.verify.scores import same_votes
from subnetlab.train.verify.sources import Sources


def check_votes(sources: Sources, log: Log, heights: RoundHeights, report: Report) -> None:
    """Compare every vote of a round on record with the extrinsic that set it, both ways."""
    if sources.history is None or sources.history.last < heights.close:
        return
    for seat in sources.validators(heights.round):
        votes = sources.votes(heights.round, seat.hotkey)
        told = log.weights.get((heights.round, seat.uid), [])
        report.count("weights", len(votes))
        if any(vote.weights is None for vote in votes):
            said = "These weights were set sealed, and what they were is not in the body of the block."
            report.unchecked("weights", "weights", said, round_=heights.round, uid=seat.uid)
        elif votes or not sources.public:  # a vote of strangers may wait until the chain takes one
            _compare_told(told, votes, heights.round, seat.uid, report)
        whole = not sources.public and not log.may_miss(seat.uid)
        if whole and heights.round <= max(log.over, default=-1):
            _find_untold(log, votes, heights.round, seat.uid, report)


def _compare_told(
    told: Sequence[WeightsSet], votes: Sequence[Voted], round_: int, uid: int, report: Report
) -> None:
    plain = [_as_row(vote) for vote in votes]
    for each in told:
        if not any(same_votes(each, row) for row in plain):
            said = "The record tells other weights than this validator set on chain."
            report.tampered("weights", "weights", said, round_=round_, uid=uid)
    if len(told) > 1 and len(told) > len(votes):
        said = "The record tells more votes of this validator than it set."
        report.tampered("weights", "record line", said, round_=round_, uid=uid)


def _find_untold(log: Log, votes: Sequence[Voted], round_: int, uid: int, report: Report) -> None:
    if all(vote.refused for vote in votes):
        return
    if not log.weights.get((round_, uid)):
        said = "The record leaves out a vote that this validator set on chain."
        report.tampered("weights", "record line", said, round_=round_, uid=uid)
    if not log.scored.get((round_, uid)):
        said = "This validator set weights without a verdict on record."
        report.tampered("weights", "weights", said, round_=round_, uid=uid)


def _as_row(vote: Voted) -> dict[str, int]:
    return {str(uid): weight for uid, weight in (vote.weights or {}).items()}


def check_pay(history: ChainHistory, log: Log, report: Report) -> None:
    """Compare what each epoch paid, by the record, with the chain's own state at its block."""
    epochs = {epoch.found.block: epoch for epoch in history.epochs}
    report.count("pay", len(log.epochs))
    seen, forgotten = set[int](), list[int]()
    for told in log.epochs:
        if told.block > history.last:
            continue  # of a run that goes on
        if told.block in seen:
            report.tampered("pay", "record line", f"The record tells the epoch of block {told.block} twice.")
        seen.add(told.block)
        if told.block in epochs:
            _compare_epoch(told, epochs[told.block], report)
        elif told.block < history.epochs_since:
            forgotten.append(told.block)
        else:
            report.tampered("pay", "pay", f"The chain ran no epoch of this subnet in block {told.block}.")
    if forgotten:
        said = (
            f"The node has forgotten what {len(forgotten)} epochs paid, up to block {max(forgotten)};"
            " an archive node knows."
        )
        report.unchecked("pay", "pay", said)
    first, last = (log.started.block if log.started else 0), log.last_block
    for block in sorted(block for block in epochs.keys() - seen if first < block <= last):
        report.tampered("pay", "record line", f"The record leaves out the epoch of block {block}.")


def _compare_epoch(told: EpochPaid, epoch: Epoch, report: Report) -> None:
    """Compare one epoch field by field, and name every uid of which it says something else."""
    found = {neuron.uid: neuron for neuron in epoch.found.neurons}
    given = {neuron.uid: neuron for neuron in epoch.given.neurons}
    for uid in sorted(set(told.uids) ^ found.keys()):
        report.tampered("pay", "pay", f"The epoch of block {told.block} is told of other uids.", uid=uid)
    for place, uid in enumerate(told.uids):
        neuron = found.get(uid)
        if neuron is None:
            continue
        for name, value, right in _columns(told, place, neuron, given.get(uid, neuron)):
            if value != right:
                said = f"The epoch of block {told.block} is told with {name} {value}; the chain has {right}."
                report.tampered("pay", "pay", said, uid=uid)
    for uid in sorted(_other_rows(told.weights, epoch)):
        said = (
            f"The epoch of block {told.block} is told with other weights of this validator than the chain's."
        )
        report.tampered("pay", "weights", said, uid=uid)


def _columns(
    told: EpochPaid, place: int, found: NeuronSnapshot, given: NeuronSnapshot
) -> Iterable[tuple[str, int, int]]:
    yield "incentive", told.incentive[place], found.incentive
    yield "dividend", told.dividends[place], found.dividends
    yield "consensus", told.consensus[place], found.consensus
    yield "validator trust", told.validator_trust[place], found.validator_trust
    yield "pay in alpha-rao", told.emission_alpha_rao[place], int(found.emission_alpha_rao)
    yield "stake in alpha-rao", told.stake_alpha_rao[place], int(given.stake_alpha_rao)
    yield "permit", told.validator_permit[place], given.validator_permit


def _other_rows(told: Mapping[str, Mapping[str, int]], epoch: Epoch) -> set[int]:
    right = {uid: {str(to): value for to, value in row.items()} for uid, row in epoch.given.weights.items()}
    said = {int(uid): dict(row) for uid, row in told.items()}
    return {uid for uid in {*right, *said} if right.get(uid) != said.get(uid)}
