"""A key of the EVM in a notebook's kernel: its password is typed once, and neither is left anywhere."""

from pathlib import Path
from typing import Any

import pytest
from bittensor.evm import create_evm_key, unlock_evm_key
from eth_account import Account
from tests.kernel.running import start_kernel

PASSWORD = "correct-horse-battery"


def everything_below(folder: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_keystore_signs_in_a_cell_and_leaves_no_secret_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encrypt = Account.encrypt
    monkeypatch.setattr(Account, "encrypt", lambda key, password: encrypt(key, password, iterations=2))
    wallets, home = tmp_path / ".bittensor" / "wallets", tmp_path / "sl"
    create_evm_key("default", "cold", str(wallets), password=PASSWORD)
    key = bytes(unlock_evm_key("default", "cold", str(wallets), password=PASSWORD).key)
    running = start_kernel(HOME=str(tmp_path), IPYTHONDIR=str(tmp_path / "ipython"), SUBNETLAB_HOME=str(home))
    heard: list[dict[str, Any]] = []
    asked: list[dict[str, Any]] = []

    def answer(question: dict[str, Any]) -> None:
        asked.append(question["content"])
        running.client.input(PASSWORD)

    def run(code: str) -> None:
        reply = running.client.execute_interactive(
            code, timeout=300, output_hook=heard.append, stdin_hook=answer, allow_stdin=True
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        heard.append(reply)

    try:
        run("from subnetlab_widgets import password\npassword.IN_PAGE = password.InPage(heard_within_s=0.1)")
        run("import subnetlab as sl\nnet = sl.connect(sealing='instant')")
        run("wallet = net.evm_wallet('cold')\nwallet")
        run("net.fund_evm(amount_tao=3, to=wallet)")
        assert asked == [], "a password was asked for before anything was signed"
        run("net.pay(amount_tao=1, to='bob', wallet=wallet)")
        run("net.pay(amount_tao=1, to='bob', wallet=wallet)\nprint(wallet, vars(net), net.ledger())")
        run("wallet.signer()")
        run("net.holdings(wallet)")
        run("%history -o")
        assert [question["password"] for question in asked] == [True], "it was asked for once, and hidden"
    finally:
        running.stop()
    shown = repr(heard).encode()
    kept = everything_below(tmp_path)
    assert b"net.pay(amount_tao=1" in kept, "the history was looked at"
    number = str(int.from_bytes(key, "big"))
    for secret in (key, *(text.encode() for text in (key.hex(), key.hex().upper(), number, PASSWORD))):
        assert secret not in kept
        assert secret not in shown
