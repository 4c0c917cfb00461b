"""The project's own files, as the structure tests read them."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("sdk/subnetlab", "kernel/subnetlab_kernel", "widgets/subnetlab_widgets")
# Where a path in prose may start: `train/miner.py` means sdk/subnetlab/train/miner.py.
PREFIXES = ("", "sdk/subnetlab/", "kernel/", "widgets/")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def python_files(*folders: str) -> list[Path]:
    """Every Python file below the folders, sorted."""
    return sorted(
        p for folder in folders for p in (ROOT / folder).rglob("*.py") if "__pycache__" not in p.parts
    )


def project_files() -> list[Path]:
    """Every file that belongs to the project: what git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


def relative(path: Path) -> str:
    """The path as the project's texts write it."""
    return path.relative_to(ROOT).as_posix()


def section(document: str, heading: str) -> str:
    """The text below one `## heading` of a document."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{document} has no section {heading!r}"
    return found[1]


def table(text: str) -> list[list[str]]:
    """The cells of a Markdown table, its header and rule left out."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"
    ]
    return rows[2:]


def resolve(name: str) -> Path | None:
    """The file or folder that a path in prose means, or None."""
    for prefix in PREFIXES:
        path = ROOT / prefix / name
        if path.exists():
            return path
    return None


def defines(path: Path, dotted: str) -> bool:
    """Whether a module defines `function`, `Class` or `Class.method` at its top."""
    scope: list[ast.stmt] = ast.parse(path.read_text(encoding="utf-8")).body
    for name in dotted.split("."):
        found = next((node for node in scope if name in names_of(node)), None)
        if found is None:
            return False
        scope = found.body if isinstance(found, Definition) else []
    return True


def names_of(node: ast.stmt) -> Iterator[str]:
    """The names that a statement binds."""
    if isinstance(node, Definition):
        yield node.name
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
