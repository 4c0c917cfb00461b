"""`kill -9` of lead and supervisor in a run of answers: it is finished all the same, and nothing is left."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.chaos.small import alive_below, events_of, kill, reach, until

import subnetlab as sl
from subnetlab.record.events import PeerReady, RoundClosed, RoundLost
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import verify

ROUNDS = 5
TASKS = [{"a": number, "b": 1} for number in range(10)]


@pytest.fixture
def net(home: Path) -> Iterator[sl.Net]:
    with sl.connect() as made:
        yield made
    until(lambda: not alive_below(home), "a function's process is left")


def test_a_run_of_answers_outlives_its_lead_and_its_supervisor(net: sl.Net) -> None:
    def add(task: dict[str, int]) -> int:
        return task["a"] + task["b"]

    def judge(task: dict[str, int], answer: Any) -> float:
        return float(answer == task["a"] + task["b"])

    fleet = sl.LocalFleet(miners=2, validators=2)
    run = net.create_subnet("adding").run(add, judge, tasks=TASKS, rounds=ROUNDS, fleet=fleet)
    events = reach(run.folder, 1, 2)
    lead = run.view.uids("validator")[0]
    kill(next(event.pid for event in events if isinstance(event, PeerReady) and event.uid == lead))
    reach(run.folder, 2, 1)
    before = (run.folder / FILE_NAME).read_bytes()
    kill(json.loads((run.folder / "supervisor.json").read_text())["pid"])
    until(lambda: run.status == "interrupted", "its end is not noticed")
    again = sl.attach(run.id).wait(300)
    record = run.folder / FILE_NAME
    assert record.read_bytes().startswith(before)
    assert verify(record).torn_bytes == 0
    over = [event.round for event in events_of(run.folder) if isinstance(event, RoundClosed | RoundLost)]
    assert over == list(range(ROUNDS))
    assert again.status == "finished"
    assert again.headline.startswith("Two strangers earned scores; after 5 rounds their mean is 1.00.")
    assert min(again.view.pay.total(uid) for uid in again.view.mining) > 0
