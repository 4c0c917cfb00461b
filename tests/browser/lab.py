"""What a person does in JupyterLab, as functions: open a notebook, run it, wait for it, look at it."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import Page

from tests.project import ROOT

KERNEL_READY = """() => {
  const kernel = window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel;
  return kernel?.connectionStatus === "connected" && kernel.status === "idle";
}"""
KERNEL_CONNECTED = """() => {
  const kernel = window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel;
  return kernel?.connectionStatus === "connected" && kernel.status !== "restarting";
}"""
APPEND = """async code => {
  const app = window.jupyterapp, notebook = app.shell.currentWidget.content;
  notebook.activeCellIndex = notebook.widgets.length - 1;
  await app.commands.execute("notebook:insert-cell-below");
  notebook.activeCell.model.sharedModel.setSource(code);
  app.commands.execute("notebook:run-cell");
}"""
THEME_SHOWN = """name => document.body.dataset.jpThemeName === name
  && !document.getElementById("jupyterlab-splash")"""
SCREENSHOTS = ROOT / "build" / "screenshots"


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    token: str
    root: Path

    def notebook(self, name: str, cells: list[str], kernel: str = "subnetlab") -> str:
        """Write a notebook into the server's folder and return its name."""
        book = nbformat.v4.new_notebook()
        book.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
        book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(book, self.root / name)
        return name

    def open(self, page: Page, name: str) -> None:
        """Open a notebook by itself and wait for its kernel."""
        page.goto(f"{self.url}/doc/tree/{name}?token={self.token}&reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
        page.wait_for_function(KERNEL_READY, timeout=120_000)

    def run_all(self, page: Page) -> None:
        """Begin to run every cell from the top through the menu's own command."""
        command = "notebook:run-all-cells"
        page.click(".jp-Notebook .jp-CodeCell .cm-content")
        page.keyboard.press("Escape")
        page.wait_for_function("c => window.jupyterapp?.commands.isEnabled(c)", arg=command, timeout=120_000)
        # The braces matter: a returned promise would be waited for, until the last cell has run.
        page.evaluate("c => { window.jupyterapp.commands.execute(c); }", command)

    def append(self, page: Page, code: str) -> None:
        """Write a new cell at the end and run it once the kernel is there."""
        page.wait_for_function(KERNEL_CONNECTED, timeout=120_000)
        page.evaluate(APPEND, code)

    def saved(self, name: str) -> dict[str, object]:
        """The notebook file as it lies on disk."""
        return json.loads((self.root / name).read_text())


@contextmanager
def dark(page: Page) -> Generator[None]:
    """JupyterLab in its dark theme inside; told of only when the change is on screen."""
    _change_theme(page, "JupyterLab Dark")
    yield
    _change_theme(page, "JupyterLab Light")


def _change_theme(page: Page, name: str) -> None:
    page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
    page.wait_for_function(THEME_SHOWN, arg=name, timeout=120_000)


def shoot(page: Page, name: str, selector: str = ".sl") -> Path:
    """Keep a picture of a widget under build/screenshots."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.locator(selector).first.screenshot(path=path)
    return path
