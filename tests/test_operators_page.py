"""Every command of `docs/operators.md` is run, in terminals on a development chain and in its own order."""

import ast
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bittensor
import pytest

from subnetlab.commands import peer, run, verify
from tests.project import ROOT

PAGE = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines() if line]
FILES = {
    text.splitlines()[0].removeprefix("# "): text
    for kind, text in BLOCKS
    if kind == "python"
}  # fmt: skip
LASTING = ("subnetlab devnet", "subnetlab miner", "subnetlab validator")
LIMIT_S = 600.0
_ALICE = "0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a"
"""The seed of the development account that everybody holds."""


def test_the_page_has_every_step_and_its_files() -> None:
    words = [shlex.split(command)[:3] for command in COMMANDS]
    steps = ["devnet", "publish", "miner", "validator", "status", "stop", "verify"]
    found = [next(word for word in line if word in steps) for line in words if {*line} & {*steps}]
    assert list(dict.fromkeys(found)) == [
        "devnet", "publish", "validator", "miner", "status", "stop", "verify",
    ]  # fmt: skip
    assert list(FILES) == ["subnet.py", "plan.py"]
    for name, text in FILES.items():
        ast.parse(text, name)


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("subnetlab ")])
def test_a_command_of_the_page_has_options_that_are_there(command: str) -> None:
    _, verb, *words = shlex.split(command)
    if verb in ("miner", "validator"):
        peer.parse("miner", words)
    elif verb == "run":
        run.parse(words)
    elif verb == "verify":
        verify.parser().parse_args(words)
    else:
        assert verb == "devnet"


class Terminals:
    """The terminals of the page, with one home, one folder and a port of their own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def words(self, command: str) -> list[str]:
        """A command of the page on this port, with this chain where it names a public one."""
        program, *words = shlex.split(command.replace("9944", self.port))
        words = [f"ws://127.0.0.1:{self.port}" if word == "test" else word for word in words]
        if program == "btcli":
            words = ["--yes", "--wallet-path", str(self.folder / "wallets"), *words]
        return [str(Path(sys.executable).with_name(program)), *words]

    def done(self, command: str) -> str:
        """Run a command to its end."""
        done = subprocess.run(
            self.words(command), cwd=self.folder, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, command: str) -> None:
        """Start a command that lasts, in a terminal of its own."""
        log = (self.folder / f"log-{len(self.running)}").open("wb")
        with log:
            self.running[command] = subprocess.Popen(
                self.words(command), cwd=self.folder, stdout=log, stderr=subprocess.STDOUT
            )

    def log(self, command: str) -> str:
        """What a command that lasts has said."""
        return (self.folder / f"log-{list(self.running).index(command)}").read_text(errors="replace")

    def said(self, command: str, text: str) -> None:
        """Wait until a command that lasts has said something."""
        deadline = time.monotonic() + LIMIT_S
        while text not in self.log(command):
            assert self.running[command].poll() is None, self.log(command)
            assert time.monotonic() < deadline, f"{command}: no {text!r} in\n{self.log(command)}"
            time.sleep(0.1)


@pytest.fixture
def terminals(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminals]:
    """Three terminals in one folder, and the operator's wallet `mine`, funded as Alice is."""
    monkeypatch.setenv("HOME", str(home))
    found = Terminals(home)
    for name, text in FILES.items():
        (home / name).write_text(text.replace("9944", found.port))
    try:
        yield found
    finally:
        for process in found.running.values():
            process.kill()
            process.wait()


def wallet_of_alice(folder: Path) -> None:
    """A wallet's files: the coldkey with a development chain's money, and the hotkeys that the page names."""
    made = bittensor.Wallet("mine", "owner", str(folder))
    made.regenerate_coldkey(seed=_ALICE, use_password=False, suppress=True)
    for name in ("owner", "m1", "v1"):
        bittensor.Wallet("mine", name, str(folder)).create_new_hotkey(suppress=True)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_the_page_from_its_first_command_to_its_last(terminals: Terminals) -> None:
    """Two rounds are enough before the owner stops the run; the page's numbers are those of a longer one."""
    devnet, *others = COMMANDS
    joins = [command for command in others if command.startswith(LASTING) and "--dry-run" not in command]
    terminals.start(devnet)
    terminals.said(devnet, "Imported #1")
    for command in others:
        if command.startswith("btcli"):
            continue
        if command in joins:
            terminals.start(command)
            continue
        if " run stop " in command:
            for peer_ in joins:
                terminals.said(peer_, "Round 2" if "miner" in peer_ else "Round 2 closed")
        said = terminals.done(command)
        if " run status " in command:
            assert "has not begun" in said or "Run plan-" in said
        if " run stop " in command:
            assert re.search(r"Run plan-\w+ ends after round \d+", said)
            for peer_ in joins:
                assert terminals.running[peer_].wait(LIMIT_S) == 0, terminals.log(peer_)
        if " verify " in command:
            assert "is verified" in said


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_btcli_makes_a_subnet_registers_and_stakes_unmodified(terminals: Terminals) -> None:
    wallet_of_alice(terminals.folder / "wallets")
    devnet = COMMANDS[0]
    terminals.start(devnet)
    terminals.said(devnet, "Imported #1")
    commands = [command for command in COMMANDS if command.startswith("btcli")]
    assert len(commands) == 5
    for command in commands:
        assert "error" not in terminals.done(command)
