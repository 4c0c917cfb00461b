"""One Yuma evaluation of a subnet: from stakes and weights to who earns what, every step kept.

`run_epoch` takes what storage holds about a subnet's neurons and answers a frozen `Epoch` whose fields read
in the order of the computation, so a person can follow one miner's pay from the weights it was given to the
alpha-rao it earned. Proportions are I32F32 bits (`bits / 2**32`), uids are positions, matrices are sparse
rows as in `vectors`. It neither reads nor writes storage, and pays no one.

Source: `docs/consensus.md` and `epoch/run_epoch.rs` of Subtensor at spec 425.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from subnetlab.units import U16_MAX
from subnetlab.yuma import bonds as bonding
from subnetlab.yuma import vectors
from subnetlab.yuma.bonds import BondRules, BondStep
from subnetlab.yuma.fixed import I32F32, I64F64, I96F32
from subnetlab.yuma.vectors import Matrix, Vector

SparseU16 = tuple[tuple[int, int], ...]
"""`(uid, u16 value)` pairs as storage keeps weights and bonds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neuron:
    """What storage holds about one uid.

    `stake` is its stake weight as I64F64 bits; `last_update` the block of its last weights, `registered_at`
    of its registration; `committed_at` the block of its earliest commit that still waits for its reveal.
    """

    stake: int
    last_update: int
    registered_at: int
    permit: bool = False
    weights: SparseU16 = ()
    bonds: SparseU16 = ()
    committed_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRules:
    """A subnet's hyperparameters as storage keeps them; `kappa` counts parts of 65535."""

    kappa: int = 32_767
    max_validators: int = 64
    activity_cutoff: int = 5_000
    stake_threshold: int = 0
    bonds: BondRules = field(default_factory=BondRules)


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochInput:
    """One subnet at one block; `fresh_since` is the first block whose registrations make old bonds void."""

    block: int
    fresh_since: int
    emission: int
    neurons: tuple[Neuron, ...]
    rules: EpochRules = field(default_factory=EpochRules)
    owner_uid: int | None = None


class Epoch(NamedTuple):
    """Every intermediate of one evaluation, in the order it is computed, by uid.

    Proportions are I32F32 bits and sum to 1 where they are shares of something (less truncation):

    - `active` has set weights recently enough · `stake` share of all stake above the threshold
    - `permits` may set weights in this epoch · `new_permits` from the next on
    - `active_stake` share among active, permitted validators
    - `weights` rows after every mask, each summing to 1 · `consensus` the weight kappa of the stake supports
    - `clipped` weights cut to consensus · `validator_trust` what clipping left of each validator's row
    - `preranks`, `ranks` stake-weighted weights before and after clipping · `trust` their ratio
    - `incentive` share of ranks · `bond_weights` what bonds move towards · `bonds` the step they take
    - `dividends` share of what validators earn
    - `server_emission`, `validator_emission`, `emission` alpha-rao as miner, as validator, and together
    """

    active: tuple[bool, ...]
    stake: Vector
    permits: tuple[bool, ...]
    new_permits: tuple[bool, ...]
    active_stake: Vector
    weights: Matrix
    consensus: Vector
    clipped: Matrix
    validator_trust: Vector
    preranks: Vector
    ranks: Vector
    trust: Vector
    incentive: Vector
    bond_weights: Matrix
    bonds: BondStep
    dividends: Vector
    server_emission: list[int]
    validator_emission: list[int]
    emission: list[int]

    @property
    def stored_bonds(self) -> list[SparseU16]:
        """Bonds as storage keeps them: rows of those who keep or gain a permit, empty for the rest."""
        return [
            tuple((j, vectors.u16_share(bond)) for j, bond in row) if permitted else ()
            for row, permitted in zip(self.bonds.stored, self.new_permits, strict=True)
        ]


