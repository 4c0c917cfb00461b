"""Who may join how fast, how seats become free again, and what the terminal shows of a broken request."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from subnetlab.classroom.access import Access
from subnetlab.classroom.board import Board
from subnetlab.classroom.chain import ClassChain
from subnetlab.classroom.chain_proxy import ChainProxy
from subnetlab.classroom.grading import Grader
from subnetlab.classroom.join_codes import JoinCodes
from subnetlab.classroom.joining import Joining
from subnetlab.classroom.objects import Objects
from subnetlab.classroom.progress import Progress
from subnetlab.classroom.server import ClassServer
from subnetlab.classroom.students import Answered, Students


class Nothing:
    """A chain that is not asked for anything here."""

    netuid = 2

    async def close(self) -> None:
        """Nothing is open."""

    handle = close


@asynccontextmanager
async def serving(folder: Path, *, seats: int) -> AsyncGenerator[tuple[str, str, Students]]:
    """A class's server without a chain: its address, its code and its students."""
    students, codes = Students(folder), JoinCodes()
    access = Access(students=students, educator="educator", own="own", hosts=frozenset(), open=False)
    chain = cast("ClassChain", Nothing())

    async def never(*_given: object) -> Any:
        raise AssertionError

    server = ClassServer(
        access=access,
        joining=Joining(access, students, codes, chain, Grader(), "http://here", "Monday class"),
        chain=cast("ChainProxy", Nothing()),
        objects=Objects(access, folder / "store"),
        board=Board(access, students, chain, Progress(), "Monday class", never, never, never),
        prefix="",
    )
    await server.start("127.0.0.1", 0)
    runner = server._runner  # pyright: ignore[reportPrivateUsage]
    assert runner is not None
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", codes.add(seconds=60, uses=seats), students
    finally:
        await server.stop()


async def test_a_classroom_behind_one_router_comes_in_and_one_holder_does_not_fill_the_class(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, seats=183) as (address, code, students), aiohttp.ClientSession() as session:

        async def join(name: str) -> tuple[int, str]:
            async with session.post(f"{address}/join", json={"code": code, "name": name}) as answer:
                return answer.status, (await answer.json()).get("error", "")

        assert [await join(f"student {number}") for number in range(40)] == [(200, "")] * 40
        taken = [await join("student 3") for _ in range(30)]
        assert {status for status, _ in taken} == {409}  # nobody joined, so it does not count
        more = [await join(f"nobody {number}") for number in range(143)]
        assert 60 <= len(students) < 70
        status, said = more[-1]
        assert status == 429
        assert said.startswith("60 students have joined from your address within a minute: try again in ")


@pytest.mark.parametrize(
    "request_text",
    [
        "POST /join HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: SECRET-WORD\r\n\r\n",
        f"GET /me HTTP/1.1\r\nHost: 127.0.0.1\r\nX-SubnetLab-Token: {'SECRET-WORD' * 2000}\r\n\r\n",
        "SECRET-WORD\r\n\r\n",
    ],
    ids=["length", "header", "no HTTP"],
)
async def test_a_request_that_is_none_leaves_one_line_without_its_text(
    tmp_path: Path, request_text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serving(tmp_path, seats=3) as (address, _, _):
        port = int(address.rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_text.encode())
        await writer.drain()
        assert b" 400 " in await reader.readline()
        writer.close()
    assert "SECRET" not in caplog.text
    assert "Traceback" not in caplog.text
    lines = [line for line in caplog.text.splitlines() if "request" in line]
    assert len(lines) == (0 if request_text.startswith("SECRET") else 1)
    assert all("A request was refused, because it is not HTTP (" in line for line in lines)


def test_a_seat_that_never_did_anything_is_told_from_one_that_did(tmp_path: Path) -> None:
    students, codes = Students(tmp_path), JoinCodes()
    codes.add(seconds=60, uses=5)
    code = codes.check(codes.add(seconds=60, uses=5))
    named = {name: students.join(code, name)[0] for name in ("empty", "wallet", "answered", "stored")}
    named["wallet"].hotkey = "5H"
    named["answered"].answers["1.1"] = Answered(answer="1", right=None, said="", tries=1, at=0.0)
    named["stored"].put_bytes = 7
    now = time.time()
    assert [name for name, one in named.items() if one.is_unused(None, now)] == ["empty"]
    assert [name for name, one in named.items() if one.is_unused(None, now + 200)] == ["empty", "wallet"]
    assert not any(one.is_unused(4, now + 200) for one in named.values())


def test_a_seat_that_is_free_again_opens_with_the_same_code(tmp_path: Path) -> None:
    students, codes = Students(tmp_path), JoinCodes()
    word = codes.add(seconds=60, uses=1)
    student, _ = students.join(codes.check(word), "Ada")
    students.reset(student)
    codes.give_back(student.code)
    assert students.join(codes.check(word), "Ada")[0].name == "Ada"
    codes.end()
    codes.give_back(student.code)  # it opens nothing any more
