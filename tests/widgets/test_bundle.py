"""The committed browser bundle is what its sources build, byte for byte; and the sources' own tests pass."""

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project import ROOT

JS = ROOT / "widgets" / "js"
STATIC = ROOT / "widgets" / "subnetlab_widgets" / "static"

MOST_BYTES = 90_000

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


def test_all_bundles_together_stay_small() -> None:
    """What a page loads once, as a server sends it."""
    sizes = {path.name: len(gzip.compress(path.read_bytes(), mtime=0)) for path in STATIC.glob("*.[jc]s*")}
    assert sum(sizes.values()) <= MOST_BYTES, sizes


@needs_node
def test_the_sources_pass_their_own_tests() -> None:
    done = subprocess.run(["node", "--test", "test"], cwd=JS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
