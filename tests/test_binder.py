"""What can be known of the Binder image without building one."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import subnetlab as sl
from subnetlab.commands.tutorials import find
from tests.project import ROOT

BINDER = ROOT / "binder"
RECORDED = ROOT / "tutorials" / "recorded.zip"


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A copy of the tutorials as the image holds them."""
    shutil.copytree(ROOT / "tutorials", tmp_path / "tutorials")
    prepare(tmp_path)
    return tmp_path


def prepare(folder: Path) -> None:
    command = [sys.executable, str(BINDER / "prepare.py"), "--tutorials", str(folder / "tutorials")]
    done = subprocess.run(
        [*command, "--prefix", str(folder / "env")], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["postBuild", "start", "check"])
def test_programs_can_be_executed_in_git_too(name: str) -> None:
    assert os.access(BINDER / name, os.X_OK)
    listed = subprocess.run(
        ["git", "ls-files", "--stage", f"binder/{name}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert listed.stdout.startswith("100755")


def test_the_image_has_the_reference_python_and_this_checkout() -> None:
    assert (BINDER / "runtime.txt").read_text().strip() == "python-3.11"
    lines = (BINDER / "requirements.txt").read_text().splitlines()
    assert ".[lab]" in lines
    assert "-c ../constraints.txt" in lines


def test_start_hands_over_with_one_thread_per_process() -> None:
    show = "import os; print(os.environ['OMP_NUM_THREADS'], os.getppid())"
    done = subprocess.run(
        [str(BINDER / "start"), sys.executable, "-c", show], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", str(os.getpid())], "exec, so that signals reach the server"


HOG = """
import subprocess, sys
holds = "import sys; held = bytearray(b'1') * {size}; sys.stdin.read()"
hog = subprocess.Popen([sys.executable, "-c", holds], stdin=subprocess.PIPE, start_new_session=True)
if {lets_go}:
    hog.stdin.close()
hog.wait()
"""


@pytest.mark.parametrize("group", ["where one can be made", "none"])
@pytest.mark.parametrize(("megabytes", "fits"), [(20, True), (400, False)])
def test_the_limit_counts_what_lives_in_a_session_of_its_own(
    tmp_path: Path, megabytes: int, fits: bool, group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the supervisor of a run does; one that does not fit is ended, and nothing of it stays."""
    check = runpy.run_path(str(BINDER / "check"), run_name="binder_check")
    if group == "none":
        check["within"].__globals__["memory_group"] = lambda _limit: None
    command = [sys.executable, "-c", HOG.format(size=megabytes * check["MB"], lets_go=fits)]
    failed = check["within"](150 * check["MB"], command, tmp_path, {check["MARK"]: str(tmp_path)})
    assert bool(failed) != fits
    assert "MB (PSS) of 150 MB" in capsys.readouterr().out
    assert check["processes"](str(tmp_path)) == []


def test_the_recording_is_small_and_is_the_tutorials_run() -> None:
    assert RECORDED.stat().st_size < 600_000
    assert not any("safetensors" in name for name in zipfile.ZipFile(RECORDED).namelist())
    run = sl.open(RECORDED)
    (cell,) = [
        cell for cell in json.loads(find("00").read_text())["cells"] if "%%train" in str(cell["source"])
    ]
    options = dict(re.findall(r"--([\w-]+) (\d+)", "".join(cell["source"])))
    view = run.view
    assert run.status == "finished"
    assert view.rounds == len(view.val_loss) == int(options["rounds"])
    assert len(view.uids("free_rider", "sign_flip")) == 2
    assert len(view.uids("miner", "free_rider", "sign_flip")) == int(options["miners"])
    assert len(view.uids("validator")) == int(options["validators"])
    assert run.least_paid in view.uids("free_rider", "sign_flip")


def test_the_images_copy_shows_the_recording_playing_before_anything_runs(prepared: Path) -> None:
    before = json.loads(find("00").read_text())
    after = json.loads((prepared / "tutorials" / find("00").name).read_text())
    greeting = after["cells"].pop(1)
    assert [cell["source"] for cell in after["cells"]] == [cell["source"] for cell in before["cells"]]
    assert 'sl.open("recorded.zip")' in "".join(greeting["source"])
    (output,) = greeting["outputs"]
    shown = "".join(output["data"]["text/html"])
    assert '<img src="data:image/svg+xml;base64,' in shown
    assert len(json.dumps(output)) < 100_000
    assert "Seven of nine strangers reached" in "".join(output["data"]["text/plain"])


def test_jupyter_opens_on_the_tutorial(prepared: Path) -> None:
    settings = json.loads((prepared / "env" / "etc" / "jupyter" / "jupyter_lab_config.json").read_text())
    assert settings["LabApp"]["default_url"] == f"/lab/tree/tutorials/{find('00').name}"


def test_preparing_twice_changes_nothing(prepared: Path) -> None:
    notebook = prepared / "tutorials" / find("00").name
    once = notebook.read_bytes()
    prepare(prepared)
    assert notebook.read_bytes() == once


def test_the_repository_is_left_as_it_is(prepared: Path) -> None:
    assert "image/svg" not in find("00").read_text()
