"""btcli, unmodified, against a running devnet: nothing is told to it but the endpoint.

The wallet is the one btcli takes by itself, `default` in the home folder; here it holds Alice's keys. `-y`
stands for the person at the terminal.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bittensor import Wallet
from bittensor_core import Keypair
from tests.devnet_process import DevnetProcess

RAO = 10**9
ALICE, HOTKEY, BOB = (Keypair.from_uri(uri) for uri in ("//Alice", "//Alice//hotkey", "//Bob"))


class Btcli:
    """btcli with a home of its own and an endpoint."""

    def __init__(self, home: Path, endpoint: str) -> None:
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BT_")},
            "HOME": str(home), "BT_NETWORK": endpoint, "NO_COLOR": "1", "COLUMNS": "200",
        }  # fmt: skip
        wallet = Wallet(name="default", hotkey="default", path=str(home / ".bittensor" / "wallets"))
        for file, keys in (
            (wallet.coldkey_file, ALICE),
            (wallet.coldkeypub_file, Keypair(ss58_address=ALICE.ss58_address)),
            (wallet.hotkey_file, HOTKEY),
            (wallet.hotkeypub_file, Keypair(ss58_address=HOTKEY.ss58_address)),
        ):
            file.set_keypair(keys, encrypt=False, overwrite=False)

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        program = Path(sys.executable).with_name("btcli")
        return subprocess.run(
            [str(program), *words],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def json(self, *words: str) -> Any:
        """Run a command that must succeed and read what it prints."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def btcli(devnet: DevnetProcess, tmp_path: Path) -> Btcli:
    return Btcli(tmp_path, devnet.endpoint)


@pytest.fixture
def reading(shared_devnet: DevnetProcess, tmp_path: Path) -> Btcli:
    """btcli at the node that nobody writes to."""
    return Btcli(tmp_path, shared_devnet.endpoint)


def test_wallet_balance_shows_the_endowment(reading: Btcli) -> None:
    shown = reading.run("wallet", "balance")
    assert shown.returncode == 0, shown.stderr
    assert "1,000,000.000" in shown.stdout


def test_query_metagraph_shows_the_first_subnet(reading: Btcli) -> None:
    shown = reading.json("query", "metagraph", "--netuid", "1")
    assert shown["netuid"] == 1
    assert shown["num_uids"] == 1


def test_stake_show_shows_no_stake_yet(reading: Btcli) -> None:
    shown = reading.json("stake", "show", "--netuid", "1")
    assert shown["hotkey"] == HOTKEY.ss58_address
    assert float(shown["stake_amount"]) == 0


def test_transfer_moves_money(btcli: Btcli) -> None:
    moved = btcli.run("tx", "transfer", "--dest", BOB.ss58_address, "--amount-tao", "1.5", "-y")
    assert moved.returncode == 0, moved.stderr
    assert btcli.json("query", "balance", "--coldkey", BOB.ss58_address) == "τ1,000,001.500000000"


def test_a_refusal_is_explained(btcli: Btcli) -> None:
    refused = btcli.run("tx", "transfer", "--dest", BOB.ss58_address, "--amount-tao", "99999999", "-y")
    assert refused.returncode != 0
    assert "insufficient_balance" in refused.stderr + refused.stdout
