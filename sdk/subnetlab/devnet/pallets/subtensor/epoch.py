"""An epoch over storage: what Yuma is told, and what of its answer is written down.

The mathematics are `yuma.epoch`; this module reads neurons, stakes, weights, bonds and hyperparameters, runs
one evaluation per mechanism, stores each one's results and their mean. It pays no one (`payout` does).

Source: `epoch/run_epoch.rs`, `subnets/mechanism.rs` of Subtensor at spec 425. Voting power is not tracked.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.pallets.subtensor import emission, schedule, stake_weight, uids
from subnetlab.devnet.pallets.subtensor.entries import entries, event, number, read, storage_index, write
from subnetlab.yuma import stake, vectors
from subnetlab.yuma.bonds import BondRules
from subnetlab.yuma.emission import split_mechanisms
from subnetlab.yuma.epoch import Epoch, EpochInput, EpochRules, Neuron, run_epoch
from subnetlab.yuma.fixed import U64F64


class Earned(NamedTuple):
    """Alpha-rao one hotkey earned in an epoch, as a miner and as a validator."""

    hotkey: str
    as_miner: int
    as_validator: int


def run(ledger: Ledger, netuid: int, alpha: int) -> list[Earned]:
    """Evaluate every mechanism of a subnet on its part of the alpha and write the results down."""
    count = number(ledger, "MechanismCountCurrent", netuid)
    parts = split_mechanisms(alpha, count, read(ledger, "MechanismEmissionSplit", netuid))
    epochs: list[tuple[Epoch, int]] = []
    for mechanism, part in enumerate(parts):
        epoch = run_epoch(epoch_input(ledger, netuid, part, mechanism=mechanism))
        _store_mechanism(ledger, storage_index(netuid, mechanism), epoch)
        weight = U64F64.ratio(part, alpha) if alpha else U64F64.one * (mechanism == 0)
        epochs.append((epoch, weight))
    _store_subnet(ledger, netuid, epochs)
    return [
        Earned(
            hotkey=hotkey,
            as_miner=sum(epoch.server_emission[uid] for epoch, _ in epochs),
            as_validator=sum(epoch.validator_emission[uid] for epoch, _ in epochs),
        )
        for uid, hotkey in sorted(entries(ledger, "Keys", netuid))
        if uid < number(ledger, "SubnetworkN", netuid)
    ]


def epoch_input(ledger: Ledger, netuid: int, alpha: int, *, mechanism: int = 0) -> EpochInput:
    """Read everything an evaluation of one mechanism depends on, as of the block being built."""
    tempo, last = number(ledger, "Tempo", netuid), number(ledger, "LastMechansimStepBlock", netuid)
    return EpochInput(
        block=ledger.block_number,
        fresh_since=last + 1 if last else max(0, ledger.block_number - tempo),
        emission=alpha,
        neurons=_neurons(ledger, netuid, storage_index(netuid, mechanism)),
        rules=_rules(ledger, netuid),
        owner_uid=uids.owner_uid(ledger, netuid),
    )


def _stake(ledger: Ledger, hotkey: str, netuid: int, tao_weight: int) -> int:
    """A hotkey's stake weight as I64F64 bits, its fraction kept."""
    held = stake_weight.of(ledger, hotkey, netuid)
    return stake.stake_weight(held.alpha, held.tao, tao_weight)


def _neurons(ledger: Ledger, netuid: int, index: int) -> tuple[Neuron, ...]:
    n = number(ledger, "SubnetworkN", netuid)
    hotkeys: dict[int, str] = dict(entries(ledger, "Keys", netuid))
    born: dict[int, int] = dict(entries(ledger, "BlockAtRegistration", netuid))
    updates, permits = read(ledger, "LastUpdate", index), read(ledger, "ValidatorPermit", netuid)
    weights, bonds = dict(entries(ledger, "Weights", index)), dict(entries(ledger, "Bonds", index))
    commits, tao_weight = _earliest_commits(ledger, netuid, index), emission.tao_weight(ledger)
    return tuple(
        Neuron(
            stake=_stake(ledger, hotkeys[uid], netuid, tao_weight) if uid in hotkeys else 0,
            last_update=_at(updates, uid, 0),
            registered_at=born.get(uid, 0) if uid in hotkeys else 0,
            permit=_at(permits, uid, default=False),
            weights=_pairs(weights.get(uid, ())),
            bonds=_pairs(bonds.get(uid, ())),
            committed_at=commits.get(hotkeys.get(uid, "")),
        )
        for uid in range(n)
    )


def _at(vector: Sequence[Any], uid: int, default: Any) -> Any:
    return vector[uid] if uid < len(vector) else default


def _pairs(row: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple((int(j), int(value)) for j, value in row)


def _earliest_commits(ledger: Ledger, netuid: int, index: int) -> dict[str, int]:
    """Block of every hotkey's oldest weight commit that can still be revealed."""
    if not read(ledger, "CommitRevealWeightsEnabled", netuid):
        return {}
    oldest = schedule.epoch_index(ledger, netuid) - number(ledger, "RevealPeriodEpochs", netuid)
    found: list[tuple[str, int]] = []
    for hotkey, queue in entries(ledger, "WeightCommits", index):
        found += [(hotkey, int(block)) for _, epoch, block, _ in queue if int(epoch) >= oldest]
    for epoch, queue in entries(ledger, "TimelockedWeightCommits", index):
        if int(epoch) >= oldest:
            found += [(hotkey, int(block)) for hotkey, block, *_ in queue]
    earliest: dict[str, int] = {}
    for hotkey, block in found:
        earliest[hotkey] = min(block, earliest.get(hotkey, block))
    return earliest


def _rules(ledger: Ledger, netuid: int) -> EpochRules:
    cutoff = number(ledger, "ActivityCutoffFactorMilli", netuid) * number(ledger, "Tempo", netuid) // 1000
    low, high = read(ledger, "AlphaValues", netuid)
    return EpochRules(
        kappa=number(ledger, "Kappa", netuid),
        max_validators=number(ledger, "MaxAllowedValidators", netuid),
        activity_cutoff=max(cutoff, 1),
        stake_threshold=number(ledger, "StakeThreshold"),
        bonds=BondRules(
            yuma3=bool(read(ledger, "Yuma3On", netuid)),
            moving_average=number(ledger, "BondsMovingAverage", netuid),
            penalty=number(ledger, "BondsPenalty", netuid),
            liquid_alpha=bool(read(ledger, "LiquidAlphaOn", netuid)),
            alpha_low=int(low),
            alpha_high=int(high),
            steepness=number(ledger, "AlphaSigmoidSteepness", netuid),
        ),
    )


def _store_mechanism(ledger: Ledger, index: int, epoch: Epoch) -> None:
    """Write what belongs to one mechanism alone."""
    write(ledger, "Incentive", index, value=vectors.u16_shares(epoch.incentive))
    write(ledger, "ConsensusByMechanism", index, value=vectors.u16_shares(epoch.consensus))
    event(ledger, "IncentiveAlphaEmittedToMiners", {"netuid": index, "emissions": epoch.server_emission})
    for uid, row in enumerate(epoch.stored_bonds):
        write(ledger, "Bonds", index, uid, value=list(row))


def _store_subnet(ledger: Ledger, netuid: int, epochs: list[tuple[Epoch, int]]) -> None:
    """Write the mean of the mechanisms, each by its part of the alpha."""
    shares = {
        "Consensus": [vectors.u16_shares(epoch.consensus) for epoch, _ in epochs],
        "Dividends": [vectors.u16_shares(epoch.dividends) for epoch, _ in epochs],
        "ValidatorTrust": [vectors.u16_shares(epoch.validator_trust) for epoch, _ in epochs],
        "StakeWeight": [vectors.u16_shares(epoch.stake) for epoch, _ in epochs],
        "Emission": [epoch.emission for epoch, _ in epochs],
    }
    weights = [weight for _, weight in epochs]
    for item, columns in shares.items():
        width = 64 if item == "Emission" else 16
        write(
            ledger,
            item,
            netuid,
            value=[_mean(values, weights, width) for values in zip(*columns, strict=True)],
        )
    active = [any(flags) for flags in zip(*(epoch.active for epoch, _ in epochs), strict=True)]
    write(ledger, "Active", netuid, value=active)
    permits = [any(flags) for flags in zip(*(epoch.new_permits for epoch, _ in epochs), strict=True)]
    write(ledger, "ValidatorPermit", netuid, value=permits)


def _mean(values: Sequence[int], weights: Sequence[int], width: int) -> int:
    """Weighted sum that floors after every mechanism, as the chain accumulates it."""
    total = 0
    for value, weight in zip(values, weights, strict=True):
        total = U64F64.to_int(U64F64.add(U64F64.of(total), U64F64.mul(U64F64.of(value), weight)), width)
    return total
