import sys
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from subnetlab.errors import FleetError, NodeUnreachable
from subnetlab.fleet.chore import ask
from subnetlab.fleet.forkserver import start_forkserver

QUESTIONS = """
import os, sys, threading
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

def loaded():
    server = os.getppid()
    return {
        "threads": len(os.listdir(f"/proc/{server}/task")),
        "modules": [m for m in ("torch", "bittensor", "polars", "torch._dynamo") if m in sys.modules],
    }
"""


@pytest.fixture(scope="module")
def context() -> ForkServerContext:
    return start_forkserver()


@pytest.fixture(autouse=True)
def _questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fleet_questions.py").write_text(QUESTIONS)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("fleet_questions", None)


def test_an_answer_comes_back(context: ForkServerContext) -> None:
    from fleet_questions import doubled  # pyright: ignore[reportMissingImports]

    assert ask(context, doubled, 21) == {"doubled": 42}


def test_an_unreachable_chain_stays_one(context: ForkServerContext) -> None:
    from fleet_questions import finds_nobody  # pyright: ignore[reportMissingImports]

    with pytest.raises(NodeUnreachable, match=r"Nothing answers\."):
        ask(context, finds_nobody)


def test_an_error_comes_back_as_its_sentence_and_next_step(context: ForkServerContext) -> None:
    from fleet_questions import refuses  # pyright: ignore[reportMissingImports]

    with pytest.raises(FleetError, match=r"The manifest is empty\. Write one\."):
        ask(context, refuses)


def test_a_fork_that_dies_or_hangs_is_an_error(context: ForkServerContext) -> None:
    from fleet_questions import dies, waits  # pyright: ignore[reportMissingImports]

    with pytest.raises(FleetError, match="died or said nothing"):
        ask(context, dies)
    with pytest.raises(FleetError, match=r"said nothing within 0\.2 s"):
        ask(context, waits, timeout_s=0.2)


def test_forks_find_torch_and_the_sdk_loaded_and_the_server_has_one_thread(
    context: ForkServerContext,
) -> None:
    """A second thread in the server could hold a lock at a fork; polars starts some."""
    from fleet_questions import loaded  # pyright: ignore[reportMissingImports]

    assert ask(context, loaded) == {"threads": 1, "modules": ["torch", "bittensor"]}
