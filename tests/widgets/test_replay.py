"""A recording in a notebook: the same dashboard, with every row of the run."""

from pathlib import Path

import pytest

import subnetlab as sl
from subnetlab.lab.run import Run
from subnetlab.record.line import FILE_NAME
from subnetlab.record.writer import RecordWriter
from subnetlab_widgets import boards
from tests.widgets.recorded import run as events


def test_the_dashboard_of_a_recording_has_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path / "home"))
    folder = tmp_path / "7f3a"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    with RecordWriter(folder / FILE_NAME) as record:
        for event in events(miners=4, rounds=12):
            record.append(event)
    opened = sl.open(Run(folder).save(tmp_path / "run.zip"))
    try:
        board = boards.board_of(opened)
        assert boards.board_of(sl.open(tmp_path / "run.zip")) is board
        table = board.feed.table
        assert table.rounds == list(range(1, 13))
        assert (table.status["state"], board.header["run_id"]) == ("finished", "7f3a")
        assert [len(table.row(number)) for number in table.rounds] == [len(table.row(1))] * 12
    finally:
        boards.close_all()
