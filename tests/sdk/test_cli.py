"""The command line: words it knows, words it does not, and what it leaves unloaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from subnetlab import __version__
from subnetlab.cli import COMMANDS, main
from subnetlab.commands import lab as jupyter
from subnetlab.commands.tutorials import working_copy
from subnetlab.errors import RunError


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
    assert "no command is called 'dmeo'. Did you mean 'demo'?" in capsys.readouterr().err


def test_a_refusal_is_one_line_and_status_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("subnetlab.commands.tutorials.PLACES", [tmp_path])
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


def test_a_reader_that_has_seen_enough_ends_a_command_quietly(tmp_path: Path) -> None:
    code = "import subnetlab.cli as c; c.COMMANDS['runs'] = ('', lambda _: print('x' * 200_000) or 0)"
    command = [sys.executable, "-c", f"{code}; raise SystemExit(c.main(['runs']))"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1"])
def test_a_console_that_is_not_utf_8_is_no_error(encoding: str) -> None:
    checks = "Checkup((Check('memory', 'warning', 'τ', 'use fewer'),))"
    printed = f"from subnetlab.commands.doctor import Check, Checkup; print({checks})"
    command = "from subnetlab.cli import main; import subnetlab.cli as c;"
    command += "c.COMMANDS['runs'] = ('', lambda _: print('→ τ α ─') or 0); raise SystemExit(main(['runs']))"
    for code in (printed, command):
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=False, capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert b"?" in done.stdout


def test_a_tutorial_is_worked_on_in_a_copy_that_keeps_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = tmp_path / "published"
    published.mkdir()
    (published / "00_first.ipynb").write_text("one")
    monkeypatch.setattr("subnetlab.commands.tutorials.PLACES", [published])
    copy = working_copy("00", tmp_path / "mine")
    assert copy.read_text() == "one"
    (published / "00_first.ipynb").write_text("two")
    assert working_copy("00", tmp_path / "mine").read_text() == "two"
    copy.write_text("two and my own")
    assert working_copy("00", tmp_path / "mine").read_text() == "two and my own"
    (published / "00_first.ipynb").write_text("three")
    assert working_copy("00", tmp_path / "mine").read_text() == "three"
    assert (tmp_path / "mine" / "00_first.mine-1.ipynb").read_text() == "two and my own"
    assert (published / "00_first.ipynb").read_text() == "three"


def test_lab_opens_a_copy_of_the_tutorial_on_this_machine_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path / "home"))
    words = jupyter.command(jupyter.parse(["--no-browser", "--port", "9999"]))
    assert "--ip=127.0.0.1" in words
    assert "--port=9999" in words
    assert "--no-browser" in words
    assert Path(words[4]).name.startswith("00_")
    assert Path(words[4]).is_relative_to(tmp_path / "home")
    assert Path(jupyter.command(jupyter.parse(["4"]))[4]).name.startswith("04_")
    with pytest.raises(RunError, match=r"There is no tutorial 77 .* There are 00 to 09\."):
        jupyter.command(jupyter.parse(["77"]))


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


def test_a_command_without_options_says_so_when_it_is_asked_for_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: subnetlab doctor\n\nLook at Python")
    assert main(["doctor", "--fast"]) == 2
