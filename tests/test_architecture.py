"""The shape of the source: layers point one way, files and functions stay small, errors are not swallowed."""

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tests.project import PACKAGES, ROOT, python_files, relative

FILE_LINES = 400
FUNCTION_LINES = 50
MEDIAN_LINES = 150
# Where anything that happens must become an answer: of JSON-RPC, of a cell, of an extrinsic that failed;
# and the thread that hands what was raised on to the one that asked.
EDGES = (
    "sdk/subnetlab/devnet/rpc/",
    "sdk/subnetlab/devnet/chain/containment.py",
    "sdk/subnetlab/devnet/node/turns.py",
    "kernel/subnetlab_kernel/",
)
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}

SOURCES = python_files(*PACKAGES)
TESTS = python_files("tests")


@pytest.fixture
def loggers() -> Iterator[None]:
    """import-linter disables every logger that exists; later tests read what the node logs."""
    yield
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


@pytest.mark.usefixtures("loggers")
def test_layers_point_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS


def test_no_file_is_longer_than_one_coffee() -> None:
    scripts = [p for p in (ROOT / "widgets" / "js").rglob("*.js") if "node_modules" not in p.parts]
    lengths = {
        relative(p): len(p.read_text(encoding="utf-8").splitlines()) for p in [*SOURCES, *TESTS, *scripts]
    }
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES} == {}


def test_the_median_source_file_is_short() -> None:
    lengths = sorted(
        len(p.read_text(encoding="utf-8").splitlines()) for p in SOURCES if p.name != "__init__.py"
    )
    assert lengths[len(lengths) // 2] <= MEDIAN_LINES


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in [*SOURCES, *TESTS]
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _code_lines(node) > FUNCTION_LINES
    ]
    assert long == []


def test_only_the_edges_catch_everything() -> None:
    broad = [
        f"{relative(path)}:{line}"
        for path in SOURCES
        if not relative(path).startswith(EDGES)
        for line in _broad_catches(_tree(path))
    ]
    assert broad == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [
        relative(p) for p in [*SOURCES, *TESTS] if p.stem in VAGUE_NAMES or p.parent.name in VAGUE_NAMES
    ] == []


def test_tests_use_real_parts() -> None:
    """No mock library, and no sleeping but as the pause between two looks of a loop."""
    offences = [
        f"{relative(path)}:{line}"
        for path in TESTS
        if "benchmarks" not in path.parts
        for line in [*_mocks(_tree(path)), *_sleeps(_tree(path))]
    ]
    assert offences == []


def test_every_package_is_typed() -> None:
    assert [package for package in PACKAGES if not (ROOT / package / "py.typed").is_file()] == []


def test_every_test_folder_mirrors_the_source() -> None:
    """tests/sdk/train/ tests sdk/subnetlab/train/: what is tested where needs no search."""
    named = {p.name for p in (ROOT / "tests" / "sdk").iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert {name for name in named if not (ROOT / "sdk" / "subnetlab" / name).is_dir()} == set()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Length from `def` to the end; what the docstring explains does not count."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is None:
        return lines
    return lines - ((first.end_lineno or first.lineno) - first.lineno + 1)


def _mocks(tree: ast.Module) -> list[int]:
    """Lines that import the mock library."""
    found: list[int] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        else:
            continue
        if "unittest.mock" in names:
            found.append(node.lineno)
    return found


def _sleeps(tree: ast.Module) -> set[int]:
    """Lines that sleep outside a loop."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.While)]
    pauses = {line for loop in loops for line in _sleep_calls(loop)}
    return _sleep_calls(tree) - pauses


def _sleep_calls(tree: ast.AST) -> set[int]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {call.lineno for call in calls if ast.unparse(call.func) == "time.sleep"}


def _broad_catches(tree: ast.Module) -> list[int]:
    """Lines with `except:`, `except Exception`, or `suppress(Exception)`."""
    lines: list[int] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            # Undoing half-done work and raising again swallows nothing.
            caught = [] if ast.unparse(node.body[-1]) == "raise" else [node.type]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "suppress":
            caught = list(node.args)
        else:
            continue
        if any(_is_broad(kind) for kind in caught):
            lines.append(node.lineno)
    return lines


def _is_broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(_is_broad(each) for each in kind.elts)
    return kind is None or ast.unparse(kind).split(".")[-1] in {"Exception", "BaseException"}
