"""`%%miner`, `%%validator` and a score in a real kernel: cells become subnets that pay."""

from collections.abc import Iterator

import pytest
from tests.kernel.running import RunningKernel, start_kernel

HELPER = "def plus(a, b):\n    return a + b"
MINER = '%%miner\nnames = ("a", "b")\ndef add(task):\n    return plus(task[names[0]], task[names[1]])'
VALIDATOR = '%%validator\ndef judge(task, answer):\n    return float(answer == plus(task["a"], task["b"]))'
RUN = """
import subnetlab as sl
net = sl.connect(sealing="instant")
subnet = net.create_subnet("cells", wallet="alice")
run = subnet.run(
    [add, lambda task: 0], judge, tasks=[{"a": 1, "b": 2}, {"a": 3, "b": 4}], rounds=2,
    fleet=sl.LocalFleet(miners=2, validators=1),
)
run.wait(300)
print(run.headline)
"""

SCORE = """
WEIGHT = 2.0
def twice(number):
    return WEIGHT * number
def by_norm(norm, round):
    return twice(norm) + round
"""
SCORED = """
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail
run = net.create_subnet("scored", wallet="alice").train(
    sl.models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=16), data=sl.data.stdlib(400_000),
    strategy=sl.strategies.SparseLoCo(inner_steps=2), rounds=2, score=by_norm,
    fleet=sl.LocalFleet(miners=2, validators=1, baseline=False),
)
run.wait(300)
told = [entry.event for entry in Tail(run.folder / FILE_NAME).entries() if entry.event.kind == "scored"]
paid = [one for one in told if one.verdict == "accepted"]
print(run.status, len(told), len(paid) > 0)
print(all(abs(one.score / (2.0 * one.norm + one.round) - 1) < 1e-5 for one in paid))
print(run.verify(replay=0.0).wrong)
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKernel]:
    running = start_kernel(SUBNETLAB_HOME=str(tmp_path_factory.mktemp("home")))
    yield running
    running.stop()


def test_two_cells_become_a_subnet(kernel: RunningKernel) -> None:
    assert kernel.run(HELPER).status == "ok"
    said = kernel.run(MINER).text
    assert "add answers tasks." in said
    assert "subnet.run(add, judge, tasks=[…])" in said
    assert "judge judges answers." in kernel.run(VALIDATOR).text
    assert kernel.run('add({"a": 1, "b": 2}), judge({"a": 1, "b": 2}, 3)').text == "(3, 1.0)"
    told = kernel.run(RUN, timeout=300)
    assert told.status == "ok", told.traceback
    assert told.stdout.startswith("One of two strangers earned scores; after 2 rounds their mean is 0.50.")


def test_a_score_of_a_cell_is_what_a_local_fleet_pays_by(kernel: RunningKernel) -> None:
    assert kernel.run(SCORE).status == "ok"
    told = kernel.run('import subnetlab as sl\nnet = sl.connect(sealing="instant")\n' + SCORED, timeout=300)
    assert told.status == "ok", told.traceback
    assert told.stdout.splitlines() == ["finished 4 True", "True", "[]"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%miner\nx = 1", "%%miner: the cell defines no function. Write def answer(task)"),
        ("%%validator\n# none", "%%validator: the cell defines no function. Write def judge(task, answer)"),
        ("%%miner fast\ndef answer(task): return 1", "belongs below the line, not behind it: fast"),
        ("%%miner\ndef answer(: return 1", "is no Python"),
        ("%%miner\ndef answer(): return 1", "cannot be called with one argument"),
        ("%%validator\ndef judge(task): return 1", "cannot be called with two arguments"),
        ("%%miner\nasync def answer(task): return 1", "async or yields"),
    ],
)
def test_a_cell_that_defines_no_such_function_is_refused(kernel: RunningKernel, cell: str, said: str) -> None:
    told = kernel.run(cell)
    assert told.status == "error"
    assert said in f"{told.evalue}{''.join(told.traceback)}".replace("\x1b[0m", "")


def test_an_error_inside_the_cell_keeps_its_traceback(kernel: RunningKernel) -> None:
    told = kernel.run("%%miner\ndef answer(task):\n    return 1\n1 / 0")
    assert told.ename == "ZeroDivisionError"
