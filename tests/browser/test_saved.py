"""A saved notebook, opened later by somebody without its kernel: the picture, and nothing else."""

import json
import shutil
from pathlib import Path

import nbformat
import nbformat.sign
from playwright.sync_api import Page

from tests.browser import github
from tests.browser.lab import SCREENSHOTS, Lab, dark
from tests.project import ROOT

RECORDED = ROOT / "tutorials" / "recorded.zip"
RUN = "import subnetlab as sl\nrun = sl.open('recorded.zip')\nrun"
ANY = """\
from ipywidgets import IntSlider
from subnetlab_widgets import saved
handle = saved.show(IntSlider(7), saved.Picture(lambda: "<p>seven, as it was</p>", lambda: "seven"))
"""
BARE = "IntSlider(3)"
RESTART = "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()"
SAVE = "() => window.jupyterapp.commands.execute('docmanager:save')"
DEAD = "text=Error displaying widget: model not found"
PICTURE = "[data-subnetlab-saved]"


def ran_and_saved(server: Lab, page: Page, name: str) -> None:
    """A notebook with a run and two other widgets, executed, its kernel restarted, saved."""
    shutil.copy(RECORDED, server.root / "recorded.zip")
    server.open(page, server.notebook(name, [RUN, ANY, BARE]))
    server.run_all(page)
    page.wait_for_selector(".sl h2", timeout=120_000)
    page.wait_for_function("() => document.querySelectorAll('.widget-slider').length === 2", timeout=60_000)
    assert [picture.is_visible() for picture in page.locator(PICTURE).all()] == [False, False]
    page.evaluate(RESTART)
    page.evaluate(SAVE)
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty", timeout=60_000)


def test_after_a_restart_and_a_reload_only_the_picture_is_left(server: Lab, page: Page) -> None:
    ran_and_saved(server, page, "restarted.ipynb")
    page.reload()
    page.wait_for_function(f"() => document.querySelectorAll('{PICTURE}').length === 2", timeout=60_000)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.jupyter-widgets')]"
        ".filter(e => e.textContent.includes('model not found')).length === 3", timeout=60_000,
    )  # fmt: skip
    # All three widgets are dead; the two with a picture say nothing, the one without still says so.
    assert [dead.is_visible() for dead in page.locator(DEAD).all()] == [False, False, True]
    assert [picture.is_visible() for picture in page.locator(PICTURE).all()] == [True, True]
    assert page.locator(f"{PICTURE} img").evaluate("image => image.naturalWidth") == 900
    page.locator(".jp-Cell").first.screenshot(path=SCREENSHOTS / "saved-in-jupyterlab.png")
    with dark(page):
        page.locator(".jp-Cell").first.screenshot(path=SCREENSHOTS / "saved-in-jupyterlab-dark.png")


def test_a_notebook_that_nobody_runs_shows_the_picture(server: Lab, page: Page) -> None:
    ran_and_saved(server, page, "made.ipynb")
    trusted_without_kernel(server.root, "made.ipynb", "later.ipynb")
    page.goto(f"{server.url}/doc/tree/later.ipynb?token={server.token}&reset")
    page.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click(timeout=60_000)
    page.wait_for_selector(f"{PICTURE} img", timeout=60_000)
    words = page.locator(".jp-OutputArea").all_inner_texts()
    assert "Seven of nine strangers reached" in words[0]
    assert "widget" not in words[0].lower()
    assert words[1].strip() == "seven, as it was"


def test_an_untrusted_notebook_reads_well_too(server: Lab, page: Page) -> None:
    ran_and_saved(server, page, "trusted.ipynb")
    with_a_note(server.root, "trusted.ipynb", "stranger.ipynb")
    server.open(page, "stranger.ipynb")
    page.wait_for_selector(".jp-OutputArea img", timeout=60_000)
    words = page.locator(".jp-OutputArea").first.inner_text()
    assert words.startswith("Seven of nine strangers reached")
    assert "jp-OutputArea" not in words, "the rule for the page became text"
    assert page.locator(".jp-OutputArea table tbody tr").count() == 9
    assert page.locator(".jp-OutputArea img").evaluate("image => image.naturalWidth") == 900
    page.locator(".jp-Cell").first.screenshot(path=SCREENSHOTS / "saved-untrusted.png")


def test_github_keeps_the_sentence_the_drawing_and_the_table(server: Lab, page: Page) -> None:
    ran_and_saved(server, page, "published.ipynb")
    notebook = json.loads((server.root / "published.ipynb").read_text())
    assert len(json.dumps(notebook["cells"][0]["outputs"])) < 100_000
    target = server.root / "published.html"
    target.write_text(github.render(notebook), encoding="utf-8")
    page.goto(target.as_uri())
    assert page.locator("strong").first.inner_text().startswith("Seven of nine strangers reached")
    assert page.locator("img").evaluate("image => image.naturalWidth") == 900
    assert page.locator("tbody tr").count() == 9
    assert page.locator("style, script, [style]").count() == 1, "only the imitation of GitHub's own sheet"
    page.locator("body").screenshot(path=SCREENSHOTS / "saved-notebook.png")


def with_a_note(root: Path, name: str, copy: str) -> None:
    """A copy that Jupyter does not trust, because somebody changed it outside."""
    notebook = nbformat.read(root / name, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell("Somebody else wrote this."))
    nbformat.write(notebook, root / copy)


def trusted_without_kernel(root: Path, name: str, copy: str) -> None:
    """A trusted copy that names no kernel, so that its reader is asked for one."""
    notebook = nbformat.read(root / name, as_version=4)
    notebook.metadata = nbformat.from_dict({})
    nbformat.write(notebook, root / copy)
    signatures = root.parent / "home" / ".local" / "share" / "jupyter"  # of the server's own user folder
    signatures.mkdir(parents=True, exist_ok=True)
    notary = nbformat.sign.NotebookNotary(data_dir=str(signatures))
    notary.sign(nbformat.read(root / copy, as_version=4))
    notary.store.close()
