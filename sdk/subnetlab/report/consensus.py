"""One recorded epoch taken through Yuma again, so that an explanation can show what lies between two numbers.

The record keeps what the chain showed after the epoch: stakes, permits, weight rows and the results. From the
first three `yuma` computes every step; the fourth says how close that came. Bonds are not recorded:
`recompute` takes dividends from the chain as they are, `evaluation` carries bonds on from the first epoch.
Shares are floats of one, for reading only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from subnetlab.errors import ArgumentInvalid, RunNotFinished
from subnetlab.record.events import EpochPaid
from subnetlab.record.view import RunView
from subnetlab.report.evaluation import Evaluation
from subnetlab.text import NAME, plain
from subnetlab.units import U16_MAX
from subnetlab.yuma.epoch import Epoch, EpochInput, Neuron, SparseU16, run_epoch

_ONE_I64F64 = 2**64
_ONE_I32F32 = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """What Yuma makes of a recorded epoch; every share is of one, by uid."""

    epoch: EpochPaid
    stake_share: dict[int, float]
    """Of validators that may vote."""
    weight: dict[int, dict[int, float]]
    """Row of each voting validator, summing to 1."""
    consensus: dict[int, float]
    clipped: dict[int, dict[int, float]]
    incentive: dict[int, float]
    chain_incentive: dict[int, float]
    """What the chain stored, as shares of their own sum."""

    @property
    def largest_gap(self) -> float:
        """Largest difference between a recomputed incentive and the chain's."""
        return max(
            (abs(self.incentive[uid] - self.chain_incentive[uid]) for uid in self.incentive), default=0.0
        )


def recompute(epoch: EpochPaid) -> Recomputed | None:
    """Take a recorded epoch through Yuma; None where the record holds no weights for it."""
    return _readable(epoch, run_epoch(_told(epoch))) if epoch.weights else None


def evaluation(view: RunView, number: int | None = None, *, name: str) -> Evaluation:
    """A recorded epoch step by step; bonds are carried from the run's first epoch on, where they begin.

    Args:
        view: of the run.
        number: of the epoch, counted from 1; the newest unless given.
        name: of the run.

    Raises:
        RunNotFinished: no epoch has paid anyone yet.
        ArgumentInvalid: there is no such epoch.
    """
    epochs = view.pay.epochs
    if not epochs:
        raise RunNotFinished("No epoch has paid anyone yet.", hint="Ask again after the first tempo.")
    number = len(epochs) if number is None else number
    if not 1 <= number <= len(epochs):
        raise ArgumentInvalid(
            f"The run has no epoch {number}.", hint=f"It has {len(epochs)}; the first is epoch 1."
        )
    bonds: list[SparseU16] = []
    for epoch in epochs[: number - 1]:
        bonds = run_epoch(_told(epoch, bonds)).stored_bonds
    last = epochs[number - 1]
    where = f"run {plain(name, NAME)}, epoch {number} of {len(epochs)} at block {last.block}"
    return Evaluation.of(_told(last, bonds), where=where)


def _told(epoch: EpochPaid, bonds: Sequence[SparseU16] = ()) -> EpochInput:
    """What Yuma was given in a recorded epoch, as far as the record knows."""
    size = max(epoch.uids) + 1
    neurons = [Neuron(stake=0, last_update=0, registered_at=0)] * size
    for i, uid in enumerate(epoch.uids):
        row = epoch.weights.get(str(uid), {})
        neurons[uid] = Neuron(
            stake=epoch.stake_alpha_rao[i] * _ONE_I64F64,
            # Registered before the first weights: the record keeps only what still counts.
            last_update=epoch.block,
            registered_at=0,
            permit=epoch.validator_permit[i],
            weights=tuple((int(j), weight) for j, weight in row.items()),
            bonds=bonds[uid] if uid < len(bonds) else (),
        )
    paid = sum(epoch.emission_alpha_rao)
    return EpochInput(block=epoch.block, fresh_since=1, emission=paid, neurons=tuple(neurons))


def _readable(epoch: EpochPaid, found: Epoch) -> Recomputed:
    total = sum(epoch.incentive)
    voters = [uid for uid in epoch.uids if found.weights[uid]]
    return Recomputed(
        epoch=epoch,
        stake_share={uid: _share(found.active_stake[uid]) for uid in voters},
        weight={uid: {j: _share(w) for j, w in found.weights[uid]} for uid in voters},
        consensus={uid: _share(found.consensus[uid]) for uid in epoch.uids},
        clipped={uid: {j: _share(w) for j, w in found.clipped[uid]} for uid in voters},
        incentive={uid: _share(found.incentive[uid]) for uid in epoch.uids},
        chain_incentive={
            uid: float(Fraction(epoch.incentive[i], total or U16_MAX)) for i, uid in enumerate(epoch.uids)
        },
    )


def _share(bits: int) -> float:
    return bits / _ONE_I32F32
