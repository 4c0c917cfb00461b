"""The attack view of a recorded run in a real JupyterLab: rows by key, the gate's signal, the table twin."""

from playwright.sync_api import Page

import subnetlab as sl
from tests.browser.lab import Lab, dark, shoot
from tests.browser.waiting import wait_until
from tests.project import ROOT

RECORDED = ROOT / "tutorials" / "recorded.zip"
SHOW = f"""
import subnetlab as sl
recorded = sl.open({str(RECORDED)!r})
recorded.attacks()
"""
TEXT = "document.querySelector('.sl-attacks')?.innerText"


def test_attackers_come_first_and_a_row_shows_what_the_gate_saw(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("attacks.ipynb", [SHOW]))
    server.run_all(page)
    wait_until(page, f"{TEXT}?.includes('Two of nine miners attack')")
    rows = page.locator(".sl-attacks tr[data-uid]")
    assert [row.get_attribute("class") for row in rows.all()] == ["bad", "bad", *[""] * 7]
    assert "the gate see of uid 8?" in page.evaluate(TEXT)
    shoot(page, "attacks", ".sl-attacks")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    wait_until(page, f"{TEXT}.includes('the gate see of uid 9?')")
    # A round whose median update removed nothing has no share to draw.
    drawn = sum(value > 0 for value in sl.open(RECORDED).attacks().medians.values())
    assert page.locator(".sl-attacks .signal .out").count() == drawn > 40
    page.keyboard.press("End")
    wait_until(page, f"document.querySelectorAll('.sl-attacks .signal .taken').length === {drawn}")
    with dark(page):
        shoot(page, "attacks-dark", ".sl-attacks")
    page.keyboard.press("Home")
    page.keyboard.press("t")
    wait_until(page, "document.querySelectorAll('.sl-attacks .scroll.many tbody tr').length === 50")
    assert page.evaluate("document.querySelector('.jp-Notebook').classList.contains('jp-mod-commandMode')")
    shoot(page, "attacks-table", ".sl-attacks")
    page.keyboard.press("t")
    wait_until(page, "document.querySelector('.sl-attacks .signal') !== null")
