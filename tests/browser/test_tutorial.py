"""The first tutorial as a student runs it: in JupyterLab, every cell, at a size that fits a test."""

from playwright.sync_api import Page

from subnetlab.lab.tutorials import find
from tests.browser.lab import Lab, shoot
from tests.browser.waiting import wait_until
from tests.test_tutorials import smaller

ERROR = "[data-mime-type='application/vnd.jupyter.error']"


def test_every_cell_runs_and_the_dashboard_tells_the_story(server: Lab, page: Page) -> None:
    notebook = smaller(find("00"), server.root)
    server.open(page, notebook.name)
    server.run_all(page)
    wait_until(page, "window.__subnetlab?.at(-1)?.status.state === 'finished'")
    kernel = "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
    wait_until(page, f"{kernel}.status === 'idle'")
    assert page.locator(ERROR).count() == 0
    # JupyterLab hides cells that are out of view, and hidden text has no `inner_text`.
    assert "Eight strangers reached" in (page.locator(".sl h2").last.text_content() or "")
    shoot(page, "tutorial", ".jp-Notebook")
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    wait_until(page, "!window.jupyterapp.shell.currentWidget.context.model.dirty")
    assert notebook.stat().st_size < 300_000
