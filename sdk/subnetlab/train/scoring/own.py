"""A score of one's own: what a payload that passed the gate is worth, by a function written in a cell.

`score(held_out, norm)` is called with what its arguments name, of those in `KNOWN`, and returns a number, 0
for nothing. Ratings and weights follow from it as from the usual score, the loss removed on held-out data.
The checks before it stay: a score decides what is paid, not what moves the model. It travels as its import
path or its source, is part of the manifest, and runs on validators that trust its author. A payload is made
by a stranger: one on which the score fails, or falls below 0, earns nothing, and never ends the validator.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from subnetlab.errors import ArgumentInvalid, ScoreFailed
from subnetlab.text import kind_of
from subnetlab.train.tasks.base import MODEL_ERRORS
from subnetlab.train.tasks.code import Code
from subnetlab.train.tasks.travel import code_of

KNOWN: Final[dict[str, float]] = {
    "held_out": 0.01, "assigned": 0.02, "noise": 0.001, "norm": 1.0, "own_work": 6.0, "standing": 1.0,
    "round": 0,
}  # fmt: skip
"""What a score may ask for, each with a value that it may have: relative loss removed on held-out and on
assigned data, the standard error of their difference, the norm of the update, nats of evidence for own work,
the share of the median's effect in earlier rounds, and the round from 0."""


def score_of(function: object) -> Code:
    """The description of a score, tried once.

    Raises:
        ArgumentInvalid: it is no function, asks for something else, cannot reach a validator, or returns what
            is no score.
    """
    if not callable(function):
        raise ArgumentInvalid(
            f"score is {kind_of(function)} and no function.", hint="Give score=lambda held_out: held_out."
        )
    asked = _asked(function)
    unknown = [name for name in asked if name not in KNOWN]
    if unknown or not asked:
        named = f"asks for {', '.join(unknown)}" if unknown else "asks for nothing"
        raise ArgumentInvalid(f"The score {named}.", hint=f"Name its arguments of {', '.join(KNOWN)}.")
    code = code_of(function, "The score")
    try:
        worth(code, KNOWN)
    except ScoreFailed as error:
        raise ArgumentInvalid(
            f"The score does not hold on a usual round: {error.args[0]}", hint="Return a number from 0 up."
        ) from error
    return code


def worths(
    code: Code, measured: Mapping[int, Mapping[str, float]]
) -> tuple[dict[int, float], dict[int, str]]:
    """What a score makes of the payloads of a round.

    Returns:
        The scores by uid, and by uid why one is 0 on which the score failed or fell below 0.

    Raises:
        ScoreFailed: it fails on each of several payloads, so the fault is the score's.
    """
    scores, reasons, failed = dict[int, float](), dict[int, str](), list[ScoreFailed]()
    for uid, known in measured.items():
        try:
            scores[uid] = worth(code, known)
        except ScoreFailed as error:
            scores[uid], reasons[uid] = 0.0, f"{error.args[0].rstrip('.')}, so the payload earns nothing."
            if not error.below_0:
                failed.append(error)
    if len(failed) > 1 and len(failed) == len(measured):
        raise failed[0]
    return scores, reasons


def worth(code: Code, measured: Mapping[str, float]) -> float:
    """What a score makes of a payload.

    Raises:
        ScoreFailed: it raises, or returns what is no finite number from 0 up.
    """
    function = code.function()
    try:
        found = function(**{name: measured[name] for name in _asked(function)})
        number = float(found)
    except MODEL_ERRORS as error:
        said = str(error).strip().split("\n")[0].rstrip(".")
        raise ScoreFailed(f"The score {code.name!r} failed: {type(error).__name__}: {said}.") from error
    if not math.isfinite(number) or number < 0:
        raise ScoreFailed(f"The score {code.name!r} returned {number:g}.", below_0=number < 0)
    return number


def _asked(function: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []
