"""Grades, computed where the class runs: answers are judged again here, whatever a student's kernel said.

A number, numbers, uids or a word are judged by the exercise itself; a function is called in a process that
can do nothing but compute. An exercise about the student's own run has its evidence on the student's machine
and is not judged here: nbgrader judges it on the notebook that was handed in.
"""

import asyncio
import json
import time
from typing import Final

from subnetlab.classroom.functions import FunctionFailed, NotCalled, called
from subnetlab.classroom.students import Answered, Student
from subnetlab.lab.check.judged import judge_answer
from subnetlab.lab.check.questions import EXERCISES

_MOST_LETTERS: Final = 4000


class Grader:
    """Judges answers one after the other, so that functions take one core at most."""

    def __init__(self) -> None:
        """Judge nothing yet."""
        self._judging = asyncio.Lock()

    async def grade(self, student: Student, number: str, answer: object) -> None:
        """Judge an answer and keep it; one to no exercise of the course is passed over."""
        if number not in EXERCISES:
            return
        try:
            text = json.dumps(answer)
        except RecursionError:
            return
        before = student.answers.get(number)
        if len(text) > _MOST_LETTERS or (before is not None and before.answer == text):
            return
        async with self._judging:
            right, said = await asyncio.to_thread(_judged, number, answer)
        student.answers[number] = Answered(
            answer=text, right=right, said=said, tries=1 if before is None else before.tries + 1,
            at=time.time(),
        )  # fmt: skip


def _judged(number: str, answer: object) -> tuple[bool | None, str]:
    try:
        return judge_answer(number, answer, called)
    except NotCalled as error:
        return None, str(error)
    except FunctionFailed as error:
        return False, str(error)
    except RecursionError:
        return False, "It is nested too deep."
