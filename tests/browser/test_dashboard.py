"""The dashboard in a real JupyterLab: it draws, it follows the theme, a reload brings everything back."""

from playwright.sync_api import Page

from tests.browser.lab import Lab, dark, shoot
from tests.browser.waiting import wait_until
from tests.project import ROOT

SHOW = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from tests.widgets.recorded import run, one_round, started
from subnetlab_widgets.dashboard import Dashboard
first, *rest = run({{miners}}, 30, {{upto}})
board = Dashboard(first)
board.feed.apply(rest)
board
"""

UNSEEN = """() => {
  const probe = document.body.appendChild(document.createElement("span"));
  const rgb = name => { probe.style.color = name; return getComputedStyle(probe).color; };
  const paper = rgb("Canvas"), wrong = [];
  for (const e of document.querySelectorAll(".sl svg text, .sl svg > rect")) {
    const { fill, stroke } = getComputedStyle(e), text = e.tagName === "text";
    if (fill === paper || (text && stroke !== paper)) wrong.push([e.outerHTML, fill, stroke]);
  }
  probe.remove();
  return wrong;
}"""
"""Texts whose halo is not the page's colour, and bars or texts that have it."""

NOTHING_OVERLAPS = """(focus => focus && [
  ...document.querySelectorAll('.sl canvas, .sl .curve-labels div')
].every(e => {
  const at = e.getBoundingClientRect();
  return at.right <= focus.left || at.bottom <= focus.top || at.top >= focus.bottom;
}))(document.querySelector('.sl [data-part=focus] svg')?.getBoundingClientRect())"""


def wait_for_round(page: Page, number: int) -> None:
    wait_until(page, f"(window.__subnetlab?.at(-1)?.store.last ?? 0) >= {number}")
    wait_until(page, "document.querySelector('.sl table tbody tr')")


def wait_for_headline(page: Page, words: str) -> None:
    wait_until(page, f"document.querySelector('.sl h2').textContent.includes('{words}')")


def test_it_draws_a_run_and_grows_with_it(server: Lab, page: Page) -> None:
    more = "board.feed.apply(e for r in range(10, 20) for e in one_round(r, board.feed.table.miners, 30))"
    server.open(page, server.notebook("grow.ipynb", [SHOW.format(miners=8, upto=10), more]))
    server.run_all(page)
    wait_for_round(page, 20)
    wait_for_headline(page, "Seven of eight strangers are at")
    wait_until(page, "document.querySelectorAll('.sl tbody tr.bad').length === 1")
    shoot(page, "dashboard-live")


def test_a_reload_brings_the_whole_history_back(server: Lab, page: Page) -> None:
    name = server.notebook("reload.ipynb", [SHOW.format(miners=8, upto="None")])
    server.open(page, name)
    server.run_all(page)
    wait_for_round(page, 30)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    wait_for_round(page, 30)
    wait_for_headline(page, "Seven of eight strangers reached")


def test_the_slider_goes_back_and_end_returns(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("replay.ipynb", [SHOW.format(miners=8, upto="None")]))
    server.run_all(page)
    wait_for_round(page, 30)
    slider = page.locator(".sl input[type=range]")
    slider.fill("3")
    wait_for_headline(page, "Round 3 of 30")
    slider.focus()
    page.keyboard.press("End")
    wait_for_headline(page, "reached")


def test_keys_move_the_focus_and_t_turns_the_pictures_into_a_table(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("keys.ipynb", [SHOW.format(miners=8, upto="None")]))
    server.run_all(page)
    wait_for_round(page, 30)
    page.locator(".sl .miners button[data-uid='4']").click()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".sl .miners button[data-uid='5'][aria-selected=true]")
    page.keyboard.press("t")
    page.wait_for_selector(".sl [data-part=twin] table")
    assert page.locator(".sl [data-part=pictures]").is_hidden()


SLIDE_TO = """round => {
  const slider = document.querySelector('.sl input[type=range]');
  slider.value = round;
  slider.dispatchEvent(new Event('input'));
}"""


