"""The kernel as a front end meets it: identity, cells, interrupts, history, shutdown."""

import psutil
from tests.kernel.running import RunningKernel, start_kernel


def test_it_says_who_it_is_and_stays_python(kernel: RunningKernel) -> None:
    info = kernel.answer(kernel.client.kernel_info())
    assert info["implementation"] == "subnetlab"
    assert info["language_info"]["name"] == "python"
    assert info["banner"].startswith("SubnetLab")


def test_a_cell_runs_and_the_magics_need_no_loading(kernel: RunningKernel) -> None:
    assert kernel.run("1 + 1").data[0]["text/plain"] == "2"
    verbs = kernel.run("%sl").text
    assert "%sl pay" in verbs
    assert "%%train" in verbs


def test_starting_loads_neither_torch_nor_the_chain_sdk() -> None:
    fresh = start_kernel()
    try:
        loaded = fresh.run(
            "import sys; print([m for m in ('torch', 'bittensor', 'web3', 'polars') if m in sys.modules])"
        )
        assert loaded.stdout.strip() == "[]"
    finally:
        fresh.stop()


def test_an_interrupt_ends_an_idle_await_and_the_kernel_lives_on(kernel: RunningKernel) -> None:
    for code in ("import asyncio; print('begun', flush=True); await asyncio.sleep(3000)",) * 3:
        message = kernel.send(code)
        kernel.manager.interrupt_kernel()
        assert kernel.answer(message)["ename"] in {"CancelledError", "KeyboardInterrupt"}
    assert kernel.run("'alive'").status == "ok"


def test_an_interrupt_ends_a_busy_loop(kernel: RunningKernel) -> None:
    message = kernel.send("print('begun', flush=True)\nwhile True: pass")
    kernel.manager.interrupt_kernel()
    assert kernel.answer(message)["ename"] == "KeyboardInterrupt"


def test_our_errors_are_one_paragraph_with_the_line_and_the_next_step(kernel: RunningKernel) -> None:
    reply = kernel.run("import subnetlab as sl\n\nraise sl.errors.UnknownWallet('No wallet zed.')")
    assert reply.ename == "UnknownWallet"
    assert len(reply.traceback) == 2
    assert reply.traceback[0].startswith("UnknownWallet: No wallet zed. On a devnet use alice")
    assert "line 3" in reply.traceback[1]


def test_other_errors_keep_their_traceback(kernel: RunningKernel) -> None:
    reply = kernel.run("def broken():\n    return 1 / 0\nbroken()")
    assert reply.ename == "ZeroDivisionError"
    assert len(reply.traceback) > 3


MNEMONIC = "abandon ability able about above absent absorb abstract absurd abuse access accident"


def test_a_cell_with_a_secret_is_neither_run_nor_remembered(kernel: RunningKernel) -> None:
    for code in (f"leaked = '{MNEMONIC}'", f"leaked = 1; seed = '0x{'ab' * 32}'"):
        reply = kernel.run(code)
        assert reply.ename == "SecretRefused"
        assert "not kept" in reply.evalue
    assert kernel.run("'leaked' in globals()").data[0]["text/plain"] == "False"
    remembered = kernel.run("print(any('abandon ability' in cell for cell in In[:-1]))").stdout
    assert remembered.strip() == "False"


def test_prose_and_hashes_are_not_secrets(kernel: RunningKernel) -> None:
    prose = "# we look at what every miner did and then say why some were paid more than others today"
    assert kernel.run(f"{prose}\nblock_hash = '0x{'ab' * 32}'").status == "ok"


def test_shutdown_closes_the_services_and_leaves_no_process() -> None:
    running = start_kernel()
    process = psutil.Process(running.pid)
    children = running.run(
        "import subprocess, sys\n"
        "from subnetlab_kernel.services import SERVICES\n"
        "class Sleeper:\n"
        "    def __init__(self):\n"
        "        self.process = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
        " start_new_session=True)\n"
        "    def close(self):\n"
        "        self.process.kill(); self.process.wait()\n"
        "SERVICES.add(Sleeper())"
    )
    assert children.status == "ok"
    family = [process, *process.children(recursive=True)]
    assert len(family) > 1
    running.stop()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []
