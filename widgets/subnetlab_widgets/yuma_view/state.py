"""What the page draws of an evaluation, beside what it was before a weight was moved.

Shares are numbers of one with six decimals, pay is whole alpha. Of very many seats those that weigh most are
shown, and the rest is counted.
"""

from typing import Any, Final

from subnetlab.report.evaluation import Evaluation, Rows, Stage
from subnetlab.units import RAO_PER_TAO
from subnetlab_widgets.yuma_view.heat import heat_of

MOST_VALIDATORS: Final = 12
MOST_MINERS: Final = 16


def state_of(now: Evaluation, first: Evaluation) -> dict[str, Any]:
    """Everything the page needs to draw `now`, with the values of `first` beside it."""
    validators = list(first.validators[:MOST_VALIDATORS])
    by_pay = sorted(first.miners, key=lambda uid: (-first.epoch.incentive[uid], uid))
    miners = sorted(by_pay[:MOST_MINERS])
    larger = len(first.validators) > len(validators) or len(first.miners) > len(miners)
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
        "heat": heat_of(now, first.validators, first.miners) if larger else None,
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
    """Stake that arrives as rank: by validator and miner what counted and what was cut, then pay in alpha.

    Seats that are not shown are one row and one column more, together.
    """
    rows, columns = _groups(now.validators, validators), _groups(now.miners, miners)

    def between(weights: Rows, group: list[int], other: list[int]) -> float:
        return sum(now.stake[v] * weights[v].get(m, 0.0) for v in group for m in other)

    counted = [[between(now.clipped, v, m) for m in columns] for v in rows]
    given = [[between(now.weights, v, m) for m in columns] for v in rows]
    return {
        "stake": [round(sum(now.stake[v] for v in group), 6) for group in rows],
        "counted": [[round(share, 6) for share in row] for row in counted],
        "cut": [
            [round(was - share, 6) for was, share in zip(before, row, strict=True)]
            for before, row in zip(given, counted, strict=True)
        ],
        "paid": [round(sum(now.emission.get(m, 0) for m in group) / RAO_PER_TAO, 6) for group in columns],
        "incentive": [round(sum(now.incentive.get(m, 0.0) for m in group), 6) for group in columns],
    }


def _groups(every: tuple[int, ...], shown: list[int]) -> list[list[int]]:
    """Each shown seat by itself, and all others together."""
    rest = [uid for uid in every if uid not in set(shown)]
    return [*([uid] for uid in shown), *([rest] if rest else [])]
