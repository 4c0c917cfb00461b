"""What a visitor of Binder sees first: the tutorial, and in it a recorded run that plays by itself."""

import shutil
import subprocess
import sys

from playwright.sync_api import Page

from subnetlab.commands.tutorials import find
from tests.browser.lab import SCREENSHOTS, Lab
from tests.project import ROOT


def test_the_recording_plays_before_anything_runs_and_replays_when_asked(server: Lab, page: Page) -> None:
    tutorials = server.root / "tutorials"
    shutil.copytree(ROOT / "tutorials", tutorials)
    command = [sys.executable, str(ROOT / "binder" / "prepare.py"), "--tutorials", str(tutorials)]
    subprocess.run([*command, "--prefix", str(server.root / "env")], check=True, timeout=300)
    server.open(page, f"tutorials/{find('00').name}")

    picture = page.locator(".jp-OutputArea img")
    picture.wait_for(timeout=60_000)
    assert picture.evaluate("image => image.naturalWidth") == 900
    first = picture.screenshot()
    # The end stands still for five seconds, so a look may take several.
    assert any(picture.screenshot() != first for _ in range(300)), "it does not move"
    page.screenshot(path=SCREENSHOTS / "binder-first-look.png")

    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector(".sl h2", timeout=120_000)
    assert "Seven of nine strangers reached" in page.locator(".sl h2").inner_text()
    slider = page.locator(".sl input[type=range]")
    slider.fill("4")
    page.wait_for_function("() => document.querySelector('.sl h2').textContent.includes('Round 4 of 50')")
