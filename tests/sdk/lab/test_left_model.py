"""What a run left behind is proved in one file as in a folder: its model, and the end of its record."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

import subnetlab as sl
from subnetlab.cli import main
from subnetlab.fleet.run_folder import CONFIG_FILE, MODEL_FILE, RESULT_FOLDER
from subnetlab.lab.run import Run
from subnetlab.lab.verification import verify_folder
from subnetlab.record.line import FILE_NAME

from .tampering import World, honest, seen

WEIGHTS, CONFIG = f"{RESULT_FOLDER}/{MODEL_FILE}", f"{RESULT_FOLDER}/{CONFIG_FILE}"
Members = dict[str, bytes]


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with honest(tmp_path_factory.mktemp("home")) as run:
        yield run


def rewritten(saved: Path, change: Callable[[Members], object]) -> Path:
    """The same file with other members."""
    with ZipFile(saved) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    with ZipFile(saved, "w", ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return saved


def flipped(members: Members) -> None:
    members[WEIGHTS] = members[WEIGHTS][:-1] + bytes([members[WEIGHTS][-1] ^ 1])


def other_model(members: Members) -> None:
    config = json.loads(members[CONFIG])
    members[CONFIG] = json.dumps({**config, "model": {"kind": "Source", "text": "", "name": "x"}}).encode()


def without(*names: str) -> Callable[[Members], object]:
    return lambda members: [members.pop(name) for name in names]


def cut(lines: int) -> Callable[[Members], object]:
    def spoil(members: Members) -> None:
        members[FILE_NAME] = b"".join(members[FILE_NAME].splitlines(keepends=True)[:-lines])

    return spoil


SPOILT: dict[str, tuple[Callable[[Members], object], str, str]] = {
    "a byte of the weights": (flipped, "model", "is not the one that its record closed with"),
    "another model's description": (other_model, "model", "is not the one that its record closed with"),
    "no weights": (without(WEIGHTS), "model", "model.safetensors is missing, though the record says"),
    "no model at all": (without(WEIGHTS, CONFIG), "model", "config.json is missing, though the record says"),
    "the last line of the record": (cut(1), "record line", "without the line that ends a run"),
    "the last lines of the record": (cut(40), "model", "is not the one that its record closed with"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_file_whose_model_or_end_was_changed_is_named(
    verified: Run, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, what, said = SPOILT[name]
    saved = rewritten(verified.save(tmp_path / "run.zip"), spoil)
    report = sl.open(saved).verify()
    assert [finding.what for finding in report.wrong if said in finding.said] == [what], report
    assert main(["verify", str(saved)]) == report.status == 1
    assert said in capsys.readouterr().out


def test_the_model_of_an_honest_file_is_counted(verified: Run, tmp_path: Path) -> None:
    report = sl.open(verified.save(tmp_path / "run.zip")).verify()
    assert report.checks["model"].done == 1
    assert (report.wrong, report.status) == ([], 2)


def test_a_file_that_was_saved_without_weights_is_not_accused(verified: Run, tmp_path: Path) -> None:
    saved = verified.save(tmp_path / "run.zip", model=False)
    again = sl.open(saved).save(tmp_path / "again.zip")
    for path in (saved, again):
        report = sl.open(path).verify()
        assert report.wrong == [], report
        assert [finding for finding in report.open if "saved without the weights" in finding.said], report


def test_a_record_that_breaks_off_before_a_model_was_written_says_so(verified: Run, tmp_path: Path) -> None:
    def broken_off(members: Members) -> None:
        without(WEIGHTS, CONFIG)(members)
        cut(1)(members)

    report = sl.open(rewritten(verified.save(tmp_path / "run.zip"), broken_off)).verify()
    assert report.wrong == [], report
    assert [finding for finding in report.open if "breaks off after round 4" in finding.said], report


def test_a_folder_without_its_model_is_named(verified: Run, tmp_path: Path) -> None:
    spoilt: World = seen(verified).copy(tmp_path / "spoilt")
    (spoilt.folder / WEIGHTS).unlink()
    report = verify_folder(spoilt.folder, replay=0.0, history=spoilt.history)
    assert [finding.what for finding in report.wrong] == ["model"], report
