"""The site builds without a warning and offline, and every link in it leads somewhere."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

import subnetlab
from subnetlab import cli, errors
from tests.project import ROOT


class Page(HTMLParser):
    """The links of a page, and the places in it that a link may name."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value for name, value in attrs if value}
        self.places |= {found[name] for name in ("id", "name") if name in found}
        self.links += [found[name] for name in ("href", "src") if name in found]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built by the program that `make site` runs."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, str(ROOT / "docs/site/build.py"), "--out", str(out / "site")]
    # Offline: what asks for an address outside fails at once.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    environment = {**os.environ, **nowhere}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "site" / "html"


def test_outputs_of_a_test_run_are_shown_but_never_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "site"))
    show = importlib.import_module("notebooks").show
    path, kept = tmp_path / "01_a.ipynb", tmp_path / "executed" / "01_a.ipynb"
    cells = {"cell-1": "1 + 1", "cell-2": "old", "ex-1-1-answer": "answer = None", "cell-3": "widget"}
    book = nbformat.v4.new_notebook(cells=[code(ident, text) for ident, text in cells.items()])
    nbformat.write(book, path)
    kept.parent.mkdir()
    ran = {"cell-1": "1 + 1", "cell-2": "new", "ex-1-1-answer": "answer = 42", "cell-3": "widget"}
    shown = {"text/plain": "2"}
    outputs = [nbformat.v4.new_output("execute_result", shown)]
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "a picture"}
    done = [code(ident, text, outputs) for ident, text in ran.items()]
    done[3].outputs = [nbformat.v4.new_output("display_data", view)]
    nbformat.write(nbformat.v4.new_notebook(cells=done), kept)
    show(path, tmp_path / "out.ipynb", executed=kept.parent)
    found = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert [cell.source for cell in found.cells] == list(cells.values())
    assert [[dict(one.data) for one in cell.outputs] for cell in found.cells] == [
        [shown], [], [], [{"text/plain": "a picture"}]
    ]  # fmt: skip


def code(ident: str, text: str, outputs: list[Any] | None = None) -> Any:
    made = nbformat.v4.new_code_cell(text, id=ident)
    made.outputs = outputs or []
    return made


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


def inner_links(pages: dict[Path, Page]) -> Iterator[tuple[Path, str]]:
    for path, page in pages.items():
        for link in page.links:
            if not urlsplit(link).scheme and not link.startswith("//"):
                yield path, link


def test_every_link_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    wrong: list[str] = []
    for path, link in inner_links(pages):
        parts = urlsplit(link)
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if target.is_dir():
            target /= "index.html"
        reached = target.is_file() and target.is_relative_to(site.resolve())
        anchored = (
            target not in pages or not parts.fragment or unquote(parts.fragment) in pages[target].places
        )
        if not (reached and anchored):
            wrong.append(f"{path.relative_to(site)}: {link}")
    assert wrong == []


def test_no_page_asks_the_network_for_a_part_of_itself(pages: dict[Path, Page], site: Path) -> None:
    fetched = [
        f"{path.relative_to(site)}: {part}"
        for path in pages
        for part in path.read_text(encoding="utf-8").split("<")
        if part.startswith(("script", 'link rel="stylesheet', "img")) and "//" in part.partition(">")[0]
    ]
    assert fetched == []


def test_every_document_notebook_name_command_and_error_has_its_place(
    pages: dict[Path, Page], site: Path
) -> None:
    present = {path.relative_to(site).as_posix() for path in pages}
    notebooks = {f"tutorials/{path.stem}.html" for path in (ROOT / "tutorials").glob("*.ipynb")}
    documents = {f"docs/{path.stem}.html" for path in (ROOT / "docs").glob("*.md")}
    names = {f"reference/{name}.html" for name in subnetlab.__all__ if not name.startswith("_")}
    assert (notebooks | documents | names) - present == set()
    front = pages[site / "index.html"].links
    assert [page for page in notebooks | documents | names if page not in front] == []
    commands = (site / "reference/commands.html").read_text(encoding="utf-8")
    assert [name for name in cli.COMMANDS if f"usage: subnetlab {name}" not in commands] == []
    told = (site / "reference/errors.html").read_text(encoding="utf-8")
    leaves = [
        name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, Exception)
    ]
    assert [name for name in leaves if f'id="{name.lower()}"' not in told] == []
