"""`docs/devnet.md` is true: each of its snippets runs, in its order, in a home of its own.

The chain is the one that the page's first line starts, at a port of the test's own; the page's test file
finds the fixture as another project's would.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests import devnet_page
from tests.devnet_process import DevnetProcess, running_devnet
from tests.project import ROOT

LISTENING = re.compile(r"^listening (\S+) genesis (0x[0-9a-f]+)")
PLUGIN = "subnetlab.pytest_plugin"


@dataclass(frozen=True)
class Place:
    """A folder with the page's files in it, and an environment without anything of this one's."""

    folder: Path
    node: DevnetProcess

    def run(self, *command: str, status: int = 0) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BT_")}
        environment |= {
            "HOME": str(self.folder), "NO_COLOR": "1", "COLUMNS": "200", "PYTHONPATH": "",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }  # fmt: skip
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def python(self, name: str) -> str:
        return self.run(sys.executable, name)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("page")
    with running_devnet(folder) as node:
        for name, text in devnet_page.files(node.port).items():
            (folder / name).write_text(text, encoding="utf-8")
        found = Place(folder, node)
        found.python("keys.py")
        yield found


def test_the_page_starts_the_node_that_the_other_snippets_use() -> None:
    start, *_ = devnet_page.shell(9944)
    assert start == "subnetlab devnet\n"
    shown = next(text for language, text in devnet_page.snippets() if language == "text")
    assert re.match(r"listening ws://127.0.0.1:9944 genesis 0x", shown)


def test_btcli_pays_and_reads(place: Place) -> None:
    said = place.run("bash", "-e", "-c", devnet_page.shell(place.node.port)[1])
    assert "1,000,000.000" in said


def test_the_miner_and_the_validator_take_their_seats(place: Place) -> None:
    seats = place.python("neurons.py").splitlines()
    assert [line.split()[0] for line in seats] == ["0", "1"]


def test_web3_connects(place: Place) -> None:
    chain, height, balance = place.python("evm.py").split()
    assert (chain, balance) == ("42", "0")
    assert int(height) > 0


def test_the_pages_test_file_passes_and_its_tests_do_not_see_each_other(place: Place) -> None:
    said = place.run(sys.executable, "-m", "pytest", "-q", "-p", PLUGIN, "test_mine.py")
    assert "2 passed" in said


def test_blocks_come_as_the_option_says(place: Place, tmp_path: Path) -> None:
    sealing = "manual"
    (tmp_path / "pytest.ini").write_text(f"[pytest]\nsubtensor_devnet_sealing = {sealing}\n")
    (tmp_path / "test_it.py").write_text(
        "def test_it(subtensor_devnet):\n"
        "    print('sealing', subtensor_devnet.info()['sealing'])\n"
        "    subtensor_devnet.set_sealing('instant')\n"
        "def test_again(subtensor_devnet):\n"
        "    print('sealing', subtensor_devnet.info()['sealing'])\n"
    )
    said = place.run(sys.executable, "-m", "pytest", "-q", "-s", "-p", PLUGIN, str(tmp_path))
    found = [line.partition("sealing ")[2] for line in said.splitlines() if "sealing" in line]
    assert len(found) == 2
    assert all(sealing in line for line in found), said


def test_a_wrong_option_is_named(place: Place, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nsubtensor_devnet_sealing = soon\n")
    (tmp_path / "test_it.py").write_text("def test_it(subtensor_devnet):\n    pass\n")
    said = place.run(sys.executable, "-m", "pytest", "-q", "-p", PLUGIN, str(tmp_path), status=1)
    assert "subtensor_devnet_sealing is instant, manual or seconds, not 'soon'." in said


def test_an_installation_registers_the_fixture() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    # Named as its module: pytest loads it once, with or without `-p`.
    assert project["project"]["entry-points"]["pytest11"] == {PLUGIN: PLUGIN}


def test_the_workflow_reads_as_yaml() -> None:
    workflow = yaml.safe_load(devnet_page.files(9944)["ci.yml"])
    assert workflow["jobs"]["test"]["steps"][-1] == {"run": "pytest"}
