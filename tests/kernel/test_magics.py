"""`%sl` and `%%train` in a real kernel with a real node behind it, and every way to write them wrongly."""

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.kernel.running import RunningKernel, start_kernel

BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKernel]:
    running = start_kernel(SUBNETLAB_HOME=str(tmp_path_factory.mktemp("home")))
    assert running.run("import subnetlab as sl\nnet = sl.connect(sealing='instant')").status == "ok"
    yield running
    running.stop()


def test_a_wrong_number_is_named_before_a_subnet_is_paid_for(kernel: RunningKernel) -> None:
    kernel.run("import subnetlab as sl")
    for line in ("batch_size = 0", "batch_size = 'two'", "rounds = 0", "seed = -1", "deterministic = 1"):
        refused = kernel.run(f"%%train --miners 2\n{line}")
        assert refused.ename == "ArgumentInvalid", line
        assert line.split(" = ")[0] in refused.evalue
    assert kernel.run("'subnet' in globals()").data[0]["text/plain"] == "False"


def test_the_verbs_share_the_notebooks_variables(kernel: RunningKernel) -> None:
    shown = kernel.run("%sl network")
    assert "play money" in shown.text
    assert "play money" in shown.data[0]["text/html"]
    assert kernel.run("_ is net").data[0]["text/plain"] == "True"
    assert kernel.run("%sl").text.startswith(shown.text.split(", block")[0])
    assert "There is no subnet yet" in kernel.run("%sl stake").evalue
    assert kernel.run("%sl subnet tiny-lm").text.endswith("(tiny-lm) on devnet")
    assert "--to UID or --to HOTKEY" in kernel.run("%sl stake 5").evalue
    assert kernel.run("subnet.name").data[0]["text/plain"] == "'tiny-lm'"
    live, plain = kernel.run("%sl subnet").data
    assert "application/vnd.jupyter.widget-view+json" in live
    assert live["text/plain"] == "Live seats of subnet 2 (tiny-lm)"
    assert "<table" in plain["text/html"]
    assert "hotkey" in plain["text/html"]


def test_money_moves_and_says_so(kernel: RunningKernel) -> None:
    held = kernel.run("%sl wallet bob")
    assert BOB in held.text
    assert "1,000,000.0000" in held.text
    assert "play money" in held.data[0]["text/html"]
    paid = kernel.run(f"%sl pay 0.5 {BOB}")
    assert "transfer" in paid.text
    assert "0x" in paid.text
    staked = kernel.run("%sl stake 10 --to 0")
    assert staked.status == "ok", staked.evalue
    assert kernel.run("[s.what for s in net.spent]").data[0]["text/plain"] == "['pay', 'stake']"


def test_without_an_amount_a_form_opens_and_nothing_is_sent(kernel: RunningKernel) -> None:
    block, spent = kernel.run("net.block").text, kernel.run("len(net.spent)").text
    for line, said in (
        (
            "%sl stake",
            "Stake by form (play money, devnet): nothing had been sent so far. Without a form: %sl stake 10",
        ),
        ("%sl stake --to 0", "--to 5"),
        (
            "%sl pay",
            "Pay by form (play money, devnet): nothing had been sent so far. Without a form: %sl pay 0.5",
        ),
        ("%sl pay --to bob", "%sl pay 0.5 bob"),
        ("%sl pay 3", "Pay by form"),
    ):
        live, plain = kernel.run(line).data
        assert "application/vnd.jupyter.widget-view+json" in live
        assert said in live["text/plain"]
        assert live["text/plain"] == plain["text/plain"]
        assert "play money, devnet" in plain["text/html"]
    assert (kernel.run("net.block").text, kernel.run("len(net.spent)").text) == (block, spent)


