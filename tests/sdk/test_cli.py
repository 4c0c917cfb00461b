"""The command line: words it knows, words it does not, and what it leaves unloaded."""

import subprocess
import sys
from pathlib import Path

import pytest

from subnetlab import __version__
from subnetlab.cli import COMMANDS, main
from subnetlab.lab import jupyter


def test_usage_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name}" in said for name in COMMANDS)
    assert main([]) == 2


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_an_unknown_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dmeo"]) == 2
    assert "no command is called 'dmeo'" in capsys.readouterr().err


def test_a_refusal_is_one_line_and_status_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("subnetlab.lab.tutorials.PLACES", [tmp_path])
    assert main(["demo"]) == 1
    assert capsys.readouterr().err.startswith("subnetlab demo: There is no tutorial 00")


def test_doctor_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path))
    assert main(["runs"]) == 0
    assert "No runs yet" in capsys.readouterr().out
    assert main(["doctor", "--now"]) == 2
    assert main(["doctor"]) == 0


def test_a_wrong_option_of_a_command_is_argparse_words() -> None:
    with pytest.raises(SystemExit) as left:
        main(["demo", "--nonsense"])
    assert left.value.code == 2


def test_lab_opens_the_tutorial_on_this_machine_only() -> None:
    words = jupyter.command(jupyter.parse(["--no-browser", "--port", "9999"]))
    assert "--ip=127.0.0.1" in words
    assert "--port=9999" in words
    assert "--no-browser" in words
    assert Path(words[4]).name.startswith("00_")


def test_devnet_is_forwarded_and_stays_light() -> None:
    code = (
        "import sys\n"
        "from subnetlab.cli import main\n"
        "try:\n    main(['devnet', '--help'])\n"
        "except SystemExit:\n    pass\n"
        "print([m for m in ('torch', 'bittensor', 'web3', 'polars', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--block-time" in done.stdout
    assert done.stdout.strip().endswith("[]")
