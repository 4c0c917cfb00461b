"""How validators' bonds with miners move from epoch to epoch, and the dividends they earn.

Two rules. *Yuma2*: an exponential moving average of the column-normalised stake-weighted weights, so bonds
carry stake; stored with every column's largest bond at 65535. *Yuma3*: each validator's bond with a miner is
a proportion of its own, moving towards its weight; stake enters when dividends are paid. With *liquid
alpha* the speed of Yuma3 bonds depends, per validator and miner, on how far the weight is from consensus
(buying) or below the bond (selling).

All numbers are I32F32 bits; matrices as in `vectors`. Source: `epoch/run_epoch.rs` of Subtensor, spec 425.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from subnetlab.units import U16_MAX
from subnetlab.yuma import vectors
from subnetlab.yuma.fixed import I32F32, I64F64, exp_bounded
from subnetlab.yuma.vectors import Matrix, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class BondRules:
    """A subnet's bond hyperparameters as storage keeps them.

    `moving_average` counts millionths that stay; `penalty`, `alpha_low` and `alpha_high` parts of 65535;
    `steepness` hundredths.
    """

    yuma3: bool = True
    moving_average: int = 900_000
    penalty: int = U16_MAX
    liquid_alpha: bool = False
    alpha_low: int = 45_875
    alpha_high: int = 58_982
    steepness: int = 1_000

    @property
    def alpha(self) -> int:
        """How much of the new observation enters per epoch."""
        stays = I64F64.ratio(self.moving_average, 1_000_000)
        return I32F32.sub(I32F32.one, I32F32.convert(stays, I64F64))


class BondStep(NamedTuple):
    """What one epoch does to bonds: where they `start`, the `target`, where they `end`, what is `stored`.

    `alphas` is the speed of each entry under liquid alpha, None where one speed serves all. `paying` is the
    column-normalised matrix that dividends are read from.
    """

    start: Matrix
    target: Matrix
    alphas: Matrix | None
    end: Matrix
    paying: Matrix
    stored: Matrix
    dividends: Vector


def yuma2(
    stored: Matrix,
    weights: Matrix,
    *,
    active_stake: Sequence[int],
    incentive: Sequence[int],
    rules: BondRules,
) -> BondStep:
    """Move stake-weighted bonds; `stored` holds u16 values as integers' bits, stale columns removed."""
    n = len(weights)
    start = vectors.columns_divided(stored, vectors.column_sums(stored, n))
    scaled = vectors.rows_scaled(weights, active_stake)
    target = vectors.columns_divided(scaled, vectors.column_sums(scaled, n))
    averaged = moved(target, start, rules.alpha)
    end = vectors.columns_divided(averaged, vectors.column_sums(averaged, n))
    dividends = vectors.normalized(vectors.row_sums(vectors.columns_scaled(end, incentive)))
    upscaled = vectors.columns_divided(end, vectors.column_maxima(end, n))
    return BondStep(
        start=start, target=target, alphas=None, end=end, paying=end, stored=upscaled, dividends=dividends
    )


def yuma3(
    stored: Matrix,
    weights: Matrix,
    *,
    active_stake: Sequence[int],
    incentive: Sequence[int],
    consensus: Sequence[int],
    rules: BondRules,
) -> BondStep:
    """Move per-validator proportions; `stored` as in `yuma2`, `consensus` steers liquid alpha."""
    n = len(weights)
    start = vectors.columns_divided(stored, [I32F32.of(U16_MAX)] * n)
    alphas = None
    if rules.liquid_alpha and any(consensus):
        alphas = liquid_alphas(weights, start, consensus, rules)
        end = moved_each(weights, start, alphas)
    else:
        end = moved(weights, start, rules.alpha)
    paying = vectors.columns_divided(end, vectors.column_sums(end, n))
    earned = vectors.row_sums(vectors.columns_scaled(paying, incentive))
    dividends = vectors.normalized([I32F32.mul(e, s) for e, s in zip(earned, active_stake, strict=True)])
    return BondStep(
        start=start, target=weights, alphas=alphas, end=end, paying=paying, stored=end, dividends=dividends
    )


def moved(new: Matrix, old: Matrix, alpha: int) -> Matrix:
    """Exponential moving average `alpha·new + (1-alpha)·old`, keeping what stays positive."""
    stays = I32F32.sub(I32F32.one, alpha)
    result: Matrix = []
    for new_row, old_row in zip(new, old, strict=True):
        mixed: dict[int, int] = {}
        for j, value in new_row:
            mixed[j] = mixed.get(j, 0) + I32F32.mul(alpha, value)
        for j, value in old_row:
            mixed[j] = mixed.get(j, 0) + I32F32.mul(stays, value)
        result.append([(j, value) for j, value in sorted(mixed.items()) if value > 0])
    return result


def moved_each(new: Matrix, old: Matrix, alphas: Matrix) -> Matrix:
    """Move each entry at its own speed, at most to 1; a bond without a weight is let go."""
    result: Matrix = []
    for new_row, old_row, alpha_row in zip(new, old, alphas, strict=True):
        before = dict(old_row)
        row: list[tuple[int, int]] = []
        for (j, value), (_, alpha) in zip(new_row, alpha_row, strict=True):
            left = I32F32.mul(I32F32.sub(I32F32.one, alpha), before.get(j, 0))
            bond = min(I32F32.one, left + max(0, I32F32.mul(alpha, value)))
            if bond > 0:
                row.append((j, bond))
        result.append(row)
    return result


def liquid_alphas(weights: Matrix, bonds: Matrix, consensus: Sequence[int], rules: BondRules) -> Matrix:
    """Speed of every weight's bond: a sigmoid between `alpha_low` and `alpha_high`."""
    low, high = I32F32.ratio(rules.alpha_low, U16_MAX), I32F32.ratio(rules.alpha_high, U16_MAX)
    slope = I32F32.saturating_div(I32F32.of(rules.steepness), I32F32.of(-100))
    result: Matrix = []
    for weight_row, bond_row in zip(weights, bonds, strict=True):
        held = dict(bond_row)
        result.append(
            [
                (j, _speed(weight, held.get(j, 0), consensus[j], (low, high, slope)))
                for j, weight in weight_row
            ]
        )
    return result


def _speed(weight: int, bond: int, consensus: int, shape: tuple[int, int, int]) -> int:
    low, high, slope = shape
    distance = weight - consensus if weight >= bond else bond - weight
    distance = max(0, min(I32F32.one, distance))
    power = I32F32.mul(slope, I32F32.sub(distance, I32F32.one // 2))
    sigmoid = I32F32.saturating_div(I32F32.one, I32F32.add(I32F32.one, exp_bounded(I32F32, power)))
    alpha = I32F32.add(low, I32F32.mul(sigmoid, I32F32.sub(high, low)))
    return max(min(alpha, high), low)
