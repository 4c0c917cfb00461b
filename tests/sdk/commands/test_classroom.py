"""`subnetlab class`: options that make no class are refused before anything is started or removed."""

import argparse
import socket
from pathlib import Path

import pytest

from subnetlab.cli import main
from subnetlab.commands.classroom import options_of, parse
from subnetlab.errors import ClassError
from subnetlab.record.lock import try_lock


def options(*words: str) -> argparse.Namespace:
    return parse(words)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--students", "0"), "1 to 200 students"),
        (("--students", "201"), "1 to 200 students"),
        (("--rounds", "0"), "--rounds is 0"),
        (("--code-hours", "-1"), "--code-hours is -1"),
        (("--round-seconds", "nan"), "--round-seconds is nan"),
        (("--round-seconds", "0"), "--round-seconds is 0. Give .* above 0, or leave it out"),
        (("--host", "300.1.1.1"), "--host 300.1.1.1 is no address of this machine. Leave it out"),
        (("--host", "192.0.2.7"), "--host 192.0.2.7 is no address of this machine. Leave it out"),
        (("--url", "class.example.edu/monday"), "Did you mean --url http://class.example.edu/monday"),
        (("--url", "localhost:8866"), "Did you mean --url http://localhost:8866"),
        (("--url", "monday"), "Give --url https://host/path"),
        (("--notice", "-5"), "--notice is -5"),
        (("--plan", "/nowhere/plan.py"), "There is no plan /nowhere/plan.py"),
        (("--port", "70000"), "is no port"),
        (("--url", "ftp://host"), "is no address of a class"),
        (("--url", "https://name:word@host/class"), "is no address of a class"),
        (("--url", "https://host/class?token=1"), "is no address of a class"),
        (("--title", "\x1b[2J"), "The title of a class has 1 to 40 letters that print. Give --title"),
        (("--roster", "/nowhere"), "cannot be read"),
    ],
)
def test_options_that_make_no_class_are_refused(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(ClassError, match=said):
        options_of(options(*words))


def test_an_address_says_the_path_that_everything_lies_below() -> None:
    behind = options_of(options("--url", "https://hub.example.edu/services/class/"))
    assert (behind.address, behind.prefix) == ("https://hub.example.edu/services/class", "/services/class")
    assert behind.hosts == {"hub.example.edu"}
    alone = options_of(options("--port", "9000"))
    assert (alone.address, alone.prefix, alone.host) == ("http://127.0.0.1:9000", "", "127.0.0.1")
    assert options_of(options("--host", "0.0.0.0")).address.startswith("http://")
    assert options_of(options("--host", "::1")).address == "http://[::1]:8866"


def test_a_roster_gives_names_once(tmp_path: Path) -> None:
    roster = tmp_path / "names"
    roster.write_text("Ada\n\n  Bo  Li \n")
    assert options_of(options("--roster", str(roster))).roster == ("Ada", "Bo Li")
    roster.write_text("Ada\nada\n")
    with pytest.raises(ClassError, match="one twice"):
        options_of(options("--roster", str(roster)))


def test_a_roster_that_is_none_is_named_with_its_file(tmp_path: Path) -> None:
    roster = tmp_path / "Makefile"
    roster.write_text("Ada\n" + "x" * 41 + "\n")
    with pytest.raises(ClassError, match=r"The roster .*Makefile holds more than names\. .* one name a line"):
        options_of(options("--roster", str(roster)))


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    assert main(["class", "--folder", str(tmp_path / "file" / "class")]) == 1
    assert "Give --folder one that can be written to." in capsys.readouterr().err


def test_a_folder_of_other_things_or_of_a_class_that_goes_on_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own"
    (own / "data").mkdir(parents=True)
    assert main(["class", "--folder", str(own)]) == 1
    assert "holds other things than a class" in capsys.readouterr().err
    assert (own / "data").is_dir()
    taken = tmp_path / "taken"
    (taken / "store").mkdir(parents=True)
    with (taken / "class.lock").open("a") as file:
        assert try_lock(file.fileno())
        assert main(["class", "--folder", str(taken)]) == 1
    assert "A class goes on in" in capsys.readouterr().err
    assert (taken / "store").is_dir()


def test_a_port_that_is_taken_ends_in_a_sentence_and_leaves_no_node(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        assert main(["class", "--folder", str(tmp_path / "c"), "--port", str(port)]) == 1
    assert f"Port {port} of 127.0.0.1 cannot be opened" in capsys.readouterr().err
    nodes = list((tmp_path / "c" / "nodes").glob("*/node.lock"))
    with nodes[0].open("a") as lock:
        assert try_lock(lock.fileno())
