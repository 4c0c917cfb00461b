"""A notebook of the course executed on our kernel: with its solutions, or twice in one kernel."""

import copy
import os
import re
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from tests.project import ROOT

CELL_LIMIT_S = 380
AGAIN = "again-"
EXECUTED = ROOT / "build" / "executed"
SOLUTION = re.compile(r"<details>.*?```python\n(.*?)```", re.DOTALL)
LAST = """\
import psutil
if "net" in globals():
    net.close()
round(psutil.Process().memory_info().rss / 1e6)
"""


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def solutions(notebook: Any) -> dict[str, str]:
    """By the id of the cell it belongs into, each folded solution as code."""
    found: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.id.endswith("-solution"):
            code = SOLUTION.search(cell.source)
            assert code is not None, f"{cell.id} has no code"
            found[cell.id.replace("-solution", "-answer")] = code[1]
    return found


def solved(notebook: Any) -> Any:
    """A copy in which every answer is the solution's."""
    made, found = copy.deepcopy(notebook), solutions(notebook)
    for cell in made.cells:
        if cell.id in found:
            cell.source = found.pop(cell.id)
    assert found == {}, "a solution without its exercise"
    return made


def twice(notebook: Any) -> Any:
    """A copy that goes through all cells, and in the same kernel through all of them again."""
    made = copy.deepcopy(notebook)
    made.cells = [copy.deepcopy(cell) for _ in range(2) for cell in made.cells]
    for number, cell in enumerate(made.cells):
        cell.id = f"{number}-{cell.id}"
    return made


def each_twice(notebook: Any) -> Any:
    """A copy in which every cell of code is run twice in a row, as by a reader who presses the key again.

    The second time may be refused (a run paces the chain already, a miner was killed before); `refusals` has
    what was said then.
    """
    made = copy.deepcopy(notebook)
    made.cells = []
    for cell in notebook.cells:
        made.cells.append(copy.deepcopy(cell))
        if cell.cell_type == "code":
            again = copy.deepcopy(cell)
            again.id, again.metadata["tags"] = f"{AGAIN}{cell.id}", ["raises-exception"]
            made.cells.append(again)
    return made


def refusals(notebook: Any) -> dict[str, str]:
    """By cell, the name of the error that running it again ended with."""
    return {
        cell.id.removeprefix(AGAIN): output.ename
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "error" and cell.id.startswith(AGAIN)
    }


def keep(notebook: Any, name: str) -> None:
    """Leave an executed notebook where `make site` takes outputs from."""
    EXECUTED.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, EXECUTED / name)


def executed(notebook: Any, folder: Path) -> Any:
    """Execute in a folder; raises nbclient's own error with the cell's traceback."""
    made = copy.deepcopy(notebook)
    made.cells.append(nbformat.v4.new_code_cell(LAST))
    client = NotebookClient(
        made,
        timeout=CELL_LIMIT_S,
        kernel_name="subnetlab",
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env={**os.environ})
    return made


def text(cell: Any) -> str:
    """Everything a cell said, as a front end without HTML shows it."""
    said: list[str] = []
    for output in cell.get("outputs", ()):
        said.append(output.get("text", ""))
        said.append(output.get("data", {}).get("text/plain", ""))
    return "\n".join(part for part in said if part)


def check_cells(notebook: Any) -> dict[str, str]:
    """What `sl.check` said, by exercise."""
    return {
        cell.id.partition("ex-")[2].removesuffix("-check").replace("-", "."): text(cell)
        for cell in notebook.cells
        if cell.id.endswith("-check")
    }
