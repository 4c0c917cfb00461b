"""What `subnetlab verify` says of what is no run: it accuses none, and names the next step."""

from pathlib import Path

import pytest

from subnetlab.cli import main


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (
            "/no/such/folder",
            "There is no folder at /no/such/folder. Give the folder of a run, or a run's name.",
        ),
        (
            "3",
            "found on its chain. Give the node of its chain: subnetlab verify 3 --endpoint ws://host:port.",
        ),
        ("nothing", "No runs are called 'nothing'. Known runs: none."),
        ("none.zip", "There is no file at none.zip."),
    ],
)
def test_what_is_not_there(
    run: str, says: str, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    assert main(["verify", run]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("run", ["", "  "])
def test_no_name_at_all_is_not_the_folder_one_happens_to_be_in(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["verify", run])
    assert ended.value.code == 2
    assert "name a RUN" in capsys.readouterr().err


def test_a_folder_that_holds_no_run_is_not_accused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path} is no folder of a run: it holds neither manifest.json nor record" in said
    assert "tampered" not in said
