"""Money by form in a real JupyterLab: one click is one spend, whatever happens to tabs, page and kernel."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

from tests.browser.lab import Lab, shoot
from tests.browser.waiting import wait_until

CONNECT = """\
import subnetlab as sl
net = sl.connect(sealing="manual"); net.budget.set(tao=None)
with net._quick("a test"):
    subnet = net.create_subnet("tiny-lm", wallet="alice")
    net.stake(amount_tao=20, hotkey_ss58=subnet.hotkey(0), netuid=subnet.netuid, wallet="alice")
net.seal(20); net.budget.set(tao=50)
"""
SECRET = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
SECONDS = 1000


def part(selector: str) -> str:
    return f"document.querySelector('.sl-form {selector}')"


def ready_to_click(page: Page) -> None:
    wait_until(page, f"{part('.send')}?.disabled === false")


def finalised(page: Page) -> None:
    wait_until(page, f"{part('.receipt b')}?.textContent === 'Finalised'")


def said(lab: Lab, page: Page, code: str) -> str:
    """What a new cell prints."""
    marks = page.locator(".jp-OutputArea-output:has-text('said:')")
    before = marks.count()
    lab.append(page, f"print('said:', {code})")
    page.wait_for_function(
        "n => [...document.querySelectorAll('.jp-OutputArea-output')]"
        ".filter(e => e.textContent.includes('said:')).length > n",
        arg=before, timeout=120 * SECONDS,
    )  # fmt: skip
    return marks.last.inner_text().removeprefix("said:").strip()


def save(page: Page) -> None:
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")


@contextmanager
def another_tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1500})
    try:
        yield context.new_page()
    finally:
        context.close()


def test_two_tabs_and_a_closed_page_spend_once_and_a_saved_notebook_says_so(
    server: Lab, page: Page, browser: Browser
) -> None:
    name = server.notebook("stake.ipynb", [CONNECT, "%sl stake", "%sl wallet"])
    server.open(page, name)
    server.run_all(page)
    amount = page.locator(".sl-form [name=amount]")
    amount.fill("10")
    ready_to_click(page)
    amount.press("Enter")  # never spends
    assert page.locator(".sl-form .send").inner_text() == "Stake 10 play τ"
    shoot(page, "stake-preview", ".sl-form")
    shoot(page, "wallet", ".jp-OutputArea >> nth=-1")
    save(page)
    address = f"{server.url}/doc/tree/{name}?token={server.token}&reset"
    with another_tab(browser) as second:
        second.goto(address)
        ready_to_click(second)
        assert second.locator(".sl-form [name=amount]").input_value() == "10"
        for tab in (page, second):
            tab.evaluate(f"() => {{ const b = {part('.send')}; b.click(); b.click(); }}")
        for tab in (page, second):
            wait_until(tab, f"{part('.send')}.textContent === 'Waiting for the block'")
            assert tab.locator(".sl-form .send").is_disabled()
            wait_until(tab, f"{part('.steps .current')}?.textContent === 'In a block'")
    assert said(server, page, "net.seal()")
    finalised(page)
    shoot(page, "stake-finalised", ".sl-form")
    assert said(server, page, "[(s.what, s.amount_rao) for s in net.spent]") == (
        "[('stake', 20000000000), ('stake', 10000000000)]"
    )
    with another_tab(browser) as reopened:  # the tab that was closed in mid-click
        reopened.goto(address)
        finalised(reopened)
    save(page)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")
    page.goto(address)
    wait_until(page, "document.body.textContent.includes('model not found')")
    assert page.locator("text=Finalised: 10 play τ staked to uid 0").is_visible()
    assert not page.locator("text=model not found").first.is_visible()


def test_a_secret_is_forgotten_and_a_killed_kernel_is_said(server: Lab, page: Page) -> None:
    name = server.notebook("pay.ipynb", [CONNECT, "%sl pay --to bob"])
    server.open(page, name)
    server.run_all(page)
    page.locator(".sl-form [name=target]").fill(SECRET)
    wait_until(page, f"{part('.note')}?.textContent.includes('looks like a mnemonic')")
    wait_until(page, f"{part('[name=target]')}.value === ''")
    save(page)
    assert "drive obey" not in said(server, page, "list(get_ipython().history_manager.get_range())")
    page.locator(".sl-form [name=target]").fill("bob")
    page.locator(".sl-form [name=amount]").fill("1")
    ready_to_click(page)
    kernel = int(said(server, page, "__import__('os').getpid()"))
    page.locator(".sl-form .send").click()
    wait_until(page, f"{part('.steps .current')}?.textContent === 'In a block'")
    os.kill(kernel, signal.SIGKILL)
    wait_until(page, f"{part('.send')}.textContent === 'Disconnected'")
    assert page.locator(".sl-form .send").is_disabled()
    assert "what became of it is not known here" in page.locator(".sl-form .note").inner_text()
    save(page)
    assert "drive obey" not in (server.root / name).read_text()


def test_a_form_previews_while_a_cell_runs(server: Lab, page: Page) -> None:
    busy = "print('busy'); import threading; threading.Event().wait()"
    server.open(page, server.notebook("busy.ipynb", [CONNECT, "%sl pay --to bob", busy]))
    server.run_all(page)
    page.wait_for_selector(".jp-OutputArea-output:has-text('busy')", timeout=120 * SECONDS)
    page.locator(".sl-form [name=amount]").fill("1")
    ready_to_click(page)
    assert page.locator(".sl-form .send").inner_text() == "Pay 1 play τ"
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.interrupt()"
    )
