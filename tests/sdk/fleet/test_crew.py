"""What is done to the peers of a run while it goes on: killed, started again, paused, joined by others."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.sdk.fleet.stage import ALL, FIRST, MINER, VALIDATOR, Stage, hangs, reports

from subnetlab.errors import ControlRefused
from subnetlab.fleet.control import request
from subnetlab.fleet.spec import read_spec
from subnetlab.fleet.supervisor.loop import Supervisor
from subnetlab.fleet.thread_launcher import Work
from subnetlab.fleet.worker.life import Reporter
from subnetlab.record.events import PeerGone, PeerReady, PeersJoined, Role


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def asks(stage: Stage, verb: str, **asked: Any) -> dict[str, Any]:
    return request(stage.folder, "token", verb, asked=asked)


def until_up(supervisor: Supervisor, uid: int) -> None:
    """Wait until a peer came up, whatever became of it since."""
    while {p["uid"]: p["state"] for p in supervisor.status()["peers"]}.get(uid, "starting") == "starting":
        time.sleep(0.01)


def test_a_peer_killed_on_request_is_missed_and_one_started_again_comes_back(stage: Stage) -> None:
    lives: list[int] = []

    def lives_twice(report: Reporter, stop: threading.Event) -> None:
        lives.append(1)
        (reports if len(lives) > 1 else hangs)(2, *(ALL if len(lives) > 1 else ()))(report, stop)

    def kills(supervisor: Supervisor) -> None:
        until_up(supervisor, 2)
        with pytest.raises(ControlRefused, match="No running peer holds uid 5"):
            asks(stage, "kill", uid=5)
        with pytest.raises(ControlRefused, match="missing or wrong"):
            asks(stage, "kill")
        asks(stage, "kill", uid=2, restart=True)
        while len(lives) < 2:
            time.sleep(0.01)
        asks(stage, "kill", uid=3)

    peers: dict[int, tuple[Role, Work | None]] = {
        1: MINER, 2: ("miner", lives_twice), 3: ("miner", hangs(3)), 7: VALIDATOR,
    }  # fmt: skip
    assert stage.play(peers, during=kills).status == "finished"
    assert [(e.uid, e.reason) for e in stage.events(PeerGone)] == [
        (2, "It was killed on request."), (3, "It was killed on request."),
    ]  # fmt: skip
    assert [e.uid for e in stage.events(PeerReady)].count(2) == 2


def test_a_peer_in_a_thread_cannot_be_paused_and_says_so(stage: Stage) -> None:
    def pauses(supervisor: Supervisor) -> None:
        until_up(supervisor, 2)
        for seconds in (0, -1, 1e9, float("nan")):
            with pytest.raises(ControlRefused, match="A pause takes more than 0"):
                asks(stage, "pause", uid=2, seconds=seconds)
        with pytest.raises(ControlRefused, match="cannot be paused"):
            asks(stage, "pause", uid=2, seconds=1.0)
        asks(stage, "kill", uid=2)

    peers: dict[int, tuple[Role, Work | None]] = {1: MINER, 2: ("miner", hangs(2)), 7: VALIDATOR}
    assert stage.play(peers, during=pauses).status == "finished"


def test_a_seat_that_joins_is_on_record_and_in_the_file_and_counts_from_the_next_round(stage: Stage) -> None:
    seat = {"uid": 9, "hotkey": "5New", "role": "miner", "attacker": "sign_flip"}
    joined = threading.Event()

    def comes_up_last(report: Reporter, stop: threading.Event) -> None:
        joined.wait(300)
        reports(2, *ALL)(report, stop)

    def joins(supervisor: Supervisor) -> None:
        until_up(supervisor, 1)
        with pytest.raises(ControlRefused, match="hold uid 1 already"):
            asks(stage, "join", seats=[{**seat, "uid": 1}])
        with pytest.raises(ControlRefused, match="missing or wrong"):
            asks(stage, "join", seats=[{"uid": 9}])
        assert asks(stage, "join", seats=[seat])["opens"] == FIRST
        joined.set()

    peers: dict[int, tuple[Role, Work | None]] = {1: MINER, 2: ("miner", comes_up_last), 7: VALIDATOR}
    assert stage.play(peers, during=joins, joining={9: reports(9, *ALL)}).status == "finished"
    (event,) = stage.events(PeersJoined)
    assert (event.seats, event.block) == ([seat], FIRST)
    assert [seat.since for seat in read_spec(stage.folder).seats] == [0, 0, 0, FIRST]
    assert {event.uid for event in stage.events(PeerReady)} == {1, 2, 7, 9}


def test_nobody_joins_once_the_last_round_is_open(stage: Stage) -> None:
    def joins(supervisor: Supervisor) -> None:
        while supervisor.head < FIRST:
            time.sleep(0.01)
        with pytest.raises(ControlRefused, match="No round opens any more"):
            asks(stage, "join", seats=[{"uid": 9, "hotkey": "5New", "role": "miner"}])
        asks(stage, "kill", uid=2)

    peers: dict[int, tuple[Role, Work | None]] = {1: MINER, 2: ("miner", hangs(2)), 7: VALIDATOR}
    assert stage.play(peers, during=joins).status == "finished"
    assert not stage.events(PeersJoined)


def test_chaos_kills_and_starts_again_as_its_seed_says(stage: Stage) -> None:
    lives: list[int] = []

    def lives_on(report: Reporter, stop: threading.Event) -> None:
        lives.append(1)
        (reports(1, *ALL) if len(lives) > 3 else hangs(1))(report, stop)

    peers: dict[int, tuple[Role, Work | None]] = {1: ("miner", lives_on), 7: ("validator", hangs(7, *ALL))}

    def stops(supervisor: Supervisor) -> None:
        while len(lives) < 2:
            time.sleep(0.01)
        supervisor.stop("enough")

    assert stage.play(peers, during=stops, kills_per_hour=3600.0 * 50).status == "stopped"
    assert {e.reason for e in stage.events(PeerGone)} == {"The chaos schedule killed it."}
