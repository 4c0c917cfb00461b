"""A locked key in a cell: its password is typed in the page or in the input line, and is left nowhere."""

import json
from pathlib import Path
from typing import Any

import bittensor
import pytest
from bittensor.evm import create_evm_key, unlock_evm_key
from bittensor.sp_core import serialized_keypair_to_keyfile_data
from eth_account import Account
from tests.kernel.running import RunningKernel, start_kernel
from tests.kernel.test_evm_key import everything_below
from tests.kernel.test_widget_messages import control, say

PASSWORD, COLD_PASSWORD = "correct-horse-battery", "staple-correct-horse"
HELD = """\
import gc
from eth_account.signers.local import LocalAccount
gc.collect()
address = net.evm_wallet("cold").address
print(any(type(one) is LocalAccount and one.address == address for one in gc.get_objects()))"""
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def keys(home: Path) -> list[bytes]:
    """Two encrypted keys on disk, one of each half of the chain, and everything secret about them."""
    wallets = home / ".bittensor" / "wallets"
    with pytest.MonkeyPatch.context() as patch:
        encrypt = Account.encrypt
        patch.setattr(Account, "encrypt", lambda key, password: encrypt(key, password, iterations=2))
        create_evm_key("default", "cold", str(wallets), password=PASSWORD)
        key = bytes(unlock_evm_key("default", "cold", str(wallets), password=PASSWORD).key)
    told: list[str] = []
    wallet = bittensor.Wallet("cold", path=str(wallets))
    wallet.create_new_coldkey(coldkey_password=COLD_PASSWORD, on_mnemonic=told.append)
    written = json.loads(bytes(serialized_keypair_to_keyfile_data(wallet.coldkey)))
    seed = bytes.fromhex(written["privateKey"].removeprefix("0x"))
    secrets = [PASSWORD.encode(), COLD_PASSWORD.encode(), told[0].encode(), key, seed]
    return [*secrets, *(found.hex().encode() for found in (key, seed))]


@pytest.fixture(scope="module")
def kernel(home: Path, keys: list[bytes]) -> Any:
    running = start_kernel(
        HOME=str(home), IPYTHONDIR=str(home / "ipython"), SUBNETLAB_HOME=str(home / "sl"),
        BT_WALLET_PASSWORD="",
    )  # fmt: skip
    running.run("import subnetlab as sl\nnet = sl.connect(sealing='instant')", timeout=300)
    running.run("net.fund_evm(amount_tao=9, to=net.evm_wallet('cold'))", timeout=300)
    running.run("net.pay(amount_tao=9, to=net.address('cold'), wallet='alice'); net.budget.set(tao=50)")
    yield running
    running.stop()


class Page:
    """A page that shows the password field of a cell."""

    def __init__(self, kernel: RunningKernel) -> None:
        self.kernel, self.heard, self.comm = kernel, list[dict[str, Any]](), ""
        self.subshell = control(kernel, "create_subshell_request")["subshell_id"]

    def begin(self, code: str) -> str:
        """Run a cell with a person before it, until its field is shown and the page has said hello."""
        cell = self.kernel.client.execute(code, allow_stdin=True, stop_on_error=False)
        self.until(lambda told: WIDGET in told.get("data", {}))
        self.comm = self.heard[-1]["data"][WIDGET]["model_id"]
        self.say({"k": "hello"})
        return cell

    def say(self, content: dict[str, Any]) -> None:
        say(self.kernel, self.comm, content, self.subshell)

    def until(self, fits: Any) -> dict[str, Any]:
        while True:
            told = self.kernel.client.get_iopub_msg(timeout=300)["content"]
            self.heard.append(told)
            if fits(told):
                return told

    def asked(self, note: str) -> dict[str, str]:
        """The field as it asks, with this to say of the last password."""
        for told in reversed(self.heard):
            found = asks(told, self.comm)
            if found and found["id"] and note in found["note"]:
                return found

        def fits(told: dict[str, Any]) -> bool:
            found = asks(told, self.comm) or {}
            return bool(found.get("id")) and note in found["note"]

        found: dict[str, str] = asks(self.until(fits), self.comm)
        return found

    def type(self, password: str, *, note: str = "") -> None:
        self.say({"k": "password", "id": self.asked(note)["id"], "text": password})


def asks(told: dict[str, Any], comm: str) -> Any:
    state = told.get("data", {}).get("state", {}) if told.get("comm_id") == comm else {}
    return state.get("state", {}).get("asks")


def test_a_password_is_typed_in_the_page_once_and_left_nowhere(
    kernel: RunningKernel, home: Path, keys: list[bytes]
) -> None:
    page = Page(kernel)
    cell = page.begin("net.pay(amount_tao=1, to='bob', wallet='cold')")
    page.type("wrong")
    page.type(COLD_PASSWORD, note="4 more may be tried")
    answer = kernel.answer(cell, timeout=300)
    assert answer["status"] == "ok", answer
    page.until(lambda told: told.get("data", {}).get("text/html") == "" and WIDGET not in told["data"])
    again = kernel.run("net.pay(amount_tao=1, to='bob', wallet='cold')", timeout=300)
    assert again.status == "ok", "it was asked for again"
    cell = page.begin("net.pay(amount_tao=1, to='bob', wallet=net.evm_wallet('cold'))")
    page.type("wrong")
    page.type("wrong", note="4 more may be tried")
    page.type(PASSWORD, note="3 more may be tried")
    assert kernel.answer(cell, timeout=300)["status"] == "ok"
    assert kernel.run(HELD).stdout == "True\n"
    assert kernel.run("print(net.lock(), net.lock())").stdout == "2 0\n"
    assert kernel.run(HELD).stdout == "False\n", "an object still holds the key"
    page.heard += [{"history": kernel.run("%history -o").text}]
    cell = page.begin("net.pay(amount_tao=1, to='bob', wallet=net.evm_wallet('cold'))")
    page.say({"k": "password", "id": page.asked("")["id"], "text": ""})
    assert "stays locked: no password was given" in kernel.answer(cell)["evalue"]
    shown, kept = repr(page.heard).encode(), everything_below(home)
    assert b"the coldkey of cold" in shown
    assert b"net.pay(amount_tao=1" in kept
    assert [secret for secret in keys if secret in shown or secret in kept] == []


def test_an_interrupt_and_a_late_password_open_nothing(kernel: RunningKernel) -> None:
    page, before = Page(kernel), kernel.run("print(net.budget.left_rao, len(net.ledger()))").stdout
    cell = page.begin("net.pay(amount_tao=1, to='bob', wallet=net.evm_wallet('cold'))")
    asked = page.asked("")
    kernel.manager.interrupt_kernel()
    assert kernel.answer(cell)["ename"] == "KeyboardInterrupt"
    page.say({"k": "password", "id": asked["id"], "text": PASSWORD})
    assert kernel.run("print(net.budget.left_rao, len(net.ledger()))").stdout == before
    assert kernel.run("print(net.lock())").stdout == "0\n"


def test_without_a_person_the_cell_says_what_to_do(kernel: RunningKernel) -> None:
    told = kernel.run("net.pay(amount_tao=1, to='bob', wallet=net.evm_wallet('cold'))")
    assert told.ename == "KeyLocked"
    assert "no person can be asked for its password here" in told.evalue
    assert "BT_WALLET_PASSWORD" in told.evalue
