"""Build the site: `python docs/site/build.py [--out build/site]`, offline, within a minute.

The sources are assembled below the output folder under the names that they have in the repository, so a
link between two documents leads to the same place on a code host and on the site. What no document says
itself (API, commands, magics, errors) is written from the package. Every warning fails the build. Notebooks
are shown with the outputs of the last test run where `build/executed` has them, and as stored otherwise.
"""

import argparse
import re
import shutil
import sys
import time
from pathlib import Path

import api
import notebooks
import spoken
from sphinx.cmd.build import build_main

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
_LINK = re.compile(r"\]\(([^)#:\s]+)")
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "DECISIONS.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
SHELVES = {
    "Tutorials": ["tutorials/README.md", "tutorials/[0-9][0-9]_*.ipynb"],
    "How-to guides": ["README.md", "tutorials/INSTRUCTORS.md", "docs/*.md", "CONTRIBUTING.md", "SECURITY.md"],
    "Reference": ["reference/index.md", "reference/*.md"],
    "Explanation": [
        "ARCHITECTURE.md",
        "DECISIONS.md",
        "docs/strategies.md",
        "docs/reports.md",
        "CHANGELOG.md",
    ],
}
"""Where a page is listed, the first pattern that names it; `docs/*.md` takes how-to guides of any name."""
TITLES = {"README.md": "Start <README.md>", "reference/index.md": "Overview <reference/index.md>"}


def main() -> int:
    """Build into a folder; the exit status is Sphinx's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site", help="where the pages go")
    out = parser.parse_args().out
    began = time.monotonic()
    shutil.rmtree(out, ignore_errors=True)
    source = out / "source"
    assemble(source)
    write_reference(source / "reference")
    (source / "index.md").write_text(front_page(source), encoding="utf-8")
    options = ["-W", "--keep-going", "-q", "-c", str(HERE), "-d", str(out / "doctrees")]
    status = build_main([*options, str(source), str(out / "html")])
    sys.stdout.write(f"{out / 'html' / 'index.html'}: {time.monotonic() - began:.0f} s\n")
    return status


def assemble(source: Path) -> None:
    """Copy documents, pages and notebooks to where the repository has them."""
    source.mkdir(parents=True)
    for name in DOCUMENTS:
        shutil.copy(ROOT / name, source / name)
    for folder in ("docs", "tutorials"):
        (source / folder).mkdir()
        for path in sorted((ROOT / folder).iterdir()):
            if path.suffix == ".ipynb":
                notebooks.show(path, source / folder / path.name, executed=ROOT / "build" / "executed")
            elif path.is_file():
                shutil.copy(path, source / folder / path.name)
    for page in sorted(source.rglob("*.md")):
        folder = ROOT / page.relative_to(source).parent
        for link in _LINK.findall(page.read_text(encoding="utf-8")):
            linked = (folder / link).resolve()
            if linked.is_file() and linked.is_relative_to(ROOT):
                _take_along(linked, source / linked.relative_to(ROOT))


def _take_along(linked: Path, target: Path) -> None:
    """A file that a document links to, such as a recipe's own files, is there to download."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(linked, target)


def write_reference(folder: Path) -> None:
    """Write the pages that follow from the package."""
    folder.mkdir()
    package = api.load(ROOT)
    names = [name for name in api.public_names(package) if name != "errors"]
    for name in names:
        (folder / f"{name}.md").write_text(api.page(package, name), encoding="utf-8")
    rows = [f"| [`sl.{name}`]({name}.md) | {api.summary(package, name)} |" for name in names]
    table = [
        "| name | what it is |",
        "|---|---|",
        *rows,
        "| [`sl.errors`](errors.md) | every error, by matter |",
    ]
    title = "# `import subnetlab as sl`\n\nEverything the package offers, with its own words.\n\n"
    (folder / "index.md").write_text(title + "\n".join(table) + "\n", encoding="utf-8")
    (folder / "errors.md").write_text(api.errors_page(package), encoding="utf-8")
    (folder / "commands.md").write_text(spoken.commands_page(), encoding="utf-8")
    (folder / "magics.md").write_text(spoken.magics_page(), encoding="utf-8")


def front_page(source: Path) -> str:
    """The first page, and below it the shelves, which list every page that there is once."""
    listed: set[str] = set()
    shelves: list[str] = []
    chosen = {name for patterns in SHELVES.values() for name in patterns if "*" not in name}
    for title, patterns in SHELVES.items():
        pages: list[str] = []
        for pattern in patterns:
            for path in sorted(source.glob(pattern)):
                name = path.relative_to(source).as_posix()
                if name not in listed and (name == pattern or name not in chosen):
                    pages.append(TITLES.get(name, name))
                    listed.add(name)
        shelves += ["```{toctree}", ":hidden:", f":caption: {title}", "", *pages, "```", ""]
    return (HERE / "index.md").read_text(encoding="utf-8") + "\n" + "\n".join(shelves)


if __name__ == "__main__":
    sys.exit(main())
