"""The educator's board: everyone live, who is reset, grades as CSV; behind the educator's token.

The page itself holds nothing and is served to anyone who asks; it reads its token from behind the `#` of its
address, which a browser never sends, and asks for the rows with it.
"""

import asyncio
import contextlib
import csv
import io
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from aiohttp import web

from subnetlab.classroom.access import Access, Refused
from subnetlab.classroom.bodies import json_object
from subnetlab.classroom.chain import ClassChain
from subnetlab.classroom.progress import Progress, Row
from subnetlab.classroom.students import Students
from subnetlab.errors import NetworkError
from subnetlab.lab.check.questions import EXERCISES

_TYPES: Final = {"board.html": "text/html", "board.js": "text/javascript", "board.css": "text/css"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}  # fmt: skip
_FRESH_S: Final = 1.0
_COLUMNS: Final = (
    "student", "name", "role", "uid", "rounds", "score", "incentive", "paid_alpha_rao", "passed",
)  # fmt: skip


@dataclass
class Board:
    """The educator's half of a class's server."""

    access: Access
    students: Students
    chain: ClassChain
    progress: Progress
    title: str
    reset_one: Callable[[str], Awaitable[None]]
    reset_all: Callable[[], Awaitable[str]]
    """Forgets everyone; the new join code."""
    reset_unused: Callable[[], Awaitable[int]]
    """Forgets everyone whose seat never did anything; how many."""

    def __post_init__(self) -> None:
        self._rows: list[Row] = []
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def page(self, request: web.Request) -> web.Response:
        """The page and its parts."""
        name = request.match_info.get("part", "board.html")
        text = resources.files("subnetlab.classroom").joinpath("page", name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=_TYPES[name], headers=_HEADERS)

    async def rows(self, request: web.Request) -> web.Response:
        """Everyone, as JSON."""
        self.access.check_educator(request)
        rows, view = await self.read(), self.progress.view
        told: dict[str, Any] = {
            "title": self.title, "rows": [row.to_json() for row in rows], "exercises": len(EXERCISES),
            "round": view.current + 1, "rounds": view.rounds, "block": view.block, "now": time.time(),
        }  # fmt: skip
        return web.json_response(told, headers=_HEADERS)

    async def reset(self, request: web.Request) -> web.Response:
        """Forget one student, everyone, or everyone whose seat never did anything."""
        self.access.check_educator(request)
        told = await json_object(request)
        self._read_at = float("-inf")
        if told.get("all") is True:
            return web.json_response({"code": await self.reset_all()}, headers=_HEADERS)
        if told.get("unused") is True:
            count = await self.reset_unused()
            self._read_at = float("-inf")  # it has read the rows that it decided by
            return web.json_response({"reset": count}, headers=_HEADERS)
        student = self.students.by_id(str(told.get("student", "")))
        if student is None:
            raise Refused(404, "There is no such student.")
        await self.reset_one(student.id)
        return web.json_response({}, headers=_HEADERS)

    async def grades(self, request: web.Request) -> web.Response:
        """Everyone, with every exercise, as CSV."""
        self.access.check_educator(request)
        text = grades_csv(await self.read(), self.students)
        name = 'attachment; filename="grades.csv"'
        return web.Response(
            text=text, content_type="text/csv", headers={**_HEADERS, "Content-Disposition": name}
        )

    async def read(self) -> list[Row]:
        """Everyone, as they are now or were a second ago."""
        async with self._reading:
            if time.monotonic() - self._read_at >= _FRESH_S:
                with contextlib.suppress(NetworkError):  # a busy node: the rows of before are shown
                    self._rows = await asyncio.to_thread(self._fresh)
                self._read_at = time.monotonic()
            return self._rows

    def _fresh(self) -> list[Row]:
        self.progress.follow()
        return self.progress.rows(self.students, self.chain.metagraph())


def grades_csv(rows: list[Row], students: Students) -> str:
    """One line a student: what the board shows, and for each exercise 1, 0, or nothing where not judged."""
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow([*_COLUMNS, *EXERCISES])
    for row in rows:
        student = students.by_id(row.student)
        if student is None:
            continue
        judged = [
            "" if (found := student.answers.get(number)) is None or found.right is None else int(found.right)
            for number in EXERCISES
        ]
        score = "" if row.score is None else f"{row.score:.6g}"
        lines.writerow(
            [row.student, _cell(row.name), row.role, "" if row.uid is None else row.uid, row.rounds, score,
             f"{row.incentive:.6f}", row.paid_alpha_rao, student.passed, *judged]
        )  # fmt: skip
    return out.getvalue()


def _cell(text: str) -> str:
    """A name as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
