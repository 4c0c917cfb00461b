"""Judging an answer that travelled: what a class does with it, away from the student's kernel."""

from typing import Any, cast

from subnetlab.lab.check.kinds import Code
from subnetlab.lab.check.questions import EXERCISES


def judge_answer(number: str, answer: object) -> tuple[bool | None, str]:
    """Whether an answer in JSON types is right, and the sentence about it; None where it cannot be judged.

    Args:
        number: of an exercise of the course.
        answer: as `answer_to_json` made it.
    """
    asked = EXERCISES[number]
    if asked.needs:
        return None, f"It is about the student's own {' and '.join(asked.needs)}."
    kind = asked.answer()
    if isinstance(kind, Code):
        return None, "It is a function."
    judged = kind.judge(_from_json(answer))
    return (judged.right, judged.said) if judged is not None else (False, "That is not it.")


def answer_to_json(answer: object) -> object:
    """An answer as JSON can carry it: numbers, words, lists, and dicts by uid; of anything else its kind.

    Numbers of other libraries become floats.
    """
    if answer is None or isinstance(answer, bool | int | float | str):
        return answer
    if isinstance(answer, dict):
        table = cast("dict[object, object]", answer)
        return {"table": [[answer_to_json(key), answer_to_json(value)] for key, value in table.items()]}
    if isinstance(answer, list | tuple | set | frozenset):
        return [answer_to_json(one) for one in cast("list[object]", list(answer))]  # pyright: ignore[reportUnknownArgumentType]
    to_list: Any = getattr(answer, "tolist", None)
    if callable(to_list):
        return answer_to_json(to_list())
    try:
        return float(cast("Any", answer))
    except (TypeError, ValueError):
        return {"kind": type(answer).__name__}


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
