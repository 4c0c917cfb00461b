"""Functions in a process of their own: whatever one does, the caller goes on within its limits."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from subnetlab.answers.calls import Calls, FunctionFailed

TEXT = """
import os, sys, time
seen = 0
def count(task):
    global seen
    seen += 1
    return seen
def pid(task): return os.getpid()
def child(task):
    import subprocess
    return subprocess.Popen(["sleep", "600"]).pid
def hang(task):
    import re
    re.match("(a+)+$", "a" * 40 + "b")
def sleep(task): time.sleep(600)
def leave(task): os._exit(3)
def leave_in_order(task): sys.exit("enough")
def fail(task): raise ValueError("no " + "x" * 1000)
def large(task): return "x" * 1_000_000
def shout(task):
    print("x" * 200_000)
    return "said"
def ask(task): return sys.stdin.readline()
def odd(task): return {1, 2}
def draw(random): return random.randrange(10**9)
def number(task): return True
def nothing(task): return None
def shape(task): return {"a": (1, 2), "b": [None, 1.5, "ü"]}
"""
NAMES = [line.split("(")[0].removeprefix("def ") for line in TEXT.splitlines() if line.startswith("def ")]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calls]:
    functions = {name: {"name": name, "text": TEXT, "defines": name} for name in NAMES}
    with Calls(functions, tmp_path_factory.mktemp("functions")) as made:
        made.start()
        yield made


def call(calls: Calls, name: str, *, limit_s: float = 20.0, limit: int = 1000, **options: Any) -> Any:
    return calls.call(name, {}, deadline=time.monotonic() + limit_s, limit=limit, **options)


def test_a_function_remembers_until_its_process_ends(calls: Calls) -> None:
    first = call(calls, "count")
    assert call(calls, "count") == first + 1
    with pytest.raises(FunctionFailed):
        call(calls, "leave")
    assert call(calls, "count") == 1


@pytest.mark.parametrize("name", ["hang", "sleep"])
def test_what_does_not_come_back_is_ended_at_its_limit(calls: Calls, name: str) -> None:
    pid = call(calls, "pid")
    began = time.monotonic()
    with pytest.raises(FunctionFailed, match="longer than its time limit") as raised:
        call(calls, name, limit_s=0.3)
    assert raised.value.reason == "too_slow"
    assert time.monotonic() - began < 15
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert call(calls, "pid") != pid


def test_what_a_function_started_ends_with_it(calls: Calls) -> None:
    pid = call(calls, "child")
    calls.close()
    until = time.monotonic() + 20
    while _runs(pid):
        assert time.monotonic() < until, "the child of the function's process lives on"
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("name", "reason", "said"),
    [
        ("fail", "raised", "it raised ValueError: no x"),
        ("leave", "ended", "it ended its own process"),
        ("leave_in_order", "raised", "it raised SystemExit: enough"),
        ("large", "unfit", "has 1,000,002 bytes, and 1,000 are allowed"),
        ("odd", "unfit", "holds a set, which is no JSON value"),
    ],
)
def test_what_returns_nothing_that_counts_is_said(calls: Calls, name: str, reason: str, said: str) -> None:
    with pytest.raises(FunctionFailed, match=said) as raised:
        call(calls, name)
    assert raised.value.reason == reason
    assert len(str(raised.value)) < 400
    assert call(calls, "pid") > 0


def test_what_a_function_prints_or_reads_does_not_disturb_the_line(calls: Calls) -> None:
    assert call(calls, "shout") == "said"
    with pytest.raises(FunctionFailed):
        call(calls, "ask", limit_s=0.3)


def test_values_come_back_as_json_has_them(calls: Calls) -> None:
    assert call(calls, "shape") == {"a": [1, 2], "b": [None, 1.5, "ü"]}
    assert call(calls, "nothing") is None
    assert calls.number("number", {}, deadline=time.monotonic() + 20) == 1.0
    with pytest.raises(FunctionFailed, match="TypeError"):
        calls.number("nothing", {}, deadline=time.monotonic() + 20)


def test_random_numbers_follow_from_the_seed_alone(calls: Calls) -> None:
    def drawn(seed: str) -> int:
        return calls.call("draw", deadline=time.monotonic() + 20, limit=100, random=seed)

    assert drawn("one") == drawn("one") != drawn("two")


def test_source_that_does_not_run_is_said(tmp_path: Path) -> None:
    broken = {"f": {"name": "f", "text": "import nowhere_at_all\ndef f(t): return t", "defines": "f"}}
    with Calls(broken, tmp_path) as made, pytest.raises(FunctionFailed, match="nowhere_at_all"):
        made.start()


def test_a_traceback_shows_the_source_of_the_function_that_raised(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    texts = {"answer 0": "function = lambda task: task['c']", "judge": "function = lambda task, answer: 1.0"}
    functions = {at: {"name": "function", "text": one, "defines": "function"} for at, one in texts.items()}
    with Calls(functions, tmp_path) as made, pytest.raises(FunctionFailed, match="KeyError"):
        call(made, "answer 0")
    said = capfd.readouterr().err
    assert "lambda task: task['c']" in said
    assert "lambda task, answer" not in said
