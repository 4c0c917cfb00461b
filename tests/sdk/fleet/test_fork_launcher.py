import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from subnetlab.errors import FleetError, NodeUnreachable
from subnetlab.fleet.fork_launcher import RUN_PEER, ForkLauncher
from subnetlab.fleet.supervisor.ending import WRITE_RESULT
from subnetlab.fleet.supervisor.recorder import RECONCILE_ROUNDS
from subnetlab.fleet.supervisor.run_header import RUN_HEADER

QUESTIONS = """
import os, signal, sys, threading, time
from subnetlab.errors import ManifestInvalid, NodeUnreachable

def doubled(number):
    return {"doubled": 2 * number}

def refuses():
    raise ManifestInvalid("The manifest is empty.", hint="Write one.")

def finds_nobody():
    raise NodeUnreachable("Nothing answers.")

def dies():
    os._exit(1)

def waits():
    threading.Event().wait()

def is_killed():
    os.kill(os.getpid(), signal.SIGKILL)

def works():
    began = time.process_time()
    while time.process_time() - began < 3.0:
        pass
    return {}

def loaded():
    server = os.getppid()
    return {
        "threads": len(os.listdir(f"/proc/{server}/task")),
        "cuda": [line.split()[-1] for line in open(f"/proc/{server}/maps") if "libcuda.so" in line],
        "started": sys.modules["torch"].cuda.is_initialized() or sys.modules["torch"].cuda._is_in_bad_fork(),
        "modules": [m for m in ("torch", "bittensor", "polars", "torch._dynamo") if m in sys.modules],
    }
"""


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> ForkLauncher:
    return ForkLauncher(tmp_path_factory.mktemp("run"), 0.0)


@pytest.fixture(autouse=True)
def _questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fleet_questions.py").write_text(QUESTIONS)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("fleet_questions", None)


def test_an_answer_comes_back(launcher: ForkLauncher) -> None:
    assert launcher.call("fleet_questions:doubled", 21) == {"doubled": 42}


def test_an_unreachable_chain_stays_one(launcher: ForkLauncher) -> None:
    with pytest.raises(NodeUnreachable, match=r"Nothing answers\."):
        launcher.call("fleet_questions:finds_nobody")


def test_an_error_comes_back_as_its_sentence_and_next_step(launcher: ForkLauncher) -> None:
    with pytest.raises(FleetError, match=r"The manifest is empty\. Write one\."):
        launcher.call("fleet_questions:refuses")


def test_a_fork_that_dies_or_hangs_is_an_error(launcher: ForkLauncher) -> None:
    with pytest.raises(FleetError, match="dies failed: Its process ended without a word, with status 1"):
        launcher.call("fleet_questions:dies")
    with pytest.raises(FleetError, match=r"waits did nothing for 0\.2 s"):
        launcher.call("fleet_questions:waits", idle_limit_s=0.2)


@pytest.mark.parametrize(("preload", "besides"), [("PRELOAD", []), ("PRELOAD_COMPILER", ["torch._dynamo"])])
def test_forks_find_torch_and_the_sdk_loaded_and_the_server_has_one_thread(
    tmp_path: Path, preload: str, besides: list[str]
) -> None:
    """A second thread in the server could hold a lock at a fork, and CUDA does not survive one.

    A process has one server, loaded by who asks first: as a supervisor does, this one has its own.
    """
    program = (
        "import json\nfrom pathlib import Path\nfrom subnetlab.fleet.fork_launcher import ForkLauncher\n"
        "from subnetlab.fleet import forkserver\n"
        f"launcher = ForkLauncher(Path(), 0.0, preload=forkserver.{preload})\n"
        "print(json.dumps(launcher.call('fleet_questions:loaded')))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "SUBNETLAB_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == {
        "threads": 1,
        "cuda": [],
        "started": False,
        "modules": ["torch", "bittensor", *besides],
    }


def test_a_killed_call_says_by_what(launcher: ForkLauncher, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FleetError, match=r"is_killed failed: .*killed by SIGKILL\.$"):
        launcher.call("fleet_questions:is_killed")
    kills = iter((5, 6))
    monkeypatch.setattr("subnetlab.fleet.fork_launcher.memory_kills", lambda: next(kills))
    with pytest.raises(
        FleetError, match="is_killed failed: The system killed its process, for memory ran out"
    ):
        launcher.call("fleet_questions:is_killed")


def test_a_call_that_works_longer_than_it_may_idle_is_waited_for(launcher: ForkLauncher) -> None:
    assert launcher.call("fleet_questions:works", idle_limit_s=2.0) == {}


@pytest.mark.parametrize("function", [RUN_PEER, RUN_HEADER, RECONCILE_ROUNDS, WRITE_RESULT])
def test_every_function_that_is_named_exists(function: str) -> None:
    module, _, name = function.partition(":")
    assert callable(getattr(import_module(module), name))


def test_a_supervisor_loads_no_torch() -> None:
    program = (
        "import subnetlab.fleet.fork_launcher, subnetlab.fleet.supervisor.supervise, sys\n"
        "print([name for name in ('torch', 'polars') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
