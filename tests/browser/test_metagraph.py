"""The metagraph in a real JupyterLab: live by block, sorted by click and key, of 256 seats a window."""

from playwright.sync_api import Page

from tests.browser.lab import Lab, dark, shoot
from tests.browser.waiting import wait_until
from tests.project import ROOT

CONNECT = """\
import subnetlab as sl
net = sl.connect(sealing="instant")
subnet = net.create_subnet("tiny-lm", wallet="alice")
for i in range(5):
    net._client.burned_register(subnet.netuid, net.wallet(f"alice/m{i}"))
for i, tao in enumerate((7, 30, 12)):
    hotkey = subnet.hotkey(i + 1)
    net.stake(amount_tao=tao, hotkey_ss58=hotkey, netuid=subnet.netuid, wallet="alice", rate_tolerance=0.9)
height = net.seal(30)
"""
MANY = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from tests.widgets.test_metagraph import HEADER, graph, neuron
from subnetlab_widgets.metagraph_view import Metagraph
table = Metagraph(HEADER)
table.see(graph(9, *(neuron(uid, stake_alpha_rao=(uid * 37 % 256) * 10**9) for uid in range(256))), [])
table
"""
STATUS = "document.querySelector('.sl-metagraph .status')?.innerText.replaceAll('\\n', ' ')"
SECONDS = 1000


def first_column(page: Page) -> list[int]:
    return [int(text) for text in page.locator(".sl-metagraph tbody td:first-child").all_inner_texts()]


def sorted_by(page: Page, key: str) -> str | None:
    return page.locator(f".sl-metagraph th[data-key={key}]").get_attribute("aria-sort")


def test_it_follows_the_chain_sorts_and_says_when_the_node_is_gone(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("seats.ipynb", [CONNECT, "subnet"]))
    server.run_all(page)
    wait_until(page, "document.querySelectorAll('.sl-metagraph tbody tr').length === 6")
    wait_until(
        page,
        "(all => all.length > 0 && all.every(e => e.offsetParent === null))"
        "([...document.querySelectorAll('[data-subnetlab-saved]')])",
    )
    assert "6 seats on netuid 2" in page.evaluate(STATUS)
    assert first_column(page) == [0, 1, 2, 3, 4, 5]
    before = page.evaluate(STATUS)
    server.append(page, "net.seal(3)")
    page.wait_for_function(f"before => {STATUS} !== before", arg=before, timeout=120 * SECONDS)

    page.locator(".sl-metagraph th[data-key=stake] button").click()
    wait_until(page, "document.querySelector('.sl-metagraph tbody td').innerText === '2'")
    assert (sorted_by(page, "stake"), sorted_by(page, "uid")) == ("descending", "none")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    wait_until(page, "document.querySelector('.sl-metagraph tbody td').innerText === '0'")
    assert sorted_by(page, "uid") == "ascending"
    assert page.evaluate("document.querySelector('.jp-Notebook').classList.contains('jp-mod-commandMode')")
    shoot(page, "metagraph", ".sl-metagraph")
    light = page.evaluate("() => getComputedStyle(document.querySelector('.sl-metagraph')).backgroundColor")
    with dark(page):
        page.wait_for_function(
            "was => getComputedStyle(document.querySelector('.sl-metagraph')).backgroundColor !== was",
            arg=light,
        )
        shoot(page, "metagraph-dark", ".sl-metagraph")

    server.append(page, "net.close()")
    wait_until(page, f"{STATUS}.startsWith('node gone')")
    assert page.locator(".sl-metagraph tbody tr").count() == 6


def test_of_256_seats_those_in_sight_are_drawn_and_a_filter_finds_one(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("many.ipynb", [MANY]))
    server.run_all(page)
    wait_until(page, f"{STATUS}?.includes('256 seats')")
    rows = page.locator(".sl-metagraph tbody tr:not(.gap)")
    assert rows.count() < 30
    page.locator(".sl-metagraph .scroll").evaluate("e => { e.scrollTop = e.scrollHeight; }")
    wait_until(page, "document.querySelector('.sl-metagraph tbody').innerText.includes('255')")
    assert rows.count() < 30
    page.locator(".sl-metagraph th[data-key=stake] button").click()
    page.locator(".sl-metagraph .scroll").evaluate("e => { e.scrollTop = 0; }")
    wait_until(
        page,
        "document.querySelector('.sl-metagraph tbody tr:not(.gap) td:nth-child(4)').innerText === '255.0'",
    )
    shoot(page, "metagraph-256", ".sl-metagraph")
    page.locator(".sl-metagraph input").fill("5Key77")
    wait_until(page, "document.querySelectorAll('.sl-metagraph tbody tr:not(.gap)').length === 1")
    assert first_column(page) == [77]
