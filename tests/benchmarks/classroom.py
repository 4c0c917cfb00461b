"""Thirty students on one machine: from joining to the first score, and what each costs in memory.

Each student is a Python process that joined the class and a miner that it started, in a home of its own, all
on the machine of the class. Rounds are as long as so many on so few cores need. Memory is the share that a
process would free (proportional set size).
"""

import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.measure import Figure, median_of, memory_mb
from tests.running_class import RunningClass, Student, end, running_class, student, until

STUDENTS = 30
_ROUND_S_A_STUDENT = 4.0
"""For each student on a core."""
_AT_ONCE = 4
"""Students who press enter in the same moment."""
_LIMIT_S = 1200.0


def measure(quick: bool) -> Iterator[Figure]:
    """Have the students join, start their miners, and wait until each was scored."""
    count = 3 if quick else STUDENTS
    round_s = max(6.0, math.ceil(_ROUND_S_A_STUDENT * count / (os.cpu_count() or 1)))
    folder = Path(tempfile.mkdtemp(prefix="slc-"))
    try:
        with ExitStack() as held:
            words = ("--students", str(count), "--round-seconds", str(round_s), "--notice", "5")
            room = held.enter_context(running_class(folder, *words))
            students = [student(folder / f"s{number}") for number in range(count)]
            held.callback(lambda: [end(one) for one in students])
            yield from _figures(room, students, round_s)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _figures(room: RunningClass, students: list[Student], round_s: float) -> Iterator[Figure]:
    began: dict[str, float] = {}

    def join(number: int) -> float:
        one, at, name = students[number], time.perf_counter(), f"Student {number}"
        one("import subnetlab as sl")
        began[name] = time.perf_counter()
        said = one(f"net = sl.connect({room.address!r}, code={room.code!r}, name={name!r})")
        assert said == "", said
        assert (said := one("net.start_miner()")) == "", said
        return time.perf_counter() - at

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        joined = list(pool.map(join, range(len(students))))
    scored: dict[str, float] = {}

    def all_scored() -> bool:
        for row in room.teach("GET", "board/rows").told["rows"]:
            if row["rounds"] and row["name"] not in scored:
                scored[row["name"]] = time.perf_counter() - began[row["name"]]
        return len(scored) == len(students)

    until(all_scored, "score of each student", _LIMIT_S)
    n = len(students)
    yield median_of(f"join and start a miner, {min(_AT_ONCE, n)} of {n} at once", joined, "s")
    yield median_of(
        f"from join to first score, {n} students, rounds of {round_s:.0f} s", [*scored.values()], "s"
    )
    yield Figure(name="the last of them", value=round(max(scored.values()), 1), unit="s")
    yield median_of(
        "a student's Python with the SDK, joined", [_pss(one.process.pid) for one in students], "MB"
    )
    yield median_of("a student's miner", [_pss(one.peer_pid()) for one in students], "MB")
    yield Figure(name="the class's server", value=round(_pss(room.process.pid)), unit="MB")


def _pss(pid: int) -> float:
    return memory_mb(pid)[1]
