"""How far a person is: every exercise of the course with its tries."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from subnetlab.errors import ArgumentInvalid, ClassError
from subnetlab.lab.check import tries
from subnetlab.lab.check.questions import EXERCISES
from subnetlab.lab.class_files import asked
from subnetlab.membership import joined
from subnetlab.report import html
from subnetlab.report.format import counted
from subnetlab.text import plain_lines

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Row:
    """One exercise: how often it was tried, and at which try it was right first; None for not yet."""

    number: str
    title: str
    tries: int
    right_at: int | None

    @property
    def state(self) -> str:
        """The row in a few words."""
        if self.right_at is not None:
            return f"right at try {self.right_at}"
        return f"open after {counted(self.tries, 'try', plural='tries')}" if self.tries else "not tried"


@dataclass(frozen=True, slots=True)
class Report:
    """The exercises of the course, or of one tutorial, as rows."""

    rows: tuple[Row, ...]
    sent: str = ""
    """What became of the answers that were sent to a class, as a sentence; empty where none was joined."""

    @property
    def right(self) -> int:
        """How many are right."""
        return sum(row.right_at is not None for row in self.rows)

    def frame(self) -> "pl.DataFrame":
        """One row per exercise; `right_at` is null where it is not right yet."""
        import polars as pl  # noqa: PLC0415  (loaded when a frame is wanted)

        schema = {"exercise": pl.String, "title": pl.String, "tries": pl.Int64, "right_at": pl.Int64}
        rows = [(row.number, row.title, row.tries, row.right_at) for row in self.rows]
        return pl.DataFrame(rows, schema=schema, orient="row")

    @property
    def _said(self) -> str:
        return f"{self.right} of {len(self.rows)} exercises are right."

    def __str__(self) -> str:
        lines = [f"{row.number:<5} {row.state:<22} {row.title}" for row in self.rows]
        return plain_lines("\n".join([self._said, *filter(None, [self.sent]), *lines]))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [[row.number, row.title, row.state] for row in self.rows]
        return html.block(
            html.paragraph(self._said, bold=True),
            html.paragraph(self.sent, faint=True) if self.sent else "",
            html.table(["", "exercise", "state"], rows, words=3),
        )


def report(tutorial: int | None = None) -> Report:
    """How the exercises went on this machine; those of one tutorial, or of the whole course.

    Where a class was joined, the last answer to each goes to it. The class judges them itself: what this
    report says of right and wrong is for the student alone.

    Example:
        >>> report(1)  # doctest: +SKIP

    Raises:
        ArgumentInvalid: the course has no such tutorial.
    """
    tutorials = sorted({int(number.split(".")[0]) for number in EXERCISES})
    if tutorial is not None and str(tutorial) not in map(str, tutorials):
        raise ArgumentInvalid(
            f"There is no tutorial {tutorial!r} with exercises.",
            hint=f"There are {tutorials[0]} to {tutorials[-1]}; check.report() lists all.",
        )
    wanted = {n: e for n, e in EXERCISES.items() if tutorial is None or n.split(".")[0] == str(tutorial)}
    found: dict[str, list[bool]] = {number: [] for number in wanted}
    answers: dict[str, object] = {}
    for one in tries.kept():
        if one.exercise in found:
            found[one.exercise].append(one.right)
            answers[one.exercise] = one.answer
    rows = tuple(
        Row(number, wanted[number].title, len(right), right.index(True) + 1 if any(right) else None)
        for number, right in found.items()
    )
    return Report(rows, sent=_sent(answers))


def _sent(answers: dict[str, object]) -> str:
    """Send the last answers to the class that was joined last; what became of it."""
    classes = joined()
    if not classes:
        return ""
    member = classes[-1]
    given = {number: answer for number, answer in answers.items() if answer is not None}
    try:
        asked("POST", f"{member.address}/me/answers", {"answers": given})
    except ClassError as error:
        return f"Your answers did not reach the class: {error}"
    return (
        f"Your last {counted(len(given), 'answer')} went to the class at {member.address}, which grades them."
    )
