"""Judging an answer that travelled: what a class does with it, away from the student's kernel.

A function travels as its source, and is called by what the class gives for that; nothing is run here.
"""

import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, cast

from subnetlab.lab.check.kinds import Code
from subnetlab.lab.check.questions import EXERCISES

Call = Callable[[str, str, Sequence[Sequence[object]]], Sequence[object]]
"""Calls a function, by source and name, with each list of arguments; what it returned."""


def judge_answer(number: str, answer: object, call: Call) -> tuple[bool | None, str]:
    """Whether an answer in JSON types is right, and the sentence about it; None where it cannot be judged.

    Args:
        number: of an exercise of the course.
        answer: as `answer_to_json` made it.
        call: calls a student's function.

    Raises:
        SubnetLabError: what `call` raises.
    """
    asked = EXERCISES[number]
    if asked.needs:
        return None, f"It is about the student's own {' and '.join(asked.needs)}."
    kind = asked.answer()
    if isinstance(kind, Code):
        return _function_judged(kind, answer, call)
    judged = kind.judge(_from_json(answer))
    return (judged.right, judged.said) if judged is not None else (False, "That is not it.")


def _function_judged(kind: Code, answer: object, call: Call) -> tuple[bool | None, str]:
    """Call a student's function on every case at once, then judge what it returned case by case."""
    told = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    source, name = told.get("source"), told.get("name")
    if not isinstance(source, str) or not isinstance(name, str):
        return None, "Its source did not come along."
    returned = iter(call(source, name, [case.arguments for case in kind.cases]))

    def replayed(*_arguments: object) -> object:
        return _from_json(next(returned))

    judged = kind.judge(replayed)
    return (judged.right, judged.said) if judged is not None else (False, "That is not it.")


def answer_to_json(answer: object) -> object:
    """An answer as JSON carries it: numbers, words, lists, dicts by uid, a function's source, else its kind.

    Numbers of other libraries become floats.
    """
    if answer is None or isinstance(answer, bool | int | float | str):
        return answer
    if isinstance(answer, dict):
        table = cast("dict[object, object]", answer)
        return {"table": [[answer_to_json(key), answer_to_json(value)] for key, value in table.items()]}
    if isinstance(answer, list | tuple | set | frozenset):
        return [answer_to_json(one) for one in cast("list[object]", list(answer))]  # pyright: ignore[reportUnknownArgumentType]
    return _source(answer) if inspect.isfunction(answer) else _of_a_library(answer)


def _of_a_library(answer: object) -> object:
    """An array or a number of another library."""
    to_list: Any = getattr(answer, "tolist", None)
    if callable(to_list):
        return answer_to_json(to_list())
    try:
        return float(cast("Any", answer))
    except (TypeError, ValueError):
        return {"kind": type(answer).__name__}


def _source(function: Callable[..., object]) -> dict[str, str]:
    name = function.__name__
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return {"kind": "function"}
    return {"source": source, "name": name} if source.startswith("def ") else {"kind": "function"}


def _from_json(answer: object) -> object:
    if isinstance(answer, dict):
        rows = cast("dict[str, Any]", answer).get("table")
        if not isinstance(rows, list):
            return None
        pairs = [pair for pair in cast("list[Any]", rows) if isinstance(pair, list) and len(pair) == 2]  # pyright: ignore[reportUnknownArgumentType]
        return {key: _from_json(value) for key, value in pairs if isinstance(key, int | str)}
    if isinstance(answer, list):
        return [_from_json(one) for one in cast("list[object]", answer)]
    return answer
