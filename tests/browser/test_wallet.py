"""Stake and pay in a real JupyterLab with the keys in the browser's wallets, and none anywhere else."""

import contextlib
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.injected import Extension
from tests.browser.lab import Lab, shoot
from tests.browser.test_money import another_tab, said, save
from tests.browser.waiting import wait_until

CONNECT = """\
import subnetlab as sl
from subnetlab_widgets import browser_wallet
net = sl.connect(sealing="instant"); net.budget.set(tao=None)
subnet = net.create_subnet("tiny-lm", wallet="alice")
page = browser_wallet(net)
page"""
FUND = """\
signer, key = page.signer(), page.evm_wallet()
net.pay(amount_tao=20, to=signer.ss58_address, wallet="alice")
net.fund_evm(amount_tao=20, to=key.address, wallet="alice"); net.budget.set(tao=50)
print("said: funded")"""
STAKE = """\
staked = net.stake(amount_tao=3, hotkey_ss58=subnet.hotkey(0), netuid=subnet.netuid, wallet=signer,
                   rate_tolerance=None)
print("said: staked", staked.block > 0)"""
PAY = 'paid = net.pay(amount_tao=2, to="bob", wallet=key); print("said: paid", paid.block > 0)'
AWAITED = """\
w3 = page.async_w3
bob = net.evm_wallet("bob").address
sent = await w3.eth.send_transaction({"from": key.address, "to": bob, "value": 10**18, "gas": 21000,
    "nonce": net.w3.eth.get_transaction_count(key.address),
    "maxFeePerGas": 2 * net.w3.eth.gas_price, "maxPriorityFeePerGas": 0})
print("said: awaited", len(sent))"""
AGAIN = 'print("said: again", net.pay(amount_tao=1, to="bob", wallet=signer).block > 0)'
REFUSED = """\
from subnetlab.errors import WalletRefused
try:
    net.pay(amount_tao=1, to="bob", wallet=signer)
except WalletRefused as error:
    print("said:", error)"""


INTERRUPTED = """\
try:
    net.pay(amount_tao=1, to="bob", wallet=signer)
except KeyboardInterrupt:
    print("said: interrupted")"""
INTERRUPT = "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.interrupt()"


def widget(selector: str) -> str:
    return f".sl-wallet {selector}"


def shows(page: Page, selector: str, text: str) -> None:
    """Wait until a part of the widget says this."""
    part = f"document.querySelector('{widget(selector)}')"
    wait_until(page, f"{part}?.textContent.includes({text!r})")


def finished(page: Page, text: str) -> None:
    """Wait until a cell has printed this."""
    outputs = "[...document.querySelectorAll('.jp-OutputArea-output')]"
    wait_until(page, f"{outputs}.some(o => o.textContent.includes({text!r}))")


def approve(page: Page, title: str) -> str:
    """Look at what the page asks, and let the wallet sign it; what the page said."""
    shows(page, "h3", title)
    said_there = page.locator(widget(".body")).inner_text()
    page.locator(widget(".send")).click()
    return said_there


def connect(server: Lab, page: Page, extension: Extension) -> None:
    """Connect both wallets, the one of the EVM when it reaches the node."""
    page.locator(widget("[data-half=substrate] .connect")).click(timeout=120_000)
    shows(page, "[data-half=substrate] code", extension.coldkey.ss58_address)
    evm = page.locator(widget("[data-half=evm] .connect"))
    evm.click()
    shows(page, ".note.bad", "cannot reach this node")
    assert page.locator(widget(".disposable")).is_visible()
    page.locator(widget(".disposable")).click()
    shows(page, "[data-half=evm] .muted", "disposable key")
    extension.node = said(server, page, "net.endpoint").replace("ws://", "http://")
    evm.click()
    shows(page, "[data-half=evm] code", extension.account.address)
    shoot(page, "wallet-connected", ".sl-wallet")
    server.append(page, FUND)
    finished(page, "said: funded")


def interrupt(server: Lab, page: Page, extension: Extension) -> None:
    """Interrupt a cell whose question the page shows: the question goes, and the wallet is not asked."""
    server.append(page, INTERRUPTED)
    shows(page, "h3", "Pay")
    before = list(extension.asked)
    page.evaluate(INTERRUPT)
    finished(page, "said: interrupted")
    wait_until(page, f"document.querySelector('{widget('.send')}') === null")
    shows(page, ".note", "Keys stay in your wallet")
    assert extension.asked == before


def test_a_cell_stakes_and_pays_with_keys_that_stay_in_the_browser(
    server: Lab, page: Page, browser: Browser
) -> None:
    extension = Extension()
    extension.inject(page)
    name = server.notebook("wallet.ipynb", [CONNECT])
    server.open(page, name)
    server.run_all(page)
    connect(server, page, extension)

    server.append(page, STAKE)  # it blocks its cell; the page's messages come in beside it
    shows(page, "h3", "Stake")
    shoot(page, "wallet-asks", ".sl-wallet")
    save(page)
    with another_tab(browser) as second:  # two pages with the same wallet: one asks
        extension.inject(second)
        second.goto(f"{server.url}/doc/tree/{name}?token={server.token}&reset")
        shows(second, ".note", "Another page is asking")
        assert second.locator(widget(".send")).count() == 0
    assert "signPayload" not in extension.asked
    asked = approve(page, "Stake")
    assert re.search(r"amount\s+3 τ", asked)
    assert "The notebook says: " in asked
    finished(page, "said: staked True")

    server.append(page, PAY)
    approve(page, "Pay an ss58 account")
    finished(page, "said: paid True")
    server.append(page, AWAITED)
    approve(page, "Pay")
    finished(page, "said: awaited 32")
    assert [extension.asked.count(method) for method in ("signPayload", "eth_sendTransaction")] == [1, 2]

    server.append(page, REFUSED)
    shows(page, "h3", "Pay")
    page.locator(widget(".refuse")).click()
    finished(page, "the person said no. Nothing was signed")

    interrupt(server, page, extension)
    server.append(page, AGAIN)
    shows(page, "h3", "Pay")
    save(page)
    page.reload()
    approve(page, "Pay")  # the page that came after asks again
    shows(page, "[data-half=evm] code", extension.account.address)
    assert said(server, page, "net.spent[-1].wallet == signer.ss58_address") == "True"
    assert page.locator(widget(".spent")).inner_text().count("block") >= 4
    save(page)
    assert_nowhere(extension, int(said(server, page, "__import__('os').getpid()")), server)


def assert_nowhere(extension: Extension, kernel: int, server: Lab) -> None:
    """No key in the kernel's memory, nor in any file of the server: notebooks, history, logs, ledgers."""
    needles, address = extension.secrets(), extension.account.address.encode()
    seen = 0
    for found, where in chain(memory_of(kernel), files_below(server.root.parent)):
        assert not [needle for needle in needles if needle in found], f"a key is in {where}"
        seen += address in found
    assert seen, "not even the address was found, so nothing was read"


def memory_of(process: int) -> Iterator[tuple[bytes, str]]:
    """Everything that a process may write to."""
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            start, end = (int(part, 16) for part in span.split("-"))
            if "rw" not in rights:
                continue
            with contextlib.suppress(OSError):  # a guard page
                memory.seek(start)
                yield memory.read(end - start), f"the memory of the kernel at {span}"


def files_below(folder: Path) -> Iterator[tuple[bytes, str]]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path.read_bytes(), str(path)
