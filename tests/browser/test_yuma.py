"""The steps of an epoch in a real JupyterLab: gone through by key, a weight moved, and what it moves."""

from playwright.sync_api import Page

from tests.browser.lab import Lab, dark, shoot
from tests.browser.waiting import wait_until
from tests.project import ROOT

SHOW = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from tests.widgets.test_yuma_steps import evaluation
steps = evaluation()
steps
"""
MANY = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from tests.widgets.test_yuma_steps import evaluation
many = evaluation(validators=24, miners=120)
many
"""
SENTENCE = "document.querySelector('.sl-yuma .sentence')?.innerText"
MOVES = "document.querySelector('.sl-yuma .moves')?.innerText"


def step(page: Page) -> str:
    return page.locator(".sl-yuma [role=tab][aria-selected=true]").inner_text()


def test_steps_are_gone_through_by_key_and_a_weight_moves_the_rest(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("steps.ipynb", [SHOW]))
    server.run_all(page)
    wait_until(page, f"{SENTENCE}?.includes('Each validator says which share')")
    page.locator(".sl-yuma [role=tab][aria-selected=true]").focus()
    for key, name in (("ArrowRight", "consensus"), ("ArrowRight", "clipped"), ("Home", "stake")):
        page.keyboard.press(key)
        assert step(page).endswith(name)
    page.keyboard.press("ArrowRight")

    page.locator(".sl-yuma [data-cell='0,2']").click()
    assert page.locator(".sl-yuma td.chosen").count() == 1
    before = page.locator(".sl-yuma [data-cell='0,2']").inner_text()
    for _ in range(6):
        page.keyboard.press("+")
    wait_until(page, f"{MOVES}?.includes('uid 6:')")
    assert page.locator(".sl-yuma [data-cell='0,2']").inner_text() != before
    page.keyboard.press("ArrowDown")
    assert page.locator(".sl-yuma [data-cell='1,2']").get_attribute("aria-pressed") == "true"
    assert (
        page.evaluate("document.querySelector('.jp-Notebook').classList.contains('jp-mod-editMode')") is False
    )
    shoot(page, "yuma", ".sl-yuma")
    with dark(page):
        shoot(page, "yuma-dark", ".sl-yuma")

    page.keyboard.press("t")
    wait_until(page, "document.querySelectorAll('.sl-yuma table.plain').length === 9")
    shoot(page, "yuma-tables", ".sl-yuma")
    page.locator(".sl-yuma").focus()
    page.keyboard.press("t")
    page.locator(".sl-yuma .back").click()
    wait_until(page, "document.querySelector('.sl-yuma .back').disabled")
    assert page.locator(".sl-yuma [data-cell='0,2']").inner_text() == before


def test_every_weight_of_a_large_subnet_is_in_one_picture(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("many_weights.ipynb", [MANY]))
    server.run_all(page)
    wait_until(page, "document.querySelector('.sl-yuma canvas.heat')?.clientWidth > 0")
    said = "document.querySelector('.sl-yuma canvas.heat').ariaLabel"
    wait_until(page, f"{said}.startsWith('validator 1 gives miner 25 ')")
    heat = page.locator(".sl-yuma canvas.heat")
    heat.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    wait_until(page, f"{said}.startsWith('validator 2 gives miner 25 ')")
    box = heat.bounding_box()
    assert box is not None
    heat.hover(position={"x": box["width"] - 2, "y": box["height"] - 2})
    wait_until(page, f"{said}.startsWith('validator 24 gives miner 144 ')")
    assert "consensus leaves" in page.evaluate(said)
    shoot(page, "yuma-heat", ".sl-yuma")
    light = heat.evaluate("e => e.toDataURL()")
    with dark(page):
        page.wait_for_function(
            "was => document.querySelector('.sl-yuma canvas.heat').toDataURL() !== was", arg=light
        )
        shoot(page, "yuma-heat-dark", ".sl-yuma")
