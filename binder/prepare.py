"""Make this copy of the tutorials greet a visitor: a recorded run plays before anything was executed.

Run by `postBuild` inside the image. The notebook in git stays without outputs; only the copy in the image
gets a first cell that already shows the recorded run as a moving picture, and opens it live when it is run.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import nbformat

import subnetlab as sl
from subnetlab.report import html, plot

ROOT = Path(__file__).resolve().parent.parent
CELL = "recorded-run"
SOURCE = """\
import subnetlab as sl

sl.open("{recorded}")  # a run somebody recorded: execute this cell to replay it"""
NOTE = (
    "This is a recording of the tutorial below. Execute the cell to replay it with its dashboard;"
    " the cells after it train anew, on this machine."
)
CONFIGURATIONS = {
    "jupyter_lab_config.json": "LabApp",
    "jupyter_notebook_config.json": "JupyterNotebookApp",
}
"""Whichever program the image starts, it opens on the tutorial."""


def main(arguments: list[str]) -> None:
    """Prepare the tutorials of this checkout, or of another folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tutorials", type=Path, default=ROOT / "tutorials")
    parser.add_argument("--prefix", type=Path, default=Path(sys.prefix), help="whose etc/jupyter is written")
    options = parser.parse_args(arguments)
    notebook = min(options.tutorials.glob("00_*.ipynb"))
    greet(notebook, options.tutorials / "recorded.zip")
    open_on(f"/lab/tree/tutorials/{notebook.name}", options.prefix / "etc" / "jupyter")


def greet(path: Path, recorded: Path) -> None:
    """Put the playing recording below the notebook's title; doing so again changes nothing."""
    notebook: Any = nbformat.read(path, as_version=4)
    run = sl.open(recorded)
    picture = html.drawing(run.animation(), run.headline, width=plot.WIDTH)
    shown = {"text/html": html.block(picture, html.paragraph(NOTE, faint=True)), "text/plain": repr(run)}
    cell: Any = nbformat.v4.new_code_cell(SOURCE.format(recorded=recorded.name), id=CELL)
    cell.outputs = [nbformat.v4.new_output("display_data", shown)]
    cells = [other for other in notebook.cells if other.id != CELL]
    notebook.cells = [cells[0], cell, *cells[1:]]
    nbformat.write(notebook, path)


def open_on(url: str, folder: Path) -> None:
    """Let Jupyter open on a page when the address names none."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, program in CONFIGURATIONS.items():
        target = folder / name
        settings = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {}
        settings.setdefault(program, {})["default_url"] = url
        target.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