def test_a_budget_is_set_and_kept(kernel: RunningKernel) -> None:
    assert "limit=3 τ" in kernel.run("%sl budget 3").text
    refused = kernel.run(f"%sl pay 4 {BOB}")
    assert refused.ename == "OverBudget"
    assert "net.budget.set" in refused.evalue
    known = int(kernel.run("net.ledger().height").data[0]["text/plain"])
    assert "limit=0 τ" in kernel.run("%sl budget 0").text
    for line in (f"%sl pay 1 {BOB}", "%sl subnet another", "net._client.start_call(2, 'alice')"):
        assert kernel.run(line).ename == "OverBudget", line
    assert kernel.run("net.ledger().height").data[0]["text/plain"] == str(known)
    kernel.run("net.budget.set(tao=None)")
    assert "Spent on this chain" in kernel.run("%sl ledger").text
    assert kernel.run("%sl lock").text == "0 keys were forgotten."
    shown = kernel.run("%sl browser").text
    assert "Wallet in the page (play money, devnet): none was connected" in shown
    assert kernel.run("first = page\n%sl browser\nprint(first is page)").stdout.endswith("True\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%sl nework", "did you mean 'network'?"),
        ("%sl network mars", "There is no network called 'mars'"),
        ("%sl network devnet extra", "unrecognized arguments: extra"),
        ("%sl wallet zed", "There is no wallet called 'zed'"),
        (f"%sl wallet 0x{'ab' * 32}", "private key"),
        ("%sl budget lots", "is not an amount"),
        ("%sl budget -5", "is not a positive amount"),
        ("%sl pay --to nobody", "is not an address"),
        (f"%sl pay --to 0x{'ab' * 32}", "private key"),
        ("%sl pay --wallet zed", "There is no wallet called 'zed'"),
        ("%sl pay 1e999999999 bob", "more than the chain can count"),
        ("%sl stake --netuid 99", "There is no subnet 99"),
        ("%sl stake --to 5nobody", "address"),
        ("%sl stake --to 77", "No neuron holds uid 77"),
        ("%sl stake --wallet zed", "There is no wallet called 'zed'"),
        ("%sl pay much bob", "is not an amount"),
        (f"%sl pay -1 {BOB}", "is not a positive amount"),
        ("%sl pay 1 0x" + "Ab" * 20, "wrong checksum"),
        ("%sl pay 1 'unclosed", "No closing quotation"),
        ("%sl stake 1", "names no validator of subnet"),
        ("%sl stake 1 --to 5nobody", "address"),
        ("%sl stake 1 --to 77", "No neuron holds uid 77"),
        ("%sl stake 1 --to 0 --netuid x", "invalid int value"),
        ("%sl subnet 99", "There is no subnet 99"),
        ("%sl attach nothing", "are called 'nothing'"),
        ("%sl explain", "the following arguments are required"),
        ("%sl explain three", "invalid int value"),
        ("%sl explain 3", "holds no run"),
        ("%sl explain -1", "not a uid"),
        ("%sl doctor now", "unrecognized arguments"),
    ],
)
def test_a_wrong_line_is_one_short_message(kernel: RunningKernel, line: str, said: str) -> None:
    reply = kernel.run(line)
    assert reply.status == "error"
    assert said in reply.evalue
    assert "ab" * 32 not in reply.evalue
    assert len(reply.traceback) <= 2


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%train\nroudns = 5", "did you mean 'rounds'? Nothing was started."),
        ("%%train --miners none\nrounds = 1", "invalid int value"),
        ("%%train --miners 0\nrounds = 1", "at least one miner"),
        ("%%train --miners 2 --free-riders 3\nrounds = 1", "free_riders=3"),
        ("%%train\nrounds = 0", "rounds=0 is out of range"),
        ("%%train\nmodel = sl.models.TinyGPT('huge')", "no size 'huge'"),
        ("%%train\nmodel = sl.models.Factory(path='nowhere:make', seq_len=8)", "cannot be imported"),
        ("%%train\ndata = sl.data.text('short')", "tokens"),
        ("%%train --attackers villain=1\nrounds = 1", "No attacker is called 'villain'"),
        ("%%train --attackers sign_flip=x\nrounds = 1", "write sign_flip=2"),
        ("%%train --miners 2 --attackers sign_flip=3\nrounds = 1", "3 attackers among miners"),
        ("%%train --lr fast\nrounds = 1", "invalid float value"),
        ("%%train --lr -1\nrounds = 1", "lr"),
        ("%%train --optimizer sgd2\nrounds = 1", "is no optimizer"),
        ("%%train --baselines nobody\nrounds = 1", "no baseline is called 'nobody'"),
        ("%%train\nepochs = 3", "did you mean 'rounds'"),
        ("%%train --netuid 99\nrounds = 1", "There is no subnet 99"),
    ],
)
def test_a_wrong_cell_starts_nothing(kernel: RunningKernel, cell: str, said: str) -> None:
    block = kernel.run("net.block").text
    reply = kernel.run(cell)
    assert reply.status == "error"
    assert said in reply.evalue
    assert len(reply.traceback) <= 2
    assert kernel.run("net.block").text == block
    assert "No runs yet" in kernel.run("%sl runs").text


