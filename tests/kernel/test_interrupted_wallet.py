"""A payment that is interrupted while a wallet of the browser is asked: question and payment are over."""

from typing import Any

import pytest
from bittensor_core import Keypair
from eth_account import Account
from eth_account.messages import encode_defunct
from tests.kernel.running import RunningKernel
from tests.kernel.test_widget_messages import control, say
from tests.widgets.wallet_page import WalletPage

COLDKEY = Keypair.create_from_uri("//a key of the page")
EVM_KEY = Account.from_key(bytes(range(1, 33)))
OPENED = f"""\
import subnetlab as sl
from subnetlab_widgets import browser_wallet
net = sl.connect(sealing="instant"); net.budget.set(tao=None)
net.pay(amount_tao=9, to="{COLDKEY.ss58_address}", wallet="alice")
net.fund_evm(amount_tao=9, to="{EVM_KEY.address}", wallet="alice"); net.budget.set(tao=50)
page = browser_wallet(net)
print(page.comm.comm_id)
"""
PAY = """\
wallet = page.{wallet}(within_s=20)
print("asking", flush=True)
net.pay(amount_tao=2, to="bob", wallet=wallet)
"""
AWAITED = """\
w3, fields = page.{wallet}, {{"to": net.evm_wallet("bob").address, "value": 10**18, "gas": 21000, "nonce": 0}}
print("asking", flush=True)
await w3.eth.send_transaction({{**fields, "from": page.evm_wallet().address, "gasPrice": 10**10}})
"""


class Page:
    """A page of the widget, as messages over the kernel's sockets."""

    def __init__(self, kernel: RunningKernel) -> None:
        self.kernel = kernel
        self.comm = kernel.run(OPENED, timeout=300).stdout.strip()
        self.subshell = control(kernel, "create_subshell_request")["subshell_id"]

    def say(self, kind: str, **content: Any) -> None:
        say(self.kernel, self.comm, {"k": kind, "page": "p", **content}, self.subshell)

    def hear(self, kind: str) -> dict[str, Any]:
        """The next message of a kind."""
        while True:
            told = self.kernel.client.get_iopub_msg(timeout=300)["content"]
            if told.get("comm_id") == self.comm and told["data"].get("method") == "custom":
                content: dict[str, Any] = told["data"]["content"]
                if content["k"] == kind:
                    return content

    def connect(self) -> None:
        account = {"address": COLDKEY.ss58_address, "name": "mine", "source": "test", "type": "sr25519"}
        self.say("accounts", accounts=[account])
        sentence = self.kernel.run("print(page.state['sentence'])").stdout.strip()
        signed = EVM_KEY.sign_message(encode_defunct(text=sentence))
        self.say(
            "evm", address=EVM_KEY.address, rdns="test", name="Test",
            signature=f"0x{bytes(signed.signature).hex()}",
        )  # fmt: skip


@pytest.fixture(scope="module")
def page(kernel: RunningKernel) -> Page:
    page = Page(kernel)
    page.connect()
    return page


def interrupted(page: Page, wallet: str, *, claimed: bool, cell_is: str = PAY) -> tuple[dict[str, Any], str]:
    """Begin to pay, interrupt the cell when the page is asked, and wait until both are over; how it ended."""
    kernel = page.kernel
    cell = kernel.send(cell_is.format(wallet=wallet))
    asked = page.hear("ask")
    if claimed:
        page.say("claim", id=asked["id"])
        assert page.hear("go")["page"] == "p"
    kernel.manager.interrupt_kernel()
    assert page.hear("over")["id"] == asked["id"]
    return asked, kernel.answer(cell)["ename"]


@pytest.mark.parametrize("claimed", [False, True])
def test_an_interrupted_question_leaves_the_page_and_a_late_signature_pays_nothing(
    page: Page, claimed: bool
) -> None:
    kernel, before = page.kernel, page.kernel.run("print(net.balance('bob'), net.budget.left_rao)").stdout
    asked, ended = interrupted(page, "signer", claimed=claimed)
    assert ended == "KeyboardInterrupt"
    signature = f"0x01{COLDKEY.sign(WalletPage.payload(asked['params']['payload'])).hex()}"
    page.say("claim", id=asked["id"])
    page.say("answer", id=asked["id"], result={"signature": signature})
    assert kernel.run("net.seal(3)\nprint(net.balance('bob'), net.budget.left_rao)").stdout == before
    assert kernel.run("print(page.state['asking'])").stdout == "\n"


@pytest.mark.parametrize(("claimed", "outcome"), [(False, ""), (True, "unknown")])
def test_an_interrupted_wallet_of_the_evm_counts_as_spent_only_once_it_was_asked(
    page: Page, claimed: bool, outcome: str
) -> None:
    kernel = page.kernel
    rows, left = (
        int(word) for word in kernel.run("print(len(net.ledger()), net.budget.left_rao)").stdout.split()
    )
    asked, ended = interrupted(page, "evm_wallet", claimed=claimed)
    assert ended == "KeyboardInterrupt"
    page.say("answer", id=asked["id"], result=f"0x{'11' * 32}")
    told = kernel.run(f"print(net.budget.left_rao, *net.ledger()['outcome'][{rows}:])").stdout.split()
    assert told[1:] == ([outcome] if outcome else [])
    assert (left - int(told[0]) > 2 * 10**9) is bool(outcome)


def test_an_awaited_wallet_is_asked_no_more_once_its_cell_is_interrupted(page: Page) -> None:
    asked, ended = interrupted(page, "async_w3", claimed=False, cell_is=AWAITED)
    assert ended in ("KeyboardInterrupt", "CancelledError")
    page.say("claim", id=asked["id"])
    assert page.kernel.run("print(len(page.exchange._queue), page.state['asking'])").stdout == "0 \n"
