"""What the page draws of an evaluation, beside what it was before a weight was moved.

Shares are numbers of one with six decimals, pay is whole alpha. Of very many seats those that weigh most are
shown, and the rest is counted.
"""

from typing import Any, Final

from subnetlab.report.evaluation import Evaluation, Stage
from subnetlab.units import RAO_PER_TAO

MOST_VALIDATORS: Final = 12
MOST_MINERS: Final = 16


def state_of(now: Evaluation, first: Evaluation) -> dict[str, Any]:
    """Everything the page needs to draw `now`, with the values of `first` beside it."""
    validators = list(first.validators[:MOST_VALIDATORS])
    by_pay = sorted(first.miners, key=lambda uid: (-first.epoch.incentive[uid], uid))
    miners = sorted(by_pay[:MOST_MINERS])
    return {
        "where": now.where,
        "validators": validators,
        "miners": miners,
        "hidden": [len(first.validators) - len(validators), len(first.miners) - len(miners)],
        "stages": [
            _stage(stage, before, validators, miners)
            for stage, before in zip(now.stages, first.stages, strict=True)
        ],
        "flow": _flow(now, validators, miners),
        "moved": now.given != first.given,
    }


def _stage(stage: Stage, before: Stage, validators: list[int], miners: list[int]) -> dict[str, Any]:
    matrix = stage.matrix is not None
    columns = miners if matrix or stage.of == "miners" else list(stage.vector or {})
    columns = columns[: MOST_VALIDATORS + MOST_MINERS]
    return {
        "name": stage.name,
        "sentence": stage.sentence,
        "unit": "α" if stage.unit == "alpha-rao" else "share",
        "rows": validators if matrix else [],
        "columns": columns,
        "now": _cells(stage, validators, columns),
        "was": _cells(before, validators, columns),
    }


def _cells(stage: Stage, validators: list[int], columns: list[int]) -> list[list[float]]:
    if stage.matrix is not None:
        found = [stage.matrix.get(uid, {}) for uid in validators]
    else:
        found = [stage.vector or {}]
    scale = RAO_PER_TAO if stage.unit == "alpha-rao" else 1
    return [[round(row.get(uid, 0.0) / scale, 6) for uid in columns] for row in found]


def _flow(now: Evaluation, validators: list[int], miners: list[int]) -> dict[str, Any]:
    """Stake that arrives as rank: by validator and miner what counted and what was cut, then pay in alpha."""
    stake, weights, clipped = now.stake, now.weights, now.clipped
    counted = [[round(stake[v] * clipped[v][m], 6) for m in miners] for v in validators]
    cut = [[round(stake[v] * (weights[v][m] - clipped[v][m]), 6) for m in miners] for v in validators]
    paid = [round(now.emission.get(m, 0) / RAO_PER_TAO, 6) for m in miners]
    return {
        "stake": [round(stake[v], 6) for v in validators],
        "counted": counted,
        "cut": cut,
        "paid": paid,
        "incentive": [round(now.incentive[m], 6) for m in miners],
    }
