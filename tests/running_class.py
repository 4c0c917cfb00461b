"""A class as its command, and students as Python processes with homes of their own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from subnetlab.membership import TOKEN_HEADER

LIMIT_S = 300.0
PLAN = """\
import subnetlab as sl

model = sl.models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32)
data = sl.data.text("The quick brown fox jumps over the lazy dog. " * 2_000, name="fox")
strategy = sl.strategies.SparseLoCo(inner_steps=2)
"""
_KERNEL = """\
import contextlib, io, json, sys, traceback
names = {}
for line in sys.stdin:
    said, failed = io.StringIO(), ""
    with contextlib.redirect_stdout(said):
        try:
            exec(json.loads(line), names)
        except BaseException as error:
            failed = f"{type(error).__name__}: {error}"
    print(json.dumps({"said": said.getvalue(), "failed": failed}), flush=True)
"""


def until(look: Callable[[], Any], what: str, limit_s: float = LIMIT_S) -> Any:
    """Wait until a look finds something."""
    deadline = time.monotonic() + limit_s
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"no {what}"
        time.sleep(0.1)


@dataclass
class Answered:
    """What a server answered."""

    status: int
    body: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.body)


@dataclass
class RunningClass:
    """`subnetlab class` as a process."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    port: int
    out: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def code(self) -> str:
        found = re.search(r"join code: (\S+),", self.out.read_text())
        assert found is not None, self.out.read_text()
        return found[1]

    @property
    def token(self) -> str:
        return (self.folder / "educator.token").read_text().strip()

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answered:
        """Ask the server as a program would."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(f"{self.address}/{path}", data, named, method=method)
        try:
            with urlopen(request, timeout=300) as answer:
                return Answered(answer.status, answer.read())
        except HTTPError as error:
            with error:
                return Answered(error.code, error.read())

    def teach(self, method: str, path: str, body: object = None) -> Answered:
        """Ask with the educator's token."""
        return self.ask(method, path, body, **{TOKEN_HEADER: self.token})

    def row(self, name: str) -> dict[str, Any]:
        """A student's row on the board."""
        rows = self.teach("GET", "board/rows").told["rows"]
        return next((row for row in rows if row["name"] == name), {})

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in self.folder.glob("*.log"))


@dataclass
class Student:
    """A Python process with a home of its own, which runs lines of code as a kernel does."""

    home: Path
    process: "subprocess.Popen[str]"

    def __call__(self, code: str) -> str:
        """Run code; what it printed, or the error that it raised."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(code) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the student's process has ended"
        told = json.loads(answer)
        return str(told["failed"] or told["said"].strip())

    def kill(self) -> None:
        """End it without a word, as a machine that loses power does."""
        self.process.kill()
        self.process.communicate()

    def peer_pid(self) -> int:
        return int(self("print(net.peer.pid or 0)"))


def student(home: Path) -> Student:
    """Start a student's process."""
    home.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "HOME": str(home), "SUBNETLAB_HOME": str(home / "lab")}
    process = subprocess.Popen(
        [sys.executable, "-c", _KERNEL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
        cwd=home,
    )  # fmt: skip
    return Student(home, process)


def end(student: Student) -> None:
    """End a student's peer and process."""
    for file in student.home.glob("lab/classes/*/peer.json"):
        with suppress(ProcessLookupError):
            os.kill(int(json.loads(file.read_text())["pid"]), signal.SIGKILL)
    with suppress(BrokenPipeError):
        student.process.communicate(timeout=300)


@contextmanager
def running_class(folder: Path, *words: str) -> Generator[RunningClass]:
    """A class that is open; everything it started is over afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / "class"
    place.mkdir()
    (place / "plan.py").write_text(PLAN)
    out = folder / "out"
    with out.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "subnetlab", "class", "--port", str(port), "--folder", str(place), *words],
            stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, cwd=folder,
        )  # fmt: skip
    running = RunningClass(process, place, port, out)
    try:

        def opened() -> bool:
            assert process.poll() is None, out.read_text() + running.logs()
            return "board:" in out.read_text()

        until(opened, "open class")
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(300)