def test_the_users_own_mistake_in_the_body_keeps_its_traceback(kernel: RunningKernel) -> None:
    reply = kernel.run("%%train\nrounds = 1 / 0")
    assert reply.ename == "ZeroDivisionError"
    assert len(reply.traceback) > 2


def test_train_alone_is_a_cell_and_explains_itself(kernel: RunningKernel) -> None:
    assert "usage: %%train" in kernel.run("%%train --help").stdout
    assert "usage: %%train" in kernel.run("\n%%train -h\n\n").stdout
    assert "no subnet 99" in kernel.run("%%train --netuid 99").evalue
    both = kernel.run("%%train\nminers = 3\nfleet = sl.LocalFleet()")
    assert "either fleet or miners, not both" in both.evalue
    assert "at least one miner" in kernel.run("%%train\nminers = 0").evalue
    assert "No runs yet" in kernel.run("%sl runs").text


def test_the_newest_subnet_of_the_present_network_is_meant_whatever_its_name(kernel: RunningKernel) -> None:
    assert kernel.run("mine = net.create_subnet('other')").status == "ok"
    assert kernel.run("%sl subnet").data[-1]["text/plain"].count("other")
    assert kernel.run("first = net.endpoint\nnet = sl.connect(sealing='instant')").status == "ok"
    assert kernel.run("assert net.endpoint != first").status == "ok"
    assert "There is no subnet yet" in kernel.run("%sl stake").evalue, "that subnet is of the older chain"
    assert kernel.run("%sl subnet fresh").status == "ok"
    assert kernel.run("assert subnet.net is net and subnet.name == 'fresh'").status == "ok"
    assert kernel.run("mine = subnet = None").status == "ok"


def test_doctor_looks_at_this_machine(kernel: RunningKernel) -> None:
    said = kernel.run("%sl doctor").text
    for name in ("Python", "torch", "bittensor", "local ports", "memory"):
        assert name in said


TRAIN = """\
%%train --miners 3 --validators 2 --attackers free_rider --baselines alone,alone_2x --lr 0.01 --rounds 4
model = sl.models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32)
data = sl.data.stdlib(400_000)
strategy = sl.strategies.SparseLoCo(inner_steps=2)
"""


def kin(kernel: RunningKernel) -> list[psutil.Process]:
    return psutil.Process(kernel.pid).children(recursive=True)


def test_a_run_from_cell_to_shutdown(tmp_path: Path) -> None:
    kernel = start_kernel(SUBNETLAB_HOME=str(tmp_path))
    try:
        assert kernel.run("import subnetlab as sl").status == "ok"
        began = kernel.run(TRAIN, timeout=300)
        assert began.status == "ok", began.evalue
        live, picture = began.data[:2]
        assert "application/vnd.jupyter.widget-view+json" in live
        assert live["text/plain"] == "Live dashboard of a run on tiny-lm"  # shown before the run has a name
        assert live["text/html"] == "", "a reader without kernel sees the picture alone"
        assert "data:image/svg+xml;base64," in picture["text/html"]
        waited = kernel.run("run.wait(300)\nrun", timeout=300)
        assert waited.status == "ok", waited.evalue
        last = waited.data[-1]
        assert "finished, round 4 of 4" in last["text/plain"]
        assert "strangers reached" in last["text/html"]
        explained = kernel.run("%sl explain 3")
        assert "Why uid 3 earned what it earned" in explained.text
        # The picture of the run may be brought up to date once more while another cell answers.
        assert any("consensus" in bundle.get("text/html", "") for bundle in explained.data)
        assert all("<table" in bundle["text/html"] for bundle in kernel.run("run.verdict()").data)
        assert kernel.run("assert len(run.frame('miners')) == 12").status == "ok"
        assert kernel.run("assert sum(p.numel() for p in run.result().parameters()) > 1000").status == "ok"
        family = kin(kernel)
        assert any("subnetlab.devnet" in " ".join(child.cmdline()) for child in family)
    finally:
        kernel.stop()
    _, alive = psutil.wait_procs(family, timeout=300)
    assert alive == []