def test_numbers_change_in_place_under_whoever_reads_them(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("place.ipynb", [SHOW.format(miners=8, upto="None")]))
    server.run_all(page)
    wait_for_round(page, 30)
    wait_for_headline(page, "reached")
    wait_until(page, "document.querySelectorAll('.sl tbody tr.bad').length === 1")
    page.locator(".sl tr[data-i='2']").focus()
    page.evaluate("() => document.querySelectorAll('.sl [data-part] *').forEach(el => { el.kept = true; })")
    last = page.locator(".sl [data-part=board]").inner_text()
    page.evaluate(SLIDE_TO, 12)
    wait_for_headline(page, "Round 12 of 30")
    page.wait_for_function(
        "was => document.querySelector('.sl [data-part=board]').innerText !== was", arg=last
    )
    assert page.evaluate("() => document.activeElement.dataset.i") == "2"
    panels = ".sl [data-part=board] tr, .sl [data-part=flow] div, .sl [data-part=focus] path"
    changed = page.evaluate(
        "s => [...document.querySelectorAll(s)].map(el => el.kept ? '' : el.outerHTML)", panels
    )
    assert len(changed) > 20
    assert not any(changed), "\n".join(changed)


def test_it_follows_the_theme_and_stays_readable_at_64_miners(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("many.ipynb", [SHOW.format(miners=64, upto="None")]))
    server.run_all(page)
    wait_for_round(page, 30)
    wait_until(page, "document.querySelectorAll('.sl tbody tr.bad').length === 1")
    shoot(page, "dashboard-64-light")
    light = page.evaluate("() => getComputedStyle(document.querySelector('.sl')).backgroundColor")
    with dark(page):
        page.wait_for_function(
            "was => getComputedStyle(document.querySelector('.sl')).backgroundColor !== was", arg=light
        )
        shoot(page, "dashboard-64-dark")
    assert page.locator(".sl .miners button").count() == 64
    for width in (1040, 900):
        page.set_viewport_size({"width": width, "height": 1500})
        wait_until(page, NOTHING_OVERLAPS)
    shoot(page, "dashboard-64-narrow")


LABELS_ARE_ABOVE_THE_ROUNDS = """(() => {
  const floor = document.querySelector('.sl .u-over').getBoundingClientRect().bottom;
  const labels = [...document.querySelectorAll('.sl .curve-labels div')];
  return labels.length > 1 && labels.every(e => e.getBoundingClientRect().bottom <= floor + 1);
})()"""


def test_the_ends_of_the_curves_never_cover_the_rounds(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("ends.ipynb", [SHOW.format(miners=9, upto=3)]))
    server.run_all(page)
    wait_for_round(page, 3)
    shoot(page, "dashboard-early")
    wait_until(page, LABELS_ARE_ABOVE_THE_ROUNDS)


def test_nine_miners_have_room_for_their_numbers(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("nine.ipynb", [SHOW.format(miners=9, upto="None")]))
    server.run_all(page)
    wait_for_round(page, 30)
    wait_until(page, "document.querySelectorAll('.sl .miners button').length === 9")
    seats = page.locator(".sl .miners button")
    assert seats.first.inner_text().startswith("uid ")
    assert page.evaluate("() => document.querySelector('.sl .miners button').offsetWidth") > 100
    shoot(page, "dashboard-9")
    page.set_viewport_size({"width": 900, "height": 1500})
    wait_until(page, NOTHING_OVERLAPS)
    shoot(page, "dashboard-9-narrow")


def test_a_dead_kernel_is_said_and_the_picture_stays(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("dead.ipynb", [SHOW.format(miners=8, upto=6)]))
    server.run_all(page)
    wait_for_round(page, 6)
    page.evaluate("() => { const v = window.__subnetlab.at(-1); v.model.off('msg:custom'); }")
    wait_until(page, "document.querySelector('.sl .status').textContent.includes('reconnecting')")
    assert page.locator(".sl h2").inner_text().startswith("Seven of eight strangers")


def test_colours_that_the_system_forces_hide_nothing_whatever_the_theme(server: Lab, page: Page) -> None:
    server.open(page, server.notebook("forced.ipynb", [SHOW.format(miners=8, upto=20)]))
    server.run_all(page)
    wait_for_round(page, 20)
    for scheme in ("dark", "light"):  # of the system; JupyterLab's own theme stays light
        page.emulate_media(forced_colors="active", color_scheme=scheme)
        wait_until(page, f"matchMedia('(prefers-color-scheme: {scheme})').matches")
        assert page.evaluate("document.querySelectorAll('.sl svg text').length") > 3
        assert page.evaluate(UNSEEN) == []
        shoot(page, f"dashboard-forced-{scheme}")
