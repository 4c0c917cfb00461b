"""Stake and pay in a real JupyterLab with the keys in the browser's wallets, and none of them anywhere else."""

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
sent = await w3.eth.send_transaction({"from": key.address, "to": net.evm_wallet("bob").address, "value": 10**18,
    "gas": 21000, "chainId": 42, "nonce": net.w3.eth.get_transaction_count(key.address),
    "maxFeePerGas": 2 * net.w3.eth.gas_price, "maxPriorityFeePerGas": 0})
print("said: awaited", len(sent))"""
REFUSED = """\
from subnetlab.errors import WalletRefused
try:
    net.pay(amount_tao=1, to="bob", wallet=signer)
except WalletRefused as error:
    print("said:", error)"""


def widget(selector: str) -> str:
    return f".sl-wallet {selector}"


def prompted(page: Page, title: str) -> None:
    """Wait until the page asks for this."""
    wait_until(page, f"document.querySelector('{widget('h3')}')?.textContent.startsWith('{title}')")


def finished(page: Page, text: str) -> None:
    wait_until(
        page,
        f"[...document.querySelectorAll('.jp-OutputArea-output')].some(o => o.textContent.includes('{text}'))",
    )


def test_a_cell_stakes_and_pays_with_keys_that_stay_in_the_browser(
    server: Lab, page: Page, browser: Browser
) -> None:
    extension = Extension()
    extension.inject(page)
    name = server.notebook("wallet.ipynb", [CONNECT])
    server.open(page, name)
    server.run_all(page)
    page.locator(widget("[data-half=substrate] .connect")).click(timeout=120_000)
    wait_until(
        page,
        f"document.querySelector('{widget('code')}')?.textContent === '{extension.coldkey.ss58_address}'",
    )

    # The wallet does not reach the node: that is said, and a key of its own is offered.
    page.locator(widget("[data-half=evm] .connect")).click()
    wait_until(
        page,
        f"document.querySelector('{widget('.note.bad')}')?.textContent.includes('cannot reach this node')",
    )
    assert page.locator(widget(".disposable")).is_visible()
    extension.node = said(server, page, "net.endpoint").replace("ws://", "http://")
    page.locator(widget("[data-half=evm] .connect")).click()
    wait_until(
        page,
        f"document.querySelector('{widget('[data-half=evm] code')}')?.textContent === '{extension.account.address}'",
    )
    shoot(page, "wallet-connected", ".sl-wallet")

    server.append(page, FUND)
    finished(page, "said: funded")
    server.append(page, STAKE)  # it blocks its cell; the page's messages come in beside it
    prompted(page, "Stake")
    assert "subnet" in page.locator(widget("dl")).inner_text()
    assert re.search(r"amount\s+3 τ", page.locator(widget("dl")).inner_text())
    assert "The notebook says: " in page.locator(widget(".body")).inner_text()
    shoot(page, "wallet-asks", ".sl-wallet")
    assert "signPayload" not in extension.asked
    with another_tab(browser) as second:  # two pages with the same wallet: one asks
        extension.inject(second)
        second.goto(f"{server.url}/doc/tree/{name}?token={server.token}&reset")
        wait_until(
            second,
            f"document.querySelector('{widget('.note')}')?.textContent.includes('Another page is asking')",
        )
        assert second.locator(widget(".send")).count() == 0
    page.locator(widget(".send")).click()
    finished(page, "said: staked True")
    assert extension.asked.count("signPayload") == 1

    server.append(page, PAY)
    prompted(page, "Pay an ss58 account")
    page.locator(widget(".send")).click()
    finished(page, "said: paid True")
    server.append(page, AWAITED)
    prompted(page, "Pay")
    page.locator(widget(".send")).click()
    finished(page, "said: awaited 32")

    # A no in the page, a no in the wallet, and a page that is reloaded while it asks.
    server.append(page, REFUSED)
    prompted(page, "Pay")
    page.locator(widget(".refuse")).click()
    finished(page, "the person said no. Nothing was signed")
    save(page)
    server.append(page, 'print("said: again", net.pay(amount_tao=1, to="bob", wallet=signer).block > 0)')
    prompted(page, "Pay")
    save(page)
    page.reload()
    prompted(page, "Pay")
    assert page.locator(widget(".spent")).inner_text().count("block") >= 3
    page.locator(widget(".send")).click()
    wait_until(page, f"document.querySelector('{widget('[data-half=evm] code')}') !== null")
    assert said(server, page, "net.spent[-1].wallet == signer.ss58_address") == "True"
    save(page)

    kernel = int(said(server, page, "__import__('os').getpid()"))
    assert_nowhere(extension, kernel, server)


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
