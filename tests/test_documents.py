"""What the documents claim is true of the tree they stand in."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project import ROOT, defines, project_files, relative, resolve, section, table

DOCUMENTS = ("README.md", "ARCHITECTURE.md", "DECISIONS.md", "CONTRIBUTING.md", "CHANGELOG.md")
# `train/miner.py:Miner.run`, `sdk/subnetlab/yuma/`, `tests/x/test_y.py::test_z`
POINTER = re.compile(r"`([\w-]+(?:/[\w.-]+)*(?:/|\.(?:py|md|toml|txt|ipynb|json|js)))(?:::?([\w.]+))?`")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    wrong: list[str] = []
    for name, inner in POINTER.findall(text):
        path = resolve(name)
        if not name.startswith("build/") and (path is None or (inner and not defines(path, inner))):
            wrong.append(f"{name}:{inner}" if inner else name)
    assert wrong == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_a_document_names_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)`", (ROOT / document).read_text(encoding="utf-8")))
    assert named - targets == set()


def test_the_readme_tree_is_the_tree_on_disk() -> None:
    """Both ways: a folder that the README lists exists, and one that exists is listed."""
    block = re.search(r"```text\n(.*?)```", section("README.md", "Where things are"), re.DOTALL)
    assert block is not None
    listed = [line.split()[0] for line in block[1].splitlines() if line.strip()]
    assert [name for name in listed if not (ROOT / name).exists()] == []
    files = {relative(path) for path in project_files()}
    present = {name.split("/")[0] + "/" for name in files if "/" in name}
    present |= {
        "/".join(name.split("/")[:3]) + "/" for name in files if re.match(r"sdk/subnetlab/\w+/", name)
    }
    present |= {name for name in files if "/" not in name and name.endswith(".md")}
    missing = {p for p in present if not any(name == p or name.startswith(p) for name in listed)}
    assert missing - {"README.md", ".ci/"} == set()


def test_every_fidelity_row_names_a_test_that_exists() -> None:
    rows = [
        *table(section("ARCHITECTURE.md", "Fidelity")),
        *table(section("ARCHITECTURE.md", "Fidelity of the science")),
    ]
    assert len(rows) >= 10
    for row in rows:
        proofs = re.findall(r"`([\w/]+\.py)::(\w+)`", row[-1])
        assert proofs, f"no test proves: {row[0]}"
        for name, test in proofs:
            path = ROOT / name
            assert path.is_file(), name
            assert defines(path, test), f"{name} has no {test}"


def test_the_counts_in_the_fidelity_table_are_the_nodes_own() -> None:
    command = [sys.executable, "-m", "subnetlab", "devnet", "--coverage"]
    report = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    named = re.findall(r"\b(\d+ of \d+) (?:calls|setters|functions)", section("ARCHITECTURE.md", "Fidelity"))
    lines = r"^(?:Calls|  AdminUtils|Functions of precompiles): (\d+ of \d+)"
    assert sorted(named) == sorted(re.findall(lines, report, re.MULTILINE))


def test_the_changelog_begins_with_this_version() -> None:
    released = re.findall(
        r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert released[0] == PYPROJECT["project"]["version"] == importlib.metadata.version("subnetlab")


def test_decisions_have_a_date_and_their_four_parts() -> None:
    text = (ROOT / "DECISIONS.md").read_text(encoding="utf-8")
    entries = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert entries
    for entry in entries:
        assert re.match(r"\d{4}-\d{2}-\d{2} \S", entry), entry[:60]
        for part in ("Context:", "Choice:", "Rejected:", "Consequence:"):
            assert entry.count(f"\n{part}") == 1, f"{entry[:40]!r} lacks {part}"


def test_every_dependency_has_a_reason() -> None:
    reasons = (ROOT / "DECISIONS.md").read_text(encoding="utf-8")
    wanted = [Requirement(text).name for text in PYPROJECT["project"]["dependencies"]]
    assert [name for name in wanted if f"`{name}`" not in reasons] == []


def test_the_constraints_pin_every_dependency_within_its_range() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    extras = PYPROJECT["project"]["optional-dependencies"]
    for text in [*PYPROJECT["project"]["dependencies"], *extras["lab"], *extras["dev"]]:
        wanted = Requirement(text)
        if wanted.name != "subnetlab":
            assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)]), text
    assert [version for version in pins.values() if "+" in version or "/" in version] == []


def test_the_installed_torch_is_the_pinned_one() -> None:
    assert importlib.metadata.version("torch").split("+")[0] == "2.13.0"


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert PYPROJECT["project"]["license"] == "Apache-2.0"
    assert importlib.metadata.metadata("subnetlab")["License-Expression"] == "Apache-2.0"


def test_no_text_names_a_path_of_this_machine() -> None:
    """A clone reads the same everywhere: no checkout, interpreter, home folder or local index in a file."""
    here = {f"{ROOT}/", f"{Path.home()}/", f"{sys.prefix}/"} - {"//"}
    anywhere = re.compile(r"(?<![\w.])/root/|file:///\w")
    found: list[str] = []
    for path in project_files():
        if path == Path(__file__):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if anywhere.search(text) or any(name in text for name in here):
            found.append(relative(path))
    assert found == []
