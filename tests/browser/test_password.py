"""A locked key in a real JupyterLab: its password is typed in the page, below a cell or in a form."""

import pytest
from bittensor.evm import create_evm_key, unlock_evm_key
from eth_account import Account
from playwright.sync_api import Page

from tests.browser.lab import Lab, dark, shoot
from tests.browser.test_money import finalised, ready_to_click, said, save
from tests.browser.test_wallet import INTERRUPT, files_below, finished
from tests.browser.waiting import wait_until

CONNECT = """\
import subnetlab as sl
from subnetlab_widgets import job_form, ledger_view, move_form, pay_form
net = sl.connect(sealing="instant"); net.budget.set(tao=None)
subnet = net.create_subnet("tiny-lm", wallet="alice")
key = net.evm_wallet("cold")
net.fund_evm(amount_tao=20, to=key, wallet="alice"); net.budget.set(tao=50)
print("said: funded")"""
PAY = 'paid = net.pay(amount_tao=2, to="bob", wallet=key); print("said: paid", paid.block > 0)'
INTERRUPTED = """\
try:
    net.pay(amount_tao=2, to="bob", wallet=key)
except KeyboardInterrupt:
    print("said: interrupted")"""
PASSWORD, WRONG = "correct-horse-battery", "staple-horse-battery"
FIELD = "document.querySelector('.sl-password input')"


@pytest.fixture
def key(server: Lab, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The key of `cold/default`, encrypted on the server's disk."""
    encrypt = Account.encrypt
    monkeypatch.setattr(Account, "encrypt", lambda key, password: encrypt(key, password, iterations=2))
    wallets = str(server.root.parent / "home" / ".bittensor" / "wallets")
    create_evm_key("default", "cold", wallets, password=PASSWORD)
    return bytes(unlock_evm_key("default", "cold", wallets, password=PASSWORD).key)


def type_password(page: Page, selector: str, password: str) -> None:
    field = page.locator(f"{selector} input[type=password]")
    field.wait_for(timeout=120_000)
    field.fill(password)
    field.press("Enter")


def test_a_key_is_opened_in_the_page_and_its_password_is_left_nowhere(
    server: Lab, page: Page, key: bytes
) -> None:
    name = server.notebook("password.ipynb", [CONNECT])
    server.open(page, name)
    server.run_all(page)
    finished(page, "said: funded")
    server.append(page, PAY)
    type_password(page, ".sl-password", WRONG)
    wait_until(page, "document.querySelector('.sl-password .note.bad')?.textContent.includes('4 more may')")
    shoot(page, "password", ".sl-password")
    with dark(page):
        shoot(page, "password-dark", ".sl-password")
    type_password(page, ".sl-password", PASSWORD)
    finished(page, "said: paid True")
    wait_until(page, f"{FIELD} === null")

    assert said(server, page, "net.lock()") == "1"
    server.append(page, "pay_form(net, to='bob', wallet=key, amount_tao=1)")
    ready_to_click(page)
    page.locator(".sl-form .send").click()
    wait_until(page, "document.querySelector('.sl-form .send').textContent === 'Waiting for the password'")
    shoot(page, "form-password", ".sl-form .card")
    save(page)
    type_password(page, ".sl-form", PASSWORD)
    finalised(page)

    assert said(server, page, "net.lock()") == "1"
    server.append(page, INTERRUPTED)
    wait_until(page, f"{FIELD} !== null")
    page.evaluate(INTERRUPT)
    wait_until(page, f"{FIELD} === null")
    finished(page, "said: interrupted")
    assert said(server, page, "net.ledger()['what'].to_list()[-2:]") == "['pay', 'pay']"
    assert said(server, page, "net.lock()") == "0"
    save(page)
    assert_nowhere(server, key)


def assert_nowhere(server: Lab, key: bytes) -> None:
    """No file of the server holds a secret: notebooks, history, logs, ledgers, keystores."""
    needles = [word.encode() for word in (PASSWORD, WRONG, key.hex(), key.hex().upper())] + [key]
    seen = 0
    for found, where in files_below(server.root.parent):
        assert not [needle for needle in needles if needle in found], f"a secret is in {where}"
        seen += b"pay_form(net, to='bob'" in found
    assert seen, "not even the cells were found, so nothing was read"
