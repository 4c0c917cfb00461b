"""The committed browser bundle is what its sources build, byte for byte; and the sources' own tests pass."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project import ROOT

JS = ROOT / "widgets" / "js"
STATIC = ROOT / "widgets" / "subnetlab_widgets" / "static"

needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="needs Node.js, which only those who change widgets/js need"
)
needs_esbuild = pytest.mark.skipif(
    not (JS / "node_modules" / ".bin" / "esbuild").exists(), reason="run `npm ci` in widgets/js first"
)


@needs_node
@needs_esbuild
def test_the_committed_bundle_is_what_the_sources_build(tmp_path: Path) -> None:
    tree = tmp_path / "widgets" / "js"
    shutil.copytree(JS, tree, symlinks=True)
    done = subprocess.run(
        ["npm", "run", "build", "--silent"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for name in sorted(path.name for path in STATIC.iterdir()):
        built = (tmp_path / "widgets" / "subnetlab_widgets" / "static" / name).read_bytes()
        assert built == (STATIC / name).read_bytes(), f"{name} is stale: `npm run build` in widgets/js"


@needs_node
def test_the_sources_pass_their_own_tests() -> None:
    done = subprocess.run(["node", "--test", "test"], cwd=JS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
