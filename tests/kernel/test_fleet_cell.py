"""`%%fleet` in a real kernel, on the miners of a real run that goes on meanwhile."""

import os
import signal
from collections.abc import Iterator

import pytest
from tests.kernel.running import Reply, RunningKernel, start_kernel

START = """
import subnetlab as sl, threading
net = sl.connect(sealing="instant")
run = net.create_subnet("cells", wallet="alice").train(
    model=sl.models.TinyGPT("binder"), data=sl.data.stdlib(limit_bytes=400_000), rounds=5_000,
    baselines=(), fleet=sl.LocalFleet(miners=3, validators=1),
)
while len(run.view.mining) < 3 or run.round < 1:
    threading.Event().wait(0.1)
uids = sorted(run.view.mining)
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKernel]:
    running = start_kernel(SUBNETLAB_HOME=str(tmp_path_factory.mktemp("home")))
    started = running.run(START, timeout=300)
    assert started.status == "ok", started.traceback
    yield running
    running.stop()


def uids(kernel: RunningKernel) -> list[int]:
    return [int(uid) for uid in kernel.run("' '.join(map(str, uids))").text.strip("'").split()]


def text_of(reply: Reply) -> str:
    return "\n".join(reply.traceback)


def test_a_cell_runs_on_every_miner_labelled_and_in_order(kernel: RunningKernel) -> None:
    first, second, third = uids(kernel)
    told = kernel.run(
        "%%fleet\nimport sys\nprint('one', uid)\nprint('two')\nprint('bad', file=sys.stderr)\nmine = uid\n"
        "miner.role, type(theta).__name__, round_number > 1, manifest.rounds"
    )
    for uid in (first, second, third):
        assert [line for line in told.stdout.splitlines() if f":{uid}]" in line] == [
            f"[stdout:{uid}] one {uid}", f"[stdout:{uid}] two",
        ]  # fmt: skip
        assert f"[stderr:{uid}] bad\n" in told.stderr
    everyone = f"{first},{second},{third}"
    assert told.stdout.endswith(f"Out[{everyone}]: ('miner', 'Tensor', True, 5000)\n")
    assert kernel.run(f"%fleet -t {second} mine, 'a  b'").stdout == f"Out[{second}]: ({second}, 'a  b')\n"
    ranged = kernel.run(f"%%fleet --targets {first}:{third + 1}\n_[0]").stderr
    assert "_" in ranged or ranged == ""


def test_errors_show_each_miners_traceback_once_and_one_paragraph(kernel: RunningKernel) -> None:
    first, second, third = uids(kernel)
    told = kernel.run(f"%%fleet\nif uid != {first}:\n    {{}}['lr']\n'fine'")
    assert told.ename == "CellFailed"
    assert f"failed on 2 of 3 peers ({second}, {third}). {second}: KeyError: 'lr'." in text_of(told)
    assert told.stderr.count("Traceback") == 1
    assert f"[error:{second},{third}] Traceback" in told.stderr
    assert "    {}['lr']" in told.stderr
    assert told.stdout == f"Out[{first}]: 'fine'\n"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%fleet --targets x\n1", "write uids such as"),
        ("%%fleet --targets 1:99999999\n1", "write uids such as"),
        ("%%fleet --targets 99\n1", "No peer of this run holds uid 99"),
        ("%%fleet --target\n1", "expected one argument"),
        ("%%fleet --sometimes\n1", "unrecognized arguments: --sometimes"),
        ("%%fleet 1 + 1\n1", "belongs below the line"),
        ("%%fleet\n\n", "there is no code"),
        ("%fleet", "there is no code"),
        ("%%fleet --name nothing\n1", "holds no run"),
        ("%fleetresult nothing", "there is no result"),
        ("%%fleet\n# bottom drive obey lake curtain smoke basket hold race lonely fit walk", "SecretRefused"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_refused_in_a_sentence(kernel: RunningKernel, cell: str, said: str) -> None:
    refused = kernel.run(cell)
    assert refused.status == "error"
    assert said in refused.ename + text_of(refused) + refused.evalue


def test_an_interrupt_stops_an_endless_cell_on_all_miners(kernel: RunningKernel) -> None:
    for body in ("pass", "time.sleep(0.01)"):
        message = kernel.send(f"%%fleet\nimport time\nprint('on it', flush=True)\nwhile True: {body}")
        os.kill(kernel.pid, signal.SIGINT)
        assert kernel.answer(message)["ename"] == "KeyboardInterrupt"
        assert kernel.run("%fleet 'again'").stdout.endswith("'again'\n")
    assert kernel.run("run.status.value").text == "'running'"


def test_without_waiting_the_result_comes_later(kernel: RunningKernel) -> None:
    begun = kernel.run("%%fleet --noblock -o later\nprint('on it')\nwhile True: pass")
    assert "running" in begun.text
    assert kernel.run("later.ready()").text == "False"
    kernel.run("later.interrupt()")
    kernel.run("%%fleet --noblock\nprint('printed')\nuid")
    told = kernel.run("%fleetresult").stdout
    for uid in uids(kernel):
        assert f"[stdout:{uid}] printed\n" in told
        assert f"Out[{uid}]: {uid}\n" in told


def test_help_and_completion_know_the_options(kernel: RunningKernel) -> None:
    assert "--noblock" in kernel.run("%%fleet --help\n ").text
    kernel.client.complete("%%fleet --tar", 13)
    reply = kernel.client.get_shell_msg(timeout=300)["content"]
    assert reply["matches"] == ["--targets"]
    kernel.client.complete("%%fleet --targets ", 18)
    assert kernel.client.get_shell_msg(timeout=300)["content"]["matches"] == [
        str(uid) for uid in uids(kernel)
    ]


def test_a_miner_that_is_killed_meanwhile_is_named(kernel: RunningKernel) -> None:
    victim = uids(kernel)[1]
    message = kernel.send(f"%%fleet\nprint('on it')\nwhile uid == {victim}: pass\n'through'")
    pids = {peer["uid"]: peer["pid"] for peer in _status(kernel)}
    os.kill(pids[victim], signal.SIGKILL)
    told = kernel.answer(message)
    assert told["ename"] == "CellFailed"
    assert "Its process ended while the cell ran" in told["evalue"]
    assert kernel.run("%fleet 'on'").stdout.startswith("Out[")


def test_a_run_that_is_over_runs_no_cell(kernel: RunningKernel) -> None:
    kernel.run("run.stop(60)", timeout=100)
    assert kernel.run("%fleet 1").ename == "RunOver"
    assert "does not go on" in text_of(kernel.run("%fleet 1"))


def _status(kernel: RunningKernel) -> list[dict[str, int]]:
    from pathlib import Path

    from subnetlab.fleet.launch import status

    environment = Path(f"/proc/{kernel.pid}/environ").read_bytes().decode().split("\0")
    home = next(line.partition("=")[2] for line in environment if line.startswith("SUBNETLAB_HOME="))
    (folder,) = Path(home, "runs").iterdir()
    return status(folder)["peers"]