def test_a_cell_that_connects_again_leaves_one_node(tmp_path: Path) -> None:
    kernel = start_kernel(SUBNETLAB_HOME=str(tmp_path))

    def nodes() -> list[psutil.Process]:
        # as_dict has None for a node that has just ended, where cmdline() raises.
        lines = [(child, child.as_dict(["cmdline"])["cmdline"] or []) for child in kin(kernel)]
        return [child for child, line in lines if "subnetlab.devnet" in line]

    try:
        assert kernel.run("import subnetlab as sl").status == "ok"
        for _ in range(4):
            assert kernel.run("net = sl.connect(sealing='instant')\nnet").status == "ok"
            assert kernel.run("%sl subnet").status == "ok"
        deadline = time.monotonic() + 50
        while len(nodes()) > 1:
            assert kernel.run("pass").status == "ok"
            assert time.monotonic() < deadline
        assert kernel.run("assert net.alive and subnet.net is net").status == "ok"
    finally:
        kernel.stop()


@pytest.mark.parametrize("moment", ["the frame is shown", "the folder is there"])
def test_a_cell_cancelled_half_way_leaves_nothing_half_begun(tmp_path: Path, moment: str) -> None:
    kernel = start_kernel(SUBNETLAB_HOME=str(tmp_path))
    runs = tmp_path / "runs"
    try:
        assert kernel.run("import subnetlab as sl\nnet = sl.connect()", timeout=300).status == "ok"
        message = kernel.ask(TRAIN.replace("--rounds 4", "--rounds 4000"))
        while kernel.client.get_iopub_msg(timeout=300)["msg_type"] != "display_data":
            pass
        deadline = time.monotonic() + 50
        while moment == "the folder is there" and not (runs.is_dir() and any(runs.iterdir())):
            assert time.monotonic() < deadline
        kernel.manager.interrupt_kernel()
        assert kernel.answer(message, timeout=300)["ename"] == "KeyboardInterrupt"
        assert kernel.run("assert all(r.ended for r in sl.runs()) and not net.runs").status == "ok"
        assert kernel.run("%sl pay 1 bob").status == "ok"
        assert kernel.run(TRAIN, timeout=300).status == "ok"
        waited = kernel.run("assert run.wait(300).status == 'finished'", timeout=300)
        assert waited.status == "ok", waited.evalue
    finally:
        kernel.stop()


def test_a_restart_keeps_the_run_and_a_shutdown_ends_it(tmp_path: Path) -> None:
    endless = TRAIN.replace("--rounds 4", "--rounds 4000")
    kernel = start_kernel(SUBNETLAB_HOME=str(tmp_path))
    try:
        assert kernel.run("import subnetlab as sl").status == "ok"
        assert kernel.run(endless, timeout=300).status == "ok"
        name = kernel.run("print(run.id)").stdout.strip()
        family = kin(kernel)
        waiting = kernel.send("print('begun', flush=True)\nrun.wait()")
        kernel.manager.interrupt_kernel()
        assert kernel.answer(waiting)["ename"] == "KeyboardInterrupt"
        assert kernel.run("assert run.status in ('starting', 'running')").status == "ok"
        kernel.restart()
        assert all(process.is_running() for process in family)
        assert (
            kernel.run("import subnetlab as sl\nnet = elsewhere = sl.connect()", timeout=300).status == "ok"
        )
        assert kernel.run(f"%sl attach {name}").status == "ok"
        followed = "assert net is run.net is not elsewhere and net.endpoint == run.endpoint"
        assert kernel.run(f"{followed} and subnet.net is net and subnet.netuid == run.netuid").status == "ok"
        assert kernel.run(f"%sl runs --delete {name}").ename == "RunNotFinished"
        assert kernel.run("assert run.status in ('starting', 'running') and net.play_money").status == "ok"
        assert kernel.run("run.stop(timeout=30); assert run.status == 'stopped'", timeout=40).status == "ok"
        assert kernel.run(f"%sl runs --delete {name[:-1]}").ename == "UnknownRun"
        assert "No runs yet" in kernel.run(f"%sl runs --delete {name}").text
        assert kernel.run("elsewhere.close()").status == "ok"
        family[0].terminate()  # the node, which would stay for ten idle minutes
    finally:
        kernel.stop()
        for process in family:
            process.kill() if process.is_running() else None
