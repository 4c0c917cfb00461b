"""The first tutorial as a student runs it: in JupyterLab, every cell, at a size that fits a test."""

from playwright.sync_api import Page

from subnetlab.commands.tutorials import find
from tests.browser.lab import Lab, shoot
from tests.browser.waiting import wait_until
from tests.test_tutorials import smaller

EVERY_CELL_HAS_RUN = """(() => {
  const cells = window.jupyterapp.shell.currentWidget.content.model.cells;
  return Array.from(cells).every(cell => cell.type !== "code" || cell.executionCount !== null);
})()"""
ERROR = "[data-mime-type='application/vnd.jupyter.error']"


def test_every_cell_runs_and_the_dashboard_tells_the_story(server: Lab, page: Page) -> None:
    notebook = smaller(find("00"), server.root)
    server.open(page, notebook.name)
    server.run_all(page)
    wait_until(page, EVERY_CELL_HAS_RUN)
    kernel = "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
    wait_until(page, f"{kernel}.status === 'idle'")
    assert page.locator(ERROR).count() == 0
    wait_until(
        page,
        "[...document.querySelectorAll('.sl h2')].at(-1).textContent.startsWith("
        "'Seven of nine strangers reached')",
    )
    shoot(page, "tutorial", ".jp-Notebook")
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    wait_until(page, "!window.jupyterapp.shell.currentWidget.context.model.dirty")
    assert notebook.stat().st_size < 300_000
