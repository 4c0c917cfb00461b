"""`python -m subnetlab.devnet` as whoever starts it sees it: what it prints, how it ends, what it refuses."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.devnet_process import START_SECONDS, running_devnet

from subnetlab.devnet.node import command
from subnetlab.devnet.node.clock import Clock
from subnetlab.devnet.node.node import Node

ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
COMMAND = [sys.executable, "-m", "subnetlab.devnet"]


def run(*options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, timeout=START_SECONDS, check=False
    )


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path: Path, how: signal.Signals) -> None:
    with running_devnet(tmp_path, "--instant") as node:
        node.process.send_signal(how)
        assert node.process.wait(START_SECONDS) == 0
        assert node.errors.read_text() == ""


def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    with running_devnet(tmp_path, "--manual") as node:
        refused = run("--port", str(node.port))
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.startswith(f"subnetlab devnet: Port {node.port} cannot be opened")
    assert "--port 0" in refused.stderr


@pytest.mark.parametrize(
    ("options", "sealing", "slot_ms"),
    [
        (["--block-time", "0.5"], {"interval": 0.5}, 500),
        (["False"], {"interval": 12.0}, 12_000),
        ([], {"interval": 0.25}, 250),
    ],
)
def test_the_mode_and_the_block_time_clients_read(
    tmp_path: Path, options: list[str], sealing: object, slot_ms: int
) -> None:
    with running_devnet(tmp_path, *options) as node:
        assert node.rpc("dev_info")["sealing"] == sealing
        slot = node.rpc("state_call", "AuraApi_slot_duration", "0x")
        assert int.from_bytes(bytes.fromhex(slot.removeprefix("0x")), "little") == slot_ms


def test_state_is_saved_at_the_end_and_gone_on_with(tmp_path: Path) -> None:
    state = str(tmp_path / "chain")
    with running_devnet(tmp_path, "--manual", "--state", state) as node:
        node.rpc("dev_faucet", ALICE, 7)
        node.seal(3)
        head = node.rpc("dev_info")["head"]
    with running_devnet(tmp_path, "--manual", "--state", state) as node:
        assert node.rpc("dev_info")["head"] == head
        old = node.rpc("chain_getBlockHash", 1)
        assert "State already discarded" in node.ask("state_getStorage", "0x00", old)["error"]["message"]


def test_a_killed_node_goes_on_where_it_stood(tmp_path: Path) -> None:
    state = str(tmp_path / "chain")
    with running_devnet(tmp_path, "--manual", "--state", state) as node:
        node.rpc("dev_faucet", ALICE, 7)
        node.seal(3)
        held = node.rpc("dev_snapshot")
        node.seal(2)
        node.rpc("dev_revert", held)
        head = node.rpc("dev_info")["head"]
        node.process.kill()
        node.process.wait(START_SECONDS)
    with running_devnet(tmp_path, "--instant", "--hold", "--state", state) as node:
        assert node.rpc("dev_info")["head"] == head
        assert node.rpc("dev_info")["sealing"] == "manual"
        node.seal()
        node.rpc("dev_save", state)
        assert not (tmp_path / ".chain").exists()
        second = run("--port", "0", "--state", state)
        assert second.returncode == 1
        assert "Another node keeps its chain" in second.stderr
        node.seal()
        head = node.rpc("dev_info")["head"]
        node.process.kill()
        node.process.wait(START_SECONDS)
    with running_devnet(tmp_path, "--manual", "--state", state) as node:
        assert node.rpc("dev_info")["head"] == head


def test_a_damaged_state_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "chain"
    file.write_bytes(b"rubbish")
    refused = run("--port", "0", "--state", str(file))
    assert refused.returncode == 1
    assert "cannot be read as a saved chain" in refused.stderr
    assert file.read_bytes() == b"rubbish"


def test_coverage_names_what_is_implemented_and_what_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--coverage"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("of 305 implemented")
    transfer = next(i for i, line in enumerate(lines) if line.startswith("  Balances: "))
    assert "transfer_keep_alive" in lines[transfer + 1]
    assert "  Contracts: 0 of 10" in lines


@pytest.mark.parametrize(
    "options",
    [
        ["--instant", "--manual"],
        ["--port", "x"],
        ["--port", "-1"],
        ["Maybe"],
        ["--block-time", "0"],
        ["--no"],
    ],
)
def test_wrong_options_are_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        command.main(options)
    assert refused.value.code == 2
    assert "usage: " in capsys.readouterr().err


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """A middle process starts a node and dies at once; the node must not outlive it."""
    options = [*COMMAND, "--port", "0", "--manual", "--exit-with-parent"]
    middle = (
        f"import subprocess; node = subprocess.Popen({options!r}, stdout=subprocess.PIPE, text=True);"
        "print(node.stdout.readline(), node.stdout.readline(), flush=True)"
    )
    with (tmp_path / "err").open("w") as stderr:
        started = subprocess.Popen(
            [sys.executable, "-c", middle], stdout=subprocess.PIPE, stderr=stderr, text=True
        )
        # The node keeps stderr open after the middle process: its end is seen at the port.
        output, _ = started.communicate(timeout=START_SECONDS)
    assert "Imported #1" in output
    port = int(output.split()[1].rsplit(":", 1)[1])
    assert_gone(port)


def test_it_ends_when_nobody_comes(tmp_path: Path) -> None:
    with running_devnet(tmp_path, "--manual", "--exit-when-idle", "0.5") as node:
        assert node.process.wait(START_SECONDS) == 0


def assert_gone(port: int) -> None:
    """Connect and read until the node hangs up: end of stream is the event waited for."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as connection:
            assert connection.recv(1) == b""
    except ConnectionError:
        return


def test_the_answer_to_shutdown_arrives_before_the_end(tmp_path: Path) -> None:
    with running_devnet(tmp_path, "--manual") as node:
        assert node.rpc("dev_shutdown") is True
        assert node.process.wait(START_SECONDS) == 0
        assert node.errors.read_text() == ""


@pytest.mark.parametrize(("options", "tempo"), [(["True"], 10), (["False"], 360)])
def test_a_new_subnet_has_the_tempo_of_the_localnet_asked_for(options: list[str], tempo: int) -> None:
    chain = Node(command._codec(command._parser().parse_args(options)), Clock())
    assert chain.codec.constant("SubtensorModule", "InitialTempo") == tempo
    assert int(chain.ledger.get("SubtensorModule", "Tempo", 2)) == tempo
    assert int(chain.ledger.get("SubtensorModule", "Tempo", 1)) == 100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "9944x"], "'9944x' is no port: give 0 to 65535"),
        (["--port", "65536"], "'65536' is no port"),
        (["--block-time", "0"], "'0' is no block time: give "),
        (["--block-time", "soon"], "'soon' is no block time"),
        (["--prot", "9944"], "unrecognized arguments: --prot"),
        (["perhaps"], "'perhaps' is no option of the node"),
    ],
)
def test_a_mistyped_option_is_named_in_words(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.main(words)
    told = capsys.readouterr().err
    assert said in told
    assert "_port" not in told
    assert "_seconds" not in told
