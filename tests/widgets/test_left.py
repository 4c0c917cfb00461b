"""A live dashboard whose run loses its supervisor without a word."""

import threading
import time
from pathlib import Path

from subnetlab.fleet.run_folder import LOCK_FILE
from subnetlab.record.lock import locked
from subnetlab.record.writer import RecordWriter
from subnetlab_widgets.dashboard import Dashboard
from tests.widgets.recorded import run


def test_a_dashboard_says_that_nobody_supervises_the_run_any_more(tmp_path: Path) -> None:
    *events, _ = run(3, 2)
    with RecordWriter(tmp_path / "record.jsonl") as record:
        for event in events:
            record.append(event)
    let_go, told = threading.Event(), threading.Event()

    def supervise() -> None:
        with locked(tmp_path / LOCK_FILE):
            told.set()
            let_go.wait(30)

    supervisor = threading.Thread(target=supervise)
    supervisor.start()
    told.wait(300)
    board = Dashboard.follow(tmp_path / "record.jsonl")
    try:
        assert board.feed.table.status["state"] == "running"
        let_go.set()
        supervisor.join()
        deadline = time.monotonic() + 30
        while board.feed.table.status["state"] == "running":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert board.feed.table.status["state"] == "interrupted"
        assert board.feed.table.status["reason"].startswith(
            "Its supervisor is gone; nothing on record is lost"
        )
    finally:
        board.close()
