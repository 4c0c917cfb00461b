"""Notebooks in the tree carry no outputs, run on our kernel, and ask questions."""

import json

import pytest

from tests.project import ROOT, project_files, relative

NOTEBOOKS = [path for path in project_files() if path.suffix == ".ipynb"]


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("name", [relative(path) for path in NOTEBOOKS])
def test_a_notebook_is_source_not_output(name: str) -> None:
    notebook = json.loads((ROOT / name).read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["id"] for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []
    assert notebook["metadata"]["kernelspec"]["name"] == "subnetlab"
    assert "widgets" not in notebook["metadata"]


@pytest.mark.parametrize("name", [relative(path) for path in NOTEBOOKS])
def test_a_notebook_begins_with_a_question(name: str) -> None:
    first = json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"][0]
    title = "".join(first["source"]).splitlines()[0]
    assert first["cell_type"] == "markdown"
    assert title.startswith("# ")
    assert title.endswith("?")
