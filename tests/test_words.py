"""Words that the glossary retires stay out of the names that a reader meets."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.project import ROOT, relative, section, table

PRODUCT = ("sdk", "kernel", "widgets")


def retired() -> set[str]:
    rows = table(section("ARCHITECTURE.md", "Glossary").split("### Retired words")[1])
    return {word.strip().lower() for row in rows for word in row[0].split(",")}


def modules() -> Iterator[Path]:
    for folder in PRODUCT:
        for pattern in ("*.py", "*.js"):
            found = (ROOT / folder).rglob(pattern)
            yield from (path for path in found if not {"node_modules", "static"} & set(path.parts))


def public_names(path: Path) -> Iterator[str]:
    """Classes, functions and methods without a leading underscore, and the parameters of those functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name
            if isinstance(node, ast.FunctionDef):
                yield from (argument.arg for argument in (*node.args.args, *node.args.kwonlyargs))


def test_the_list_is_read() -> None:
    assert {"enrol", "payday", "told_by"} <= retired()


def test_no_module_has_a_retired_name() -> None:
    words = retired()
    assert [relative(path) for path in modules() if path.stem.lower() in words] == []


def test_no_public_name_is_a_retired_word() -> None:
    words = retired()
    found = {
        f"{relative(path)}: {name}"
        for path in modules()
        if path.suffix == ".py"
        for name in public_names(path)
        if re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() in words
    }
    assert sorted(found) == []


def prose(word: str) -> list[str]:
    """The lines of the product's sources that hold a word; the tutorials may use every word."""
    holds = re.compile(rf"\b{word}\b", re.IGNORECASE)
    return [
        f"{relative(path)}:{number}: {line.strip()}"
        for path in modules()
        if "test" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if holds.search(line)
    ]


def test_prose_names_its_subject() -> None:
    assert prose("whoever") == []
    few = 10
    for word in ("nobody", "stands"):
        assert len(found := prose(word)) < few, found
