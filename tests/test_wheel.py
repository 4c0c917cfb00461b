"""What an installation without a checkout holds: the kernel's spec and the tutorials."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

from subnetlab.commands import tutorials
from tests.project import ROOT


def test_the_wheel_takes_the_tutorials_to_where_the_package_looks_first() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    taken = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    package = ROOT / "sdk" / "subnetlab"
    assert {ROOT / source: package.parent / target for source, target in taken.items()} == {
        ROOT / "tutorials": tutorials.PLACES[0]
    }
    assert tutorials.find("00").parent == ROOT / "tutorials"


@pytest.mark.network
def test_an_installed_wheel_finds_its_own_tutorial_and_kernel(tmp_path: Path) -> None:
    """Builds as pip does, in isolation, which fetches the build backend."""
    source, installed = tmp_path / "source", tmp_path / "installed"
    source.mkdir()
    tracked = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(source)], input=tracked.stdout, check=True)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", str(source), "-w", str(tmp_path)]
    subprocess.run(build, check=True)
    with ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        assert any(name.endswith("kernels/subnetlab/kernel.json") for name in wheel.namelist())
        wheel.extractall(installed)
    code = "import json; from subnetlab.commands.tutorials import find, working_copy as copy\n"
    code += "print(json.dumps([str(find()), str(copy())]))"
    environment = {**os.environ, "PYTHONPATH": str(installed), "SUBNETLAB_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found, copied = map(Path, json.loads(done.stdout))
    assert found.parent == installed / "subnetlab" / "tutorials"
    assert copied.parent == tmp_path / "home" / "tutorials"
    assert copied.read_bytes() == found.read_bytes()
