"""What is mistyped on the command line: refused in one line with the next step, and nothing is spent."""

import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import bittensor
import pytest
from bittensor_core import Keypair

from subnetlab.cli import main

from .conftest import Owner


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("miner --store s4://x", "No store speaks s4://. Give a folder, s3://"),
        ("miner --store https://example.org/x", "https://example.org/x can be read only. Give a bucket"),
        ("miner --store-locator ftp://x", "A locator is an https address, not ftp://. Give the https"),
        ("miner --trust nonsense", "'nonsense' is no ss58 address. Trust the hotkey or coldkey"),
        ("miner --answers a:b", "its miners answer nothing. Leave out --answers."),
        ("miner --wallet a/b/c", "'a/b/c' is no wallet's name, which is NAME or NAME/HOTKEY. On a devnet"),
        ("run status --netuid 99", "There is no subnet 99. `btcli subnets list` or"),
        ("run status --endpoint {url}", "There is no network called 'http://"),
        ("run status --endpoint ws://127.0.0.1:{http}", "Nothing answers at ws://127.0.0.1:"),
        ("run stop --netuid 99 --wallet alice", "There is no subnet 99. `btcli subnets list` or"),
        ("run publish {plan} --store s4://x --wallet alice --replace", "No store speaks s4://. Give"),
        ("run publish {plan} --store https://example.org/x --wallet alice --replace", "can be read only."),
        ("run publish {plan} --store s3://bucket/x --wallet alice --replace", "names neither a region nor"),
        ("run publish {plan} --store st --wallet alice --replace --rounds 0", "rounds=0 is out of range."),
        ("run publish {plan} --store st --wallet alice --replace --notice 1e300", "is no notice. Give"),
        ("run publish {odd} --store st --wallet alice --replace", "rounds='x' is no whole number. Give"),
        ("verify {netuid} --trust nonsense", "'nonsense' is no ss58 address. Trust"),
        ("verify {netuid} --lineage nowhere", "There is no file at nowhere. Give the lineage"),
    ],
)  # fmt: skip
def test_what_a_stranger_mistypes_is_said_in_a_line_and_costs_nothing(
    owner: Owner, capsys: pytest.CaptureFixture[str], tmp_path: Path, words: str, says: str
) -> None:
    owner.announce()
    named: dict[str, Any] = {"netuid": owner.netuid, "url": owner.client.endpoint.replace("ws:", "http:")}
    named |= {"plan": tmp_path / "plan.py", "odd": tmp_path / "odd.py"}
    (tmp_path / "plan.py").write_text("raise RuntimeError('The file is run, though the command is refused')")
    if "--rounds" in words:
        (tmp_path / "plan.py").write_text("seed = 3")
    (tmp_path / "odd.py").write_text("rounds = 'x'")
    before = [owner.client.balance(name) for name in ("alice", "bob")]
    with http_server() as port:
        given = words.format(http=port, **named).split()
        for option, value in (
            ("--endpoint", owner.client.endpoint), ("--netuid", str(owner.netuid)), ("--wallet", "bob/m1"),
        ):  # fmt: skip
            takes = not (option == "--wallet" and "status" in given) and given[0] != "verify"
            given += [option, value] if option not in given and (takes or option == "--endpoint") else []
        assert main(given) == (2 if given[0] == "verify" else 1)
    said = capsys.readouterr().err.strip()
    assert says in said
    assert "\n" not in said
    assert [owner.client.balance(name) for name in ("alice", "bob")] == before


def test_a_hotkey_with_a_password_is_named_where_none_can_be_typed(owner: Owner, tmp_path: Path) -> None:
    """In a session of its own, which has no terminal."""
    wallet = bittensor.Wallet("locked/h1", path=str(tmp_path / ".bittensor" / "wallets"))
    key = Keypair.create_from_uri("//Locked")
    wallet.hotkey_file.set_keypair(key, encrypt=True, password="a long Passw0rd")
    wallet.coldkeypub_file.set_keypair(key, encrypt=False)
    where = ("--endpoint", owner.client.endpoint, "--netuid", str(owner.netuid), "--wallet", "locked/h1")
    done = subprocess.run(
        [sys.executable, "-m", "subnetlab", "miner", *where], start_new_session=True, check=False,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert "has a password, and no terminal is there to ask for it. Start it in a terminal" in done.stderr
    assert "Traceback" not in done.stderr


class Silent(BaseHTTPRequestHandler):
    """Answers every request with a refusal, and writes no log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """See the base class."""


@contextmanager
def http_server() -> Generator[int]:
    """The port of a server that speaks another protocol than a node."""
    with HTTPServer(("127.0.0.1", 0), Silent) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            serving.join()


@pytest.mark.parametrize("number", ["-1", "70000", "two", "1.5", "²"])
@pytest.mark.parametrize("command", ["miner", "run status", "run stop"])
def test_what_is_no_subnets_number_is_refused_before_any_contact(
    command: str, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wallet = [] if "status" in command else ["--wallet", "bob/m1"]
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--endpoint", "ws://127.0.0.1:9", f"--netuid={number}", *wallet])
    assert ended.value.code == 2
    assert f"{number!r} is no subnet's number, which is from 0 to 65535" in capsys.readouterr().err
