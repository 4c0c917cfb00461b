"""The kernel as a front end meets it: identity, cells, interrupts, history, shutdown."""

import psutil
import pytest
from tests.kernel.running import RunningKernel, start_kernel


def test_it_says_who_it_is_and_stays_python(kernel: RunningKernel) -> None:
    info = kernel.answer(kernel.client.kernel_info())
    assert info["implementation"] == "subnetlab"
    assert info["language_info"]["name"] == "python"
    assert info["banner"].startswith("SubnetLab")
    assert "play money" in info["banner"]
    assert "debugger" in info["supported_features"]


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


ASK_AND_AWAIT = """\
import asyncio
from comm import create_comm
answered = asyncio.Event()
said = []
asked = create_comm(target_name="question", comm_id="the-question")
asked.on_msg(lambda message: (said.append(message["content"]["data"]), answered.set()))
print("begun", flush=True)
await answered.wait()
said
"""


def test_a_page_is_heard_while_a_cell_awaits_its_answer(kernel: RunningKernel) -> None:
    message = kernel.send(ASK_AND_AWAIT)
    for answer in ("yes", "again"):
        content = {"comm_id": "the-question", "data": answer}
        kernel.client.shell_channel.send(kernel.client.session.msg("comm_msg", content))
    assert kernel.answer(message)["status"] == "ok"
    assert kernel.run("said[0]").data[0]["text/plain"] == "'yes'"


def test_the_debugger_answers(kernel: RunningKernel) -> None:
    hello = {"type": "request", "seq": 1, "command": "initialize", "arguments": {"adapterID": "test"}}
    kernel.client.control_channel.send(kernel.client.session.msg("debug_request", hello))
    reply = kernel.client.get_control_msg(timeout=300)["content"]
    assert reply["success"]
    assert reply["body"]["supportsConfigurationDoneRequest"]


@pytest.mark.parametrize("line", ["%sl pay?", "?%sl pay", "%sl pay??", "%sl pay --help"])
def test_help_for_a_verb_however_it_is_asked(kernel: RunningKernel, line: str) -> None:
    said = kernel.run(line).text
    assert said.startswith("usage: %sl pay")
    assert "--wallet" in said


def test_help_under_the_cursor(kernel: RunningKernel) -> None:
    ours = kernel.answer(kernel.client.inspect("x = 1\n%sl pay 1 bob", 10))
    assert ours["data"]["text/plain"].startswith("usage: %sl pay")
    options = kernel.answer(kernel.client.inspect("%%train --miners 3\nrounds = 2", 12))
    assert "--free-riders" in options["data"]["text/plain"]
    theirs = kernel.answer(kernel.client.inspect("%%train\nprint", 12))
    assert "Prints the values" in theirs["data"]["text/plain"]


def test_the_overview_says_which_chain_and_whose_money(kernel: RunningKernel) -> None:
    assert kernel.run("%sl").text.startswith("No chain yet; %sl network starts one")


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
    for code in (f"%sl pay 1 0x{'ab' * 32}", f"import subnetlab as sl\nsl.connect().wallet('{'ab' * 32}')"):
        reply = kernel.run(code)
        assert reply.ename == "SecretRefused"
    looks = kernel.run(
        "history = get_ipython().history_manager\n"
        "history.writeout_cache()\n"
        "rows = [*history.db.execute('SELECT source, source_raw FROM history WHERE session = ?',"
        " (history.session_number,))]\n"
        "variables = [value for name, value in list(globals().items()) if name[:2] == '_i']\n"
        "print('ab' * 4 in repr((In, history.input_hist_raw, rows, variables)))"
    )
    assert (looks.stdout.strip(), looks.evalue) == ("False", "")
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
    _, alive = psutil.wait_procs(family, timeout=300)
    assert alive == []