def run_epoch(given: EpochInput) -> Epoch:
    """Evaluate a subnet once."""
    neurons, rules = given.neurons, given.rules
    active = tuple(neuron.last_update + rules.activity_cutoff >= given.block for neuron in neurons)
    stake = _stake_shares(given)
    permits = _with_owner([neuron.permit for neuron in neurons], given.owner_uid)
    new_permits = _with_owner(vectors.top_positive(stake, rules.max_validators), given.owner_uid)
    voting = [permitted and awake for permitted, awake in zip(permits, active, strict=True)]
    active_stake = vectors.normalized(vectors.kept(stake, voting))

    weights = _weights(given, permits)
    consensus = vectors.consensus_weights(active_stake, weights, I32F32.ratio(rules.kappa, U16_MAX))
    clipped = vectors.clipped(weights, consensus)
    preranks = vectors.column_votes(weights, active_stake)
    ranks = vectors.column_votes(clipped, active_stake)
    incentive = vectors.normalized(ranks)

    penalty = I32F32.ratio(rules.bonds.penalty, U16_MAX)
    bond_weights = vectors.blended(weights, clipped, penalty)
    step = _bond_step(given, bond_weights, (active_stake, incentive, consensus))
    shares = _emission_shares(incentive, step.dividends, stake, active_stake)
    server, validator, combined = (_paid(share, given.emission) for share in shares)
    return Epoch(
        active=active,
        stake=stake,
        permits=tuple(permits),
        new_permits=tuple(new_permits),
        active_stake=active_stake,
        weights=weights,
        consensus=consensus,
        clipped=clipped,
        validator_trust=vectors.row_sums(clipped),
        preranks=preranks,
        ranks=ranks,
        trust=[I32F32.div(rank, prerank) for rank, prerank in zip(ranks, preranks, strict=True)],
        incentive=incentive,
        bond_weights=bond_weights,
        bonds=step,
        dividends=step.dividends,
        server_emission=server,
        validator_emission=validator,
        emission=combined,
    )


def _with_owner(permits: list[bool], owner_uid: int | None) -> list[bool]:
    """The subnet's owner always holds a permit."""
    return [permitted or uid == owner_uid for uid, permitted in enumerate(permits)]


def _stake_shares(given: EpochInput) -> Vector:
    """Normalise stake at 64 fractional bits, those below the threshold (owner excepted) counting nothing."""
    threshold = given.rules.stake_threshold
    counted = [
        neuron.stake if uid == given.owner_uid or I64F64.to_int(neuron.stake) >= threshold else 0
        for uid, neuron in enumerate(given.neurons)
    ]
    return [I32F32.convert(share, I64F64) for share in vectors.normalized(counted, I64F64)]


def _weights(given: EpochInput, permits: Sequence[bool]) -> Matrix:
    """Weights that count: of permitted validators, not on oneself (the owner may), not on a newer neuron."""
    neurons, n = given.neurons, len(given.neurons)
    raw: Matrix = [
        [(j, I32F32.of(weight)) for j, weight in sorted(neuron.weights) if j < n] for neuron in neurons
    ]

    def counts(i: int, j: int) -> bool:
        committed, registered = neurons[i].committed_at, neurons[j].registered_at
        return (
            permits[i]
            and (i != j or i == given.owner_uid)
            and neurons[i].last_update > registered
            and (committed is None or committed >= registered)
        )

    return vectors.rows_normalized(vectors.filtered(raw, counts))


def _stored_bonds(given: EpochInput) -> Matrix:
    """Bonds of the last epoch with miners that are still the same neuron."""
    neurons, n = given.neurons, len(given.neurons)
    return [
        [
            (j, I32F32.of(bond))
            for j, bond in sorted(neuron.bonds)
            if j < n and neurons[j].registered_at < given.fresh_since
        ]
        for neuron in neurons
    ]


def _bond_step(given: EpochInput, weights: Matrix, shares: tuple[Vector, Vector, Vector]) -> BondStep:
    """Move bonds by the subnet's rule; `shares` are active stake, incentive and consensus."""
    active_stake, incentive, consensus = shares
    stored, rules = _stored_bonds(given), given.rules.bonds
    if not rules.yuma3:
        return bonding.yuma2(stored, weights, active_stake=active_stake, incentive=incentive, rules=rules)
    return bonding.yuma3(
        stored, weights, active_stake=active_stake, incentive=incentive, consensus=consensus, rules=rules
    )


def _emission_shares(
    incentive: Vector, dividends: Vector, stake: Vector, active_stake: Vector
) -> tuple[Vector, Vector, Vector]:
    """Shares of the emission as miner, as validator and together; stake decides where no neuron earned."""
    combined = [I32F32.add(i, d) for i, d in zip(incentive, dividends, strict=True)]
    total = sum(combined)
    if total == 0:
        fallback = active_stake if sum(active_stake) else stake
        return list(incentive), list(fallback), list(fallback)
    return (
        vectors.divided(incentive, total),
        vectors.divided(dividends, total),
        vectors.normalized(combined),
    )


def _paid(shares: Vector, emission: int) -> list[int]:
    total = I96F32.of(emission)
    return [I96F32.to_int(I96F32.mul(I96F32.convert(share, I32F32), total)) for share in shares]
