"""One answer judged: the exercise found, what it needs looked at, the try kept, the sentence made."""

import ast
import inspect
import os
import textwrap
from dataclasses import dataclass
from types import EllipsisType, FunctionType
from typing import Any, Final

from subnetlab.errors import AnswerWrong, ArgumentInvalid
from subnetlab.lab.check import tries
from subnetlab.lab.check.asked import Exercise
from subnetlab.lab.check.judged import answer_to_json
from subnetlab.lab.check.kinds import Judged
from subnetlab.lab.check.questions import EXERCISES
from subnetlab.membership import joined
from subnetlab.report import html
from subnetlab.signatures import nearest
from subnetlab.text import kind_of, plain_lines

_GRADING: Final = "NBGRADER_EXECUTION"
"""nbgrader sets it while it grades or validates; a cell earns its points there unless it raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What became of one answer; true where it is right."""

    number: str
    right: bool
    said: str

    def __bool__(self) -> bool:
        return self.right

    @property
    def mark(self) -> str:
        """Right, open or not yet, as a word."""
        return "right" if self.right else "not yet"

    def __str__(self) -> str:
        return plain_lines(f"Exercise {self.number}: {self.mark}. {self.said}")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        sign = "✓" if self.right else "…"
        return html.block(
            html.paragraph(f"{sign} Exercise {self.number}: {self.mark}", bold=True),
            html.paragraph(self.said),
        )


def exercise(number: str, answer: object, **evidence: Any) -> Checked:
    """Judge an answer to an exercise of the course; a wrong one is explained, never replaced.

    Args:
        number: of the exercise, as its notebook gives it: "1.2" is the second of tutorial 1.
        answer: what the exercise asks for; None means not answered yet, as does a function without a body
            of your own.
        **evidence: what the answer is about, where the exercise names it: `run=run`, `subnet=subnet`.

    Raises:
        ArgumentInvalid: there is no such exercise, or what it is about is missing.
        AnswerWrong: the answer is wrong or missing and nbgrader runs the notebook, which must see that.

    Example:
        >>> exercise("1.1", 0.5)  # doctest: +SKIP
    """
    asked = _found(number)
    missing = [name for name in asked.needs if evidence.get(name) is None]
    if missing:
        words = ", ".join(f"{name}={name}" for name in asked.needs)
        raise ArgumentInvalid(
            f"Exercise {asked.number} is about your own {' and '.join(missing)}.",
            hint=f'check.exercise("{asked.number}", answer, {words})',
        )
    if answer is None or isinstance(answer, EllipsisType):
        return _told(asked, Judged(right=False, said="Not answered yet: put your answer in place of None."))
    if is_untouched(answer):
        said = "Not answered yet: write the function, whose body is still the one that the notebook gives."
        return _told(asked, Judged(right=False, said=said))
    kind = asked.answer(**{name: evidence[name] for name in asked.needs})
    judged = kind.judge(answer) or Judged(right=False, said="That is not it.", slip="value")
    kept = answer_to_json(answer) if joined() else None
    tries.keep(asked.number, right=judged.right, slip=judged.slip, answer=kept)
    return _told(asked, judged)


def _told(asked: Exercise, judged: Judged) -> Checked:
    said = asked.why if judged.right else f"{judged.said} {asked.look}"
    checked = Checked(number=asked.number, right=judged.right, said=said.strip())
    if not checked.right and os.environ.get(_GRADING):
        raise AnswerWrong(str(checked), hint="Change the answer, run its cell, and then this one again.")
    return checked


def _found(number: object) -> Exercise:
    if not isinstance(number, str):
        raise ArgumentInvalid(
            f"The number of an exercise is a word, not {kind_of(number)}.",
            hint='check.exercise("1.2", answer)',
        )
    if number not in EXERCISES:
        near = nearest(number, EXERCISES)
        known = [other for other in EXERCISES if other.split(".")[0] == number.split(".")[0]]
        hint = f"There are {', '.join(known)}." if known else f"Did you mean {near or next(iter(EXERCISES))}?"
        raise ArgumentInvalid(f"There is no exercise {number[:20]!r}.", hint=hint)
    return EXERCISES[number]


def is_untouched(answer: object) -> bool:
    """Whether an answer is a function that only returns None, is only `...`, or says that it is not written.

    Read from its source, so that nothing is run; a function whose source is not at hand counts as written.
    """
    if not isinstance(answer, FunctionType):
        return False
    try:
        (found,) = ast.parse(textwrap.dedent(inspect.getsource(answer))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return False
    return isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef) and all(map(_is_empty, found.body))


def _is_empty(line: ast.stmt) -> bool:
    match line:
        case ast.Pass() | ast.Expr(ast.Constant()) | ast.Return(None | ast.Constant(None)):
            return True  # a docstring or `...` is an expression
        case ast.Raise(ast.Name("NotImplementedError") | ast.Call(ast.Name("NotImplementedError"))):
            return True
        case _:
            return False
