"""The notebooks of the course: each has the same parts, and runs on our kernel with the solutions it prints.

A test's home is its own, so every notebook is executed alone; `make test` goes through them in order.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from subnetlab import errors
from subnetlab.lab.check.questions import EXERCISES
from tests.notebooks import (
    check_cells,
    each_twice,
    executed,
    keep,
    read,
    refusals,
    solutions,
    solved,
    text,
    twice,
)
from tests.project import ROOT

COURSE = sorted((ROOT / "tutorials").glob("[0-9][0-9]_*.ipynb"))
FIRST, *LATER = COURSE
"""The first is run by `tests/test_tutorials.py`, smaller: it computes for a minute and a half."""
MOST_CELLS = 25
MOST_MB = 1500
PARTS = ("Predict", "Run", "Explain", "What was simplified", "Recap")


def number(path: Path) -> int:
    return int(path.name[:2])


def headings(notebook: Any) -> str:
    words = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return "\n".join(line for line in words.splitlines() if line.startswith("#"))


def exercises_of(path: Path) -> list[str]:
    return [one for one in EXERCISES if one.startswith(f"{number(path)}.")]


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.name[:2])
def test_a_notebook_asks_a_question_and_has_its_parts(path: Path) -> None:
    notebook = read(path)
    title = notebook.cells[0].source.splitlines()[0]
    assert re.fullmatch(r"# .+\?", title)
    spoken = re.sub(r"[^a-z0-9]+", "_", title[2:-1].lower()).strip("_")
    assert path.stem == f"{path.name[:2]}_{spoken}"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) <= MOST_CELLS
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert [part for part in PARTS if part not in headings(notebook)] == []


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.name[:2])
def test_it_has_three_exercises_that_nbgrader_knows(path: Path) -> None:
    notebook, wanted = read(path), exercises_of(path)
    assert len(wanted) == 3
    cells = {cell.id: cell for cell in notebook.cells}
    for one in wanted:
        ident = f"ex-{one.replace('.', '-')}"
        answer, check = cells[f"{ident}-answer"].metadata.nbgrader, cells[f"{ident}-check"].metadata.nbgrader
        assert (answer.solution, answer.grade, answer.locked) == (True, False, False)
        assert (check.solution, check.grade, check.locked, check.points) == (False, True, True, 1)
        assert {answer.schema_version, check.schema_version} == {3}
        assert (answer.grade_id, check.grade_id) == (f"{ident}-answer", ident)
        assert f'check.exercise("{one}"' in cells[f"{ident}-check"].source
        assert "None" in cells[f"{ident}-answer"].source
    assert set(solutions(notebook)) == {f"ex-{one.replace('.', '-')}-answer" for one in wanted}


def test_the_path_through_the_course_names_every_notebook() -> None:
    path = (ROOT / "tutorials" / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"\]\((\d\d_[^)]+\.ipynb)\)", path)
    assert named == [notebook.name for notebook in COURSE]
    guide = (ROOT / "tutorials" / "INSTRUCTORS.md").read_text(encoding="utf-8")
    for notebook in COURSE:
        title = read(notebook).cells[0].source.splitlines()[0][2:]
        assert title in path
        assert title in guide


def test_the_notebooks_answer_the_questions_of_the_guide() -> None:
    guide = (ROOT / "tutorials" / "INSTRUCTORS.md").read_text(encoding="utf-8")
    answers = re.findall(r"\| (\d): \"(.+)\" \|$", guide, re.MULTILINE)
    assert len(answers) == 10
    words = {number(path): "\n".join(cell.source for cell in read(path).cells) for path in COURSE}
    assert [said for tutorial, said in answers if said not in words[int(tutorial)]] == []


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.name[:2])
def test_links_between_notebooks_lead_somewhere(path: Path) -> None:
    words = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)#]+)\)", words):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", LATER, ids=lambda path: path.name[:2])
def test_it_runs_on_our_kernel_with_its_own_solutions(path: Path, tmp_path: Path) -> None:
    done = executed(solved(read(path)), tmp_path)
    keep(done, path.name)
    said = check_cells(done)
    assert list(said) == exercises_of(path)
    assert {one: words for one, words in said.items() if f"Exercise {one}: right." not in words} == {}
    assert int(text(done.cells[-1])) < MOST_MB
    if number(path) == 2:
        assert_books_balance(done)


def assert_books_balance(notebook: Any) -> None:
    shown = "\n".join(text(cell) for cell in notebook.cells)
    told = re.search(r"funded (\d+), earned (\d+), refunded (\d+) rao", shown)
    assert told is not None
    funded, earned, refunded = map(int, told.groups())
    assert funded == earned + refunded == 5 * 10**9 // 18 * 18
    assert earned > 0
    assert re.search(r"\d+ wei left: 200000000000000000 for Bob, \d+ for gas", shown)


def again(path: Path, folder: Path) -> None:
    """Go through a notebook twice in one kernel, as a reader does who begins again."""
    said = check_cells(executed(twice(solved(read(path))), folder))
    assert said
    assert all(": right." in words for words in said.values())


def test_it_may_be_run_twice_in_one_kernel(tmp_path: Path) -> None:
    again(LATER[0], tmp_path)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", LATER[1:], ids=lambda path: path.name[:2])
def test_the_others_may_be_run_twice_in_one_kernel(path: Path, tmp_path: Path) -> None:
    again(path, tmp_path)


def each_cell_again(path: Path, folder: Path) -> dict[str, str]:
    """Run every cell twice in a row; what was refused the second time, by cell, is one of our sentences."""
    done = executed(each_twice(solved(read(path))), folder)
    said = check_cells(done)
    assert said
    assert all(": right." in words for words in said.values())
    refused = refusals(done)
    assert [name for name in refused.values() if not hasattr(errors, name)] == []
    return refused


@pytest.mark.timeout(400)
def test_each_cell_may_be_run_twice_in_a_row(tmp_path: Path) -> None:
    assert each_cell_again(LATER[-1], tmp_path) == {}


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("path", LATER[:-1], ids=lambda path: path.name[:2])
def test_each_cell_of_the_others_may_be_run_twice_in_a_row(path: Path, tmp_path: Path) -> None:
    each_cell_again(path, tmp_path)
