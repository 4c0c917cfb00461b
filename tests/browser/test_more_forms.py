"""Jobs, moves and the ledger in a real JupyterLab, light and dark: what an action changes, and what stays."""

from playwright.sync_api import Page

from tests.browser.lab import Lab, dark, shoot
from tests.browser.test_money import finalised, part, ready_to_click, said, save
from tests.browser.waiting import wait_until

CONNECT = """\
import subnetlab as sl
from subnetlab.network.evm.escrow import Escrow
from subnetlab_widgets import job_form, ledger_view, move_form
net = sl.connect(sealing="instant"); net.budget.set(tao=None)
subnet = net.create_subnet("tiny-lm", wallet="alice")
net.stake(amount_tao=20, hotkey_ss58=subnet.hotkey(0), netuid=subnet.netuid, wallet="alice")
net.fund_evm(amount_tao=20, to="alice", wallet="alice"); net.budget.set(tao=50)
escrow = Escrow.deploy(net._client.evm, "alice")
job_form(net, escrow=escrow)"""


def pictures(page: Page, name: str, selector: str) -> None:
    shoot(page, name, selector)
    with dark(page):
        shoot(page, f"{name}-dark", selector)


def test_a_job_is_funded_by_form_and_the_ledger_outlives_the_page(server: Lab, page: Page) -> None:
    name = server.notebook("job.ipynb", [CONNECT, "ledger_view(net)", "move_form(net, netuid=subnet.netuid)"])
    server.open(page, name)
    server.run_all(page)
    wait_until(page, f"{part('[name=action]')} !== null")
    page.locator(".sl-form [name=action]").first.select_option("approve")
    wait_until(page, f"{part('[name=miner]')} === null && {part('[name=upto]')} !== null")
    wait_until(page, f"{part('.note.bad')}?.textContent.includes('no job 1')")
    page.locator(".sl-form [name=action]").first.select_option("open")
    for field, typed in (("amount", "3"), ("rounds", "7"), ("miner", "bob"), ("arbiter", "charlie")):
        page.locator(f".sl-form [name={field}]").first.fill(typed)
    ready_to_click(page)
    assert page.locator(".sl-form .send").first.inner_text() == "Fund the job with 2.999999996 play τ"
    pictures(page, "job", ".sl-form .card")
    page.locator(".sl-form .send").first.click()
    finalised(page)
    wait_until(page, "document.querySelectorAll('.sl-ledger tbody tr').length >= 5")
    wait_until(page, "document.querySelector('.sl-ledger tbody tr').textContent.includes('escrow')")
    pictures(page, "ledger", ".sl-ledger")
    page.locator(".sl-form [name=amount]").last.fill("1,5")
    wait_until(
        page, "[...document.querySelectorAll('.sl-form .note.bad')].some(n => n.textContent.includes('1,5'))"
    )
    pictures(page, "move", ".sl-form .card >> nth=-1")
    rows = int(said(server, page, "net.ledger().height"))
    save(page)
    page.reload()
    wait_until(page, f"document.querySelectorAll('.sl-ledger tbody tr').length === {rows}")
    wait_until(page, f"{part('.receipt b')}?.textContent === 'Finalised'")
