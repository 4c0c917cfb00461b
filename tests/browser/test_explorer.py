"""The explorer in a real JupyterLab: blocks as they come, one opened, and what a search finds or refuses."""

from playwright.sync_api import Page

from tests.browser.lab import Lab, dark, shoot
from tests.browser.waiting import wait_until

CONNECT = """\
import bittensor
import subnetlab as sl
net = sl.connect(sealing="instant")
subnet = net.create_subnet("tiny-lm", wallet="alice")
net._client.burned_register(subnet.netuid, net.wallet("alice/m0"))
bob = net.evm_wallet("bob")
net.pay(amount_tao=5, to=bob.address, wallet="alice")
net.pay(amount_tao=1, to="0x" + "11" * 20, wallet=bob)
stake = bittensor.AddStake(hotkey_ss58=subnet.hotkey(0), netuid=77, amount_tao=1)
refused = net.client.execute(stake, net.wallet("bob"))
net.explorer()
"""
ROWS = "[...document.querySelectorAll('.sl-explorer tr[data-number]')]"
PANEL = "document.querySelector('.sl-explorer .panel')?.innerText"
SAID = "document.querySelector('.sl-explorer .tools [role=status]').innerText"


def look_for(page: Page, text: str) -> None:
    page.locator(".sl-explorer input").fill(text)
    page.keyboard.press("Enter")


def test_blocks_come_one_is_opened_and_a_search_finds_or_says_why_not(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("blocks.ipynb", [CONNECT]))
    server.run_all(page)
    wait_until(page, f"{ROWS}[0]?.innerText.includes('add_stake_limit')")
    newest = int(page.locator(".sl-explorer tr[data-number]").first.get_attribute("data-number") or 0)
    assert page.locator(".sl-explorer tr[data-number]").first.locator("td").nth(4).inner_text() == "◆ 1"

    page.locator(".sl-explorer tr[data-number]").first.click()
    wait_until(page, f"{PANEL}?.includes('SubnetNotExists')")
    wait_until(page, f"{PANEL}?.includes('netuid\\n77')")
    server.append(page, "net.seal(3)")
    wait_until(page, "document.querySelector('.sl-explorer .status').innerText.includes('3 newer')")
    assert page.locator(".sl-explorer tr[data-number]").first.get_attribute("data-number") == str(newest)
    page.mouse.move(2, 2)
    wait_until(page, f"{ROWS}[0].dataset.number === '{newest + 3}'")
    shoot(page, "explorer", ".sl-explorer")

    page.locator(f".sl-explorer tr[data-number='{newest}']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_until(page, f"{PANEL}?.includes('Block {newest - 1}') && {PANEL}.includes('of 23,100 allowed')")
    assert page.evaluate("document.querySelector('.jp-Notebook').classList.contains('jp-mod-commandMode')")
    with dark(page):
        shoot(page, "explorer-dark", ".sl-explorer")
    transaction = page.locator(".sl-explorer .inside dd").first.inner_text()
    page.locator(".sl-explorer .panel button.link.key").first.click()
    wait_until(page, f"{PANEL}?.includes('mirror of') && {PANEL}.includes('Ethereum.transact')")
    shoot(page, "explorer-account", ".sl-explorer")
    look_for(page, transaction)
    wait_until(page, f"{PANEL}?.includes('Block {newest - 1}')")
    look_for(page, "hello")
    wait_until(page, f"{SAID}.includes('no number, hash or address')")
    look_for(page, str(newest + 1000))
    wait_until(page, f"{SAID}.includes('There is no block')")

    server.append(page, "net.close()")
    wait_until(page, "document.querySelector('.sl-explorer .status').innerText.startsWith('node gone')")
    assert page.locator(".sl-explorer tr[data-number]").count() == min(newest + 4, 15)
