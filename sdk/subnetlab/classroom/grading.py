"""Grades, computed where the class runs: answers are judged again here, whatever a student's kernel said.

A number, numbers, uids or a word are judged by the exercise itself. An exercise about the student's own run
has its evidence on the student's machine, and a function has to be run: neither is judged here, and the
grade says so; nbgrader on the submitted notebook judges those.
"""

import asyncio
import json
import time
from typing import Final

from subnetlab.classroom.students import Answered, Student
from subnetlab.lab.check.judged import judge_answer
from subnetlab.lab.check.questions import EXERCISES

_MOST_LETTERS: Final = 4000


class Grader:
    """Judges answers one after the other."""

    async def grade(self, student: Student, number: str, answer: object) -> None:
        """Judge an answer and keep it; one to no exercise of the course is passed over."""
        if number not in EXERCISES:
            return
        text = json.dumps(answer)
        before = student.answers.get(number)
        if len(text) > _MOST_LETTERS or (before is not None and before.answer == text):
            return
        right, said = await asyncio.to_thread(judge_answer, number, answer)
        student.answers[number] = Answered(
            answer=text, right=right, said=said, tries=1 if before is None else before.tries + 1,
            at=time.time(),
        )  # fmt: skip
