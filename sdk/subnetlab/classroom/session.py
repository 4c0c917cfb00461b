"""A class from its start to its end: chain, server, run, codes; what one reset and a reset of all do.

Everything lies below one folder, which is also the home that the class's own processes are given. A class
that is started again begins anew: another chain, other codes.
"""

import asyncio
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from subnetlab.classroom.access import Access
from subnetlab.classroom.board import Board, grades_csv
from subnetlab.classroom.chain import ClassChain
from subnetlab.classroom.chain_proxy import ChainProxy
from subnetlab.classroom.class_run import ClassRun
from subnetlab.classroom.grading import Grader
from subnetlab.classroom.join_codes import JoinCodes
from subnetlab.classroom.joining import Joining
from subnetlab.classroom.objects import Objects
from subnetlab.classroom.progress import Progress
from subnetlab.classroom.server import ClassServer
from subnetlab.classroom.students import Students
from subnetlab.record.files import write_private

_SAVE_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOptions:
    """What a class is started with."""

    folder: Path
    title: str
    host: str
    port: int
    address: str
    """Where students reach it, with the prefix."""
    prefix: str
    students: int
    roster: tuple[str, ...]
    """Names that get a code each, good once; empty for one code of the whole class."""
    code_hours: float
    plan: Path
    rounds: int
    round_s: float
    """Seconds of a round; as measured for one machine a student where 0."""
    notice_s: float
    hosts: frozenset[str] = frozenset()


@dataclass
class ClassSession:
    """A class that goes on."""

    options: ClassOptions
    chain: ClassChain
    educator: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    codes: JoinCodes = field(default_factory=JoinCodes)

    def __post_init__(self) -> None:
        given = self.options
        own = secrets.token_urlsafe(32)
        self.students = Students(given.folder)
        self.progress = Progress()
        access = Access(
            students=self.students, educator=self.educator, own=own, hosts=given.hosts,
            open=given.host not in ("127.0.0.1", "localhost", "::1"),
        )  # fmt: skip
        self._proxy = ChainProxy(access, self.chain.node.endpoint)
        self._board = Board(
            access,
            self.students,
            self.chain,
            self.progress,
            given.title,
            self.reset_one,
            self.reset_all,
            self.reset_unused,
        )
        self._server = ClassServer(
            access=access,
            joining=Joining(
                access, self.students, self.codes, self.chain, Grader(), given.address, given.title
            ),
            chain=self._proxy, objects=Objects(access, given.folder / "store"),
            board=self._board, prefix=given.prefix,
        )  # fmt: skip
        self._run = ClassRun(
            folder=given.folder, chain=self.chain, address=given.address, own_token=own, plan=given.plan,
            rounds=given.rounds, miners=given.students, notice_s=given.notice_s,
        )  # fmt: skip
        self._saving: asyncio.Task[None] | None = None
        self.blocks_per_round = 0
        """As measured; 0 before the run is published."""

    async def open(self) -> None:
        """Open the port and publish the run.

        Raises:
            ClassError: the port is taken, or the run was refused.
        """
        await self._server.start(self.options.host, self.options.port)
        self.blocks_per_round = blocks = await self._run.publish()
        self.progress.run_folder = self._run.run_folder
        if self.options.round_s:
            await asyncio.to_thread(self.chain.pace, self.options.round_s / blocks)
        self._saving = asyncio.create_task(self._keep_saved())

    def draw_codes(self) -> dict[str, str]:
        """New codes: by student's name where there is a roster, else one under an empty name."""
        self.codes.end()
        seconds = self.options.code_hours * 3600
        if self.options.roster:
            return {name: self.codes.add(seconds=seconds, uses=1, name=name) for name in self.options.roster}
        return {"": self.codes.add(seconds=seconds, uses=self.options.students)}

    async def reset_one(self, student: str) -> None:
        """Forget one student, whose peer and kernel reach neither chain nor store any more."""
        found = self.students.by_id(student)
        if found is not None:
            self.students.reset(found)
            self.codes.give_back(found.code)
            await self._proxy.close_of(student)

    async def reset_unused(self) -> int:
        """Forget everyone whose seat never did anything, and let as many join by the same code; how many."""
        uids = {row.student: row.uid for row in await self._board.read()}
        now = time.time()
        unused = [one.id for one in self.students if one.id in uids and one.is_unused(uids[one.id], now)]
        for student in unused:
            await self.reset_one(student)
        return len(unused)

    async def reset_all(self) -> str:
        """Forget everyone; the code with which they may join again, or the codes by name."""
        for student in self.students:
            await self.reset_one(student.id)
        drawn = self.draw_codes()
        return ", ".join(f"{name} {code}".strip() for name, code in drawn.items())

    async def close(self) -> Path | None:
        """End the run's processes and the server; the file of grades, None where no student is in the class.

        Each class leaves a file of its own: one that is started again takes the place of everything else.
        """
        grades = await self._write_grades()
        if self._saving is not None:
            self._saving.cancel()
            with suppress(asyncio.CancelledError):
                await self._saving
        await self._run.close()
        await self._server.stop()
        self.students.save()
        return grades

    async def _write_grades(self) -> Path | None:
        if not len(self.students):
            return None
        file = self.options.folder / time.strftime("grades-%Y-%m-%d-%H%M%S.csv")
        write_private(file, grades_csv(await self._board.read(), self.students))
        return file

    async def _keep_saved(self) -> None:
        """Write down now and then when students were seen, and how much they put."""
        while True:
            await asyncio.sleep(_SAVE_S)
            self.students.save()
