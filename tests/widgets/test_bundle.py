"""The committed browser bundle is what its sources build, byte for byte; and the sources' own tests pass."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project import ROOT

JS = ROOT / "widgets" / "js"
STATIC = ROOT / "widgets" / "subnetlab_widgets" / "static"

needs_node = pytest.mark.skipif(
    shutil.which("npm") is None, reason="needs Node.js with npm, which only those who change widgets/js need"
)


@needs_node
@pytest.mark.timeout(180)
def test_the_committed_bundle_is_what_the_sources_build(tmp_path: Path) -> None:
    tree = tmp_path / "widgets" / "js"
    shutil.copytree(JS, tree, ignore=shutil.ignore_patterns("node_modules"))
    for command in (
        ["npm", "ci", "--silent", "--no-audit", "--no-fund"],
        ["npm", "run", "build", "--silent"],
    ):
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    for name in ("dashboard.js", "dashboard.css"):
        built = (tmp_path / "widgets" / "subnetlab_widgets" / "static" / name).read_bytes()
        assert built == (STATIC / name).read_bytes(), (
            f"{name} is stale: run `npm ci && npm run build` in widgets/js"
        )


@needs_node
def test_the_sources_pass_their_own_tests() -> None:
    done = subprocess.run(["node", "--test", "test"], cwd=JS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
